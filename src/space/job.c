/* SPDX-License-Identifier: BSD-3-Clause */
/* The job: what a map is and what identifies it: item space, fields, parameters, seed, grain. */
#include "space/job.h"

#include "base/number.h"

#include <inttypes.h>
#include <math.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* As isalnum() in the plain locale: what a name may be does not depend on where one lives. */
static bool is_letter_or_digit(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

/* A name becomes a dataset's or an attribute's, and part of a file's. */
static bool good_name(const char *name)
{
    if (name == NULL || name[0] == '\0' || name[0] == '.' || strlen(name) >= WEFT_NAME_BYTES) {
        return false;
    }
    for (const char *c = name; *c != '\0'; c++) {
        if (!is_letter_or_digit(*c) && strchr("_-.", *c) == NULL) {
            return false;
        }
    }
    return true;
}

static weft_status bad_name(const char *what, const char *name, error *e)
{
    return error_set(e, WEFT_ERR_USAGE,
                     "%s '%s': a name has 1 to %d letters, digits, '_', '-' or '.', and does not "
                     "start with '.'",
                     what, name == NULL ? "" : name, WEFT_NAME_BYTES - 1);
}

static void format_shape(const space *s, char *text, size_t bytes)
{
    (void)snprintf(text, bytes, "(");
    for (int i = 0; i < s->ndims; i++) {
        number_append(text, bytes, "%s%" PRId64, i == 0 ? "" : ", ", s->shape[i]);
    }
    number_append(text, bytes, ")");
}

/* What else lies in a result beside its maps. */
static bool is_reserved(const char *name)
{
    return strcmp(name, "weft") == 0 || strcmp(name, "runs") == 0;
}

weft_status job_create(const char *name, int ndims, const int64_t shape[], job **out, error *e)
{
    if (!good_name(name)) {
        return bad_name("map", name, e);
    }
    if (is_reserved(name)) {
        return error_set(e, WEFT_ERR_USAGE,
                         "a map cannot be named '%s', which is weft's own in a result: give it "
                         "another name",
                         name);
    }
    if (ndims < 1 || ndims > WEFT_MAX_DIMS || shape == NULL) {
        return error_set(e, WEFT_ERR_USAGE, "map '%s': %d dimensions; it takes 1 to %d", name,
                         ndims, WEFT_MAX_DIMS);
    }
    for (int i = 0; i < ndims; i++) {
        if (shape[i] < 0) {
            return error_set(e, WEFT_ERR_USAGE,
                             "map '%s': dimension %d has %" PRId64 " items; it takes 0 or more",
                             name, i, shape[i]);
        }
    }
    space items;
    if (!space_init(&items, ndims, shape)) {
        return error_set(e, WEFT_ERR_USAGE, "map '%s': more items than a 64-bit integer counts",
                         name);
    }
    /* Most of it is room that is not used: what is used is cleared then. */
    job *j = malloc(sizeof *j);
    if (j == NULL) {
        return error_memory(e, "map '%s'", name);
    }
    memset(j, 0, offsetof(job, field));
    j->needs = 0;
    (void)snprintf(j->name, sizeof j->name, "%s", name);
    j->items = items;
    *out = j;
    return WEFT_OK;
}

void job_destroy(job *j)
{
    free(j);
}

void job_copy(job *to, const job *from)
{
    memcpy(to, from, offsetof(job, field));
    memcpy(to->field, from->field, (size_t)from->fields * sizeof from->field[0]);
    memcpy(to->reduction, from->reduction, (size_t)from->reductions * sizeof from->reduction[0]);
    memcpy(to->parameter, from->parameter, (size_t)from->parameters * sizeof from->parameter[0]);
    memcpy(to->need, from->need, (size_t)from->needs * sizeof from->need[0]);
    to->needs = from->needs;
}

int job_find_field(const job *j, const char *name)
{
    for (int i = 0; i < j->fields; i++) {
        if (strcmp(j->field[i].name, name) == 0) {
            return i;
        }
    }
    return -1;
}

int job_find_reduction(const job *j, const char *name)
{
    for (int i = 0; i < j->reductions; i++) {
        if (strcmp(j->reduction[i].name, name) == 0) {
            return i;
        }
    }
    return -1;
}

int job_find_dimension(const job *j, const char *name)
{
    for (int i = 0; i < j->items.ndims; i++) {
        if (j->dimension[i].name[0] != '\0' && strcmp(j->dimension[i].name, name) == 0) {
            return i;
        }
    }
    return -1;
}

int64_t job_coordinate_bytes(const job *j, int dimension)
{
    return j->dimension[dimension].checksum == 0
               ? 0
               : j->items.shape[dimension] * (int64_t)sizeof(double);
}

/* Fields, reductions and coordinates lie side by side in the file. */
static weft_status check_unused(const job *j, const char *what, const char *name, error *e)
{
    if (!good_name(name)) {
        return bad_name(what, name, e);
    }
    const char *user = job_find_field(j, name) >= 0       ? "field"
                       : job_find_reduction(j, name) >= 0 ? "reduction"
                       : job_find_dimension(j, name) >= 0 ? "dimension"
                                                          : NULL;
    return user == NULL
               ? WEFT_OK
               : error_set(e, WEFT_ERR_USAGE, "map '%s' has a %s '%s' already: give another name",
                           j->name, user, name);
}

static weft_status check_new_name(const job *j, const char *what, const char *name, error *e)
{
    const weft_status status = check_unused(j, what, name, e);
    if (status != WEFT_OK) {
        return status;
    }
    if (j->fields + j->reductions == WEFT_MAX_FIELDS) {
        return error_set(e, WEFT_ERR_USAGE,
                         "%s '%s': map '%s' has %d fields and reductions already", what, name,
                         j->name, WEFT_MAX_FIELDS);
    }
    return WEFT_OK;
}

weft_status job_set_dimension(job *j, int number, const job_dimension *dimension, error *e)
{
    job_dimension *mine = &j->dimension[number];
    if (mine->name[0] != '\0') {
        return error_set(e, WEFT_ERR_USAGE,
                         "dimension '%s': dimension %d of map '%s' has a name already, '%s'",
                         dimension->name, number, j->name, mine->name);
    }
    if (is_reserved(dimension->name)) {
        return error_set(e, WEFT_ERR_USAGE,
                         "a dimension cannot be named '%s', which is weft's own in a result: give "
                         "it another name",
                         dimension->name);
    }
    const int64_t most = INT64_MAX / 16 / (int64_t)sizeof(double) / WEFT_MAX_DIMS;
    if (dimension->checksum != 0 && j->items.shape[number] > most) {
        return error_set(e, WEFT_ERR_USAGE,
                         "dimension '%s': its coordinates are larger than a file can be",
                         dimension->name);
    }
    const weft_status status = check_unused(j, "dimension", dimension->name, e);
    if (status == WEFT_OK) {
        *mine = *dimension;
    }
    return status;
}

static weft_status check_new_field(job *j, const char *name, weft_type type, error *e)
{
    const weft_status status = check_new_name(j, "field", name, e);
    if (status == WEFT_OK && weft_type_bytes(type) == 0) {
        return error_set(e, WEFT_ERR_USAGE, "field '%s': %d is not a type", name, (int)type);
    }
    return status;
}

weft_status job_add_field(job *j, const char *name, weft_type type, int ndims,
                          const int64_t shape[], const char *units, const char *long_name, error *e)
{
    const weft_status status = check_new_field(j, name, type, e);
    if (status != WEFT_OK) {
        return status;
    }
    /* HDF5 allows 32 dimensions; the map's come first. */
    bool good = ndims >= 0 && ndims <= WEFT_MAX_DIMS && (ndims == 0 || shape != NULL);
    for (int i = 0; good && i < ndims; i++) {
        good = shape[i] >= 1;
    }
    space value = {.ndims = 0, .count = 1};
    if (!good || (ndims > 0 && !space_init(&value, ndims, shape))) {
        return error_set(e, WEFT_ERR_USAGE,
                         "field '%s': a shape has at most %d dimensions, each at least 1", name,
                         WEFT_MAX_DIMS);
    }
    const int64_t element_bytes = (int64_t)weft_type_bytes(type);
    const int64_t most = j->items.count > 0 ? INT64_MAX / j->items.count : INT64_MAX;
    if (value.count > most / element_bytes) {
        return error_set(e, WEFT_ERR_USAGE, "field '%s' is larger than a file can be", name);
    }
    job_field *field = &j->field[j->fields];
    memset(field, 0, sizeof *field);
    (void)snprintf(field->name, sizeof field->name, "%s", name);
    (void)snprintf(field->units, sizeof field->units, "%s", units == NULL ? "1" : units);
    (void)snprintf(field->long_name, sizeof field->long_name, "%s",
                   long_name == NULL ? name : long_name);
    field->type = type;
    field->shape = value;
    field->item_bytes = value.count * element_bytes;
    type_default_fill(type, field->fill);
    j->fields++;
    return WEFT_OK;
}

weft_status job_set_fill(job *j, const char *name, const void *fill, error *e)
{
    const int number = name == NULL ? -1 : job_find_field(j, name);
    if (number < 0) {
        return error_set(e, WEFT_ERR_USAGE, "fill value: map '%s' has no field '%s'", j->name,
                         name == NULL ? "" : name);
    }
    if (fill == NULL) {
        return error_set(e, WEFT_ERR_USAGE, "fill value: there is none for field '%s'", name);
    }
    job_field *field = &j->field[number];
    memcpy(field->fill, fill, weft_type_bytes(field->type) - type_padding(field->type));
    return WEFT_OK;
}

weft_status job_add_reduction(job *j, const job_reduction *reduction, error *e)
{
    const weft_status status = check_new_name(j, "reduction", reduction->name, e);
    if (status == WEFT_OK) {
        j->reduction[j->reductions++] = *reduction;
    }
    return status;
}

int64_t job_tile_bytes(const job *j)
{
    int64_t bytes = 0;
    for (int i = 0; i < job_columns(j); i++) {
        bytes += job_column_room(j, i, 1);
    }
    return bytes;
}

int64_t job_value_bytes(const job *j, int reduction)
{
    const job_reduction *r = &j->reduction[reduction];
    return r->shape.count * (int64_t)weft_type_bytes(r->type);
}

bool job_kernel_reduces(const job *j)
{
    for (int i = 0; i < j->reductions; i++) {
        if (j->reduction[i].field < 0) {
            return true;
        }
    }
    return false;
}

static const job_parameter *find_parameter(const job *j, const char *name)
{
    for (int i = 0; i < j->parameters; i++) {
        if (strcmp(j->parameter[i].name, name) == 0) {
            return &j->parameter[i];
        }
    }
    return NULL;
}

weft_status job_add_parameter(job *j, const job_parameter *parameter, error *e)
{
    static const char *const reserved[] = {"count", "shape", "grain", "seed"};
    if (!good_name(parameter->name)) {
        return bad_name("parameter", parameter->name, e);
    }
    bool taken = find_parameter(j, parameter->name) != NULL;
    for (size_t i = 0; i < sizeof reserved / sizeof reserved[0]; i++) {
        taken = taken || strcmp(parameter->name, reserved[i]) == 0;
    }
    if (taken) {
        return error_set(e, WEFT_ERR_USAGE, "map '%s' has a parameter '%s' already", j->name,
                         parameter->name);
    }
    if (j->parameters == WEFT_MAX_PARAMETERS) {
        return error_set(e, WEFT_ERR_USAGE, "parameter '%s': map '%s' has %d parameters already",
                         parameter->name, j->name, WEFT_MAX_PARAMETERS);
    }
    j->parameter[j->parameters++] = *parameter;
    return WEFT_OK;
}

void job_add_need(job *j, const char *map)
{
    bool known = !good_name(map) || j->needs == WEFT_MAX_MAPS;
    for (int i = 0; i < j->needs && !known; i++) {
        known = strcmp(j->need[i], map) == 0;
    }
    if (!known) {
        (void)snprintf(j->need[j->needs++], sizeof j->need[0], "%s", map);
    }
}

weft_status job_set_program(job *j, const char *name, const char *version, error *e)
{
    if (version != NULL && strlen(version) >= sizeof j->version) {
        return error_set(e, WEFT_ERR_USAGE, "the version of %s, '%s': it has at most %d characters",
                         name, version, WEFT_NAME_BYTES - 1);
    }
    (void)snprintf(j->program, sizeof j->program, "%s", name);
    (void)snprintf(j->version, sizeof j->version, "%s", version == NULL ? "" : version);
    return WEFT_OK;
}

/* What there is per tile, besides its accumulators, has less than 1024 bytes. */
static const int64_t MOST_TILES = INT64_MAX / 8 / 1024;

weft_status job_settle(job *j, uint64_t seed, int64_t grain, error *e)
{
    if (j->fields == 0 && j->reductions == 0) {
        return error_set(e, WEFT_ERR_USAGE,
                         "map '%s' has no field and no reduction: nothing to compute", j->name);
    }
    int64_t accumulator_bytes = 0;
    for (int i = 0; i < j->reductions; i++) {
        accumulator_bytes += j->reduction[i].bytes;
    }
    int64_t item_bytes[WEFT_MAX_FIELDS];
    const int64_t most = INT64_MAX / 2 / (j->items.count > 0 ? j->items.count : 1);
    j->item_bytes = 0;
    for (int i = 0; i < j->fields; i++) {
        item_bytes[i] = j->field[i].item_bytes;
        if (item_bytes[i] > most - j->item_bytes) {
            return error_set(e, WEFT_ERR_USAGE, "map '%s' is larger than a file can be", j->name);
        }
        j->item_bytes += item_bytes[i];
    }
    j->seed = seed;
    if (grain == 0) {
        grain = tiling_auto_grain(j->items.count, j->fields, item_bytes, accumulator_bytes);
    }
    /* A tile that is longer than the job could have more bytes than can be counted. */
    if (grain > j->items.count) {
        grain = j->items.count > 0 ? j->items.count : 1;
    }
    tiling_init(&j->tiles, j->items.count, grain);
    if (j->tiles.tiles > MOST_TILES) {
        return error_set(e, WEFT_ERR_USAGE,
                         "map '%s': the records of %" PRId64 " tiles are larger than a file can "
                         "be; a larger --grain makes fewer tiles",
                         j->name, j->tiles.tiles);
    }
    if (j->tiles.tiles > 0 && accumulator_bytes > INT64_MAX / 4 / j->tiles.tiles) {
        return error_set(e, WEFT_ERR_USAGE,
                         "map '%s': the accumulators of %" PRId64 " tiles are larger than a file "
                         "can be; a larger --grain makes fewer tiles",
                         j->name, j->tiles.tiles);
    }
    return WEFT_OK;
}

/* An element as people read it, and its bits, which tell one NaN from another. */
static void format_element(weft_type type, const unsigned char *element, char *text, size_t bytes)
{
    long double extended = 0;
    double number = 0;
    float small = 0;
    text[0] = '\0';
    if (type == WEFT_FLOAT32) {
        memcpy(&small, element, sizeof small);
        number_append(text, bytes, "%.9g, ", (double)small);
    } else if (type == WEFT_FLOAT64) {
        memcpy(&number, element, sizeof number);
        number_append(text, bytes, "%.17g, ", number);
    } else if (type == WEFT_LONG_DOUBLE) {
        memcpy(&extended, element, sizeof extended);
        number_append(text, bytes, "%.21Lg, ", extended);
    }
    number_append(text, bytes, "bytes");
    for (size_t i = 0; i < weft_type_bytes(type) - type_padding(type); i++) {
        number_append(text, bytes, " %02x", element[i]);
    }
}

/* What a name of an account begins with, for each parameter and field. */
enum { WHAT_BYTES = WEFT_NAME_BYTES + 64 };

/* Numbers of the two types differ as text, too: a double that is a whole number ends with ".0". So
 * do all NaNs. */
static void describe_parameter(const job_parameter *p, account *a)
{
    char what[WHAT_BYTES];
    char value[64];
    (void)snprintf(what, sizeof what, "parameter '%s'", p->name);
    switch (p->type) {
    case JOB_INT64:
        account_add(a, what, "%" PRId64, p->int64);
        break;
    case JOB_DOUBLE:
        (void)number_print(value, sizeof value, "%.17g", p->number);
        if (isnan(p->number)) {
            uint64_t bits = 0;
            memcpy(&bits, &p->number, sizeof bits);
            (void)snprintf(value, sizeof value, "nan (0x%016" PRIx64 ")", bits);
        }
        account_add(a, what, "%s%s", value,
                    value[strspn(value, "-0123456789")] == '\0' ? ".0" : "");
        break;
    case JOB_STRING:
        account_add(a, what, "'%s'", p->text);
        break;
    }
}

/* A type, and a shape unless it is a scalar's. */
static void describe_value(account *a, const char *what, weft_type type, const space *shape)
{
    char text[JOB_TEXT_BYTES] = "";
    if (shape->ndims > 0) {
        format_shape(shape, text, sizeof text);
    }
    account_add(a, what, "%s%s%s", weft_type_name(type), text[0] == '\0' ? "" : " ", text);
}

/* Its type, its shape unless it is a scalar, and its fill value. */
static void describe_field(const job_field *field, account *a)
{
    char what[WHAT_BYTES];
    char value[JOB_TEXT_BYTES];
    (void)snprintf(what, sizeof what, "field '%s'", field->name);
    describe_value(a, what, field->type, &field->shape);
    (void)snprintf(what, sizeof what, "the fill value of field '%s'", field->name);
    format_element(field->type, field->fill, value, sizeof value);
    account_add(a, what, "%s", value);
}

/* What it does, and what its value is. */
static void describe_reduction(const job_reduction *r, account *a)
{
    char what[WHAT_BYTES];
    (void)snprintf(what, sizeof what, "reduction '%s'", r->name);
    account_add(a, what, "%s", r->how);
    (void)snprintf(what, sizeof what, "the value of reduction '%s'", r->name);
    describe_value(a, what, r->type, &r->shape);
    (void)snprintf(what, sizeof what, "the accumulator of reduction '%s'", r->name);
    account_add(a, what, "%" PRId64 " bytes", r->bytes);
}

static void describe_shape(const job *j, account *a)
{
    char value[JOB_TEXT_BYTES];
    format_shape(&j->items, value, sizeof value);
    account_add(a, "the shape", "%s", value);
}

static void identify_dimensions(const job *j, account *a)
{
    for (int i = 0; i < j->items.ndims; i++) {
        if (j->dimension[i].name[0] != '\0') {
            dimension_identify(&j->dimension[i], i, j->items.shape[i], a);
        }
    }
}

void job_label(const job *j, account *a)
{
    char what[WHAT_BYTES];
    for (int i = 0; i < j->items.ndims; i++) {
        if (j->dimension[i].name[0] != '\0') {
            dimension_label(&j->dimension[i], a);
        }
    }
    for (int i = 0; i < j->fields; i++) {
        const job_field *field = &j->field[i];
        (void)snprintf(what, sizeof what, "the unit of field '%s'", field->name);
        account_add(a, what, "'%s'", field->units);
        (void)snprintf(what, sizeof what, "the description of field '%s'", field->name);
        account_add(a, what, "'%s'", field->long_name);
    }
}

void job_describe(const job *j, account *a)
{
    describe_shape(j, a);
    identify_dimensions(j, a);
    if (j->version[0] != '\0') {
        account_add(a, "the program's version", "%s", j->version);
    } else {
        account_add(a, "the program's build", "%s", j->build);
    }
    for (int i = 0; i < j->parameters; i++) {
        describe_parameter(&j->parameter[i], a);
    }
    for (int i = 0; i < j->fields; i++) {
        describe_field(&j->field[i], a);
    }
    job_label(j, a);
    for (int i = 0; i < j->reductions; i++) {
        describe_reduction(&j->reduction[i], a);
    }
}

static int compare_names(const void *a, const void *b)
{
    return strcmp((*(const job_parameter *const *)a)->name,
                  (*(const job_parameter *const *)b)->name);
}

/* By their names, whatever order they have come in. */
static void describe_parameters_sorted(const job *j, account *a)
{
    const job_parameter *sorted[WEFT_MAX_PARAMETERS] = {NULL};
    for (int i = 0; i < j->parameters; i++) {
        sorted[i] = &j->parameter[i];
    }
    qsort(sorted, (size_t)j->parameters, sizeof(const job_parameter *), compare_names);
    for (int i = 0; i < j->parameters; i++) {
        describe_parameter(sorted[i], a);
    }
}

void job_identify(const job *j, account *a)
{
    char what[WHAT_BYTES];
    account_add(a, "the map", "%s", j->name);
    account_add(a, "the version of the program", "%s",
                j->version[0] == '\0' ? "absent" : j->version);
    describe_shape(j, a);
    identify_dimensions(j, a);
    describe_parameters_sorted(j, a);
    for (int i = 0; i < j->fields; i++) {
        describe_field(&j->field[i], a);
        (void)snprintf(what, sizeof what, "the place of field '%s'", j->field[i].name);
        account_add(a, what, "%d", i);
    }
    for (int i = 0; i < j->reductions; i++) {
        describe_reduction(&j->reduction[i], a);
        (void)snprintf(what, sizeof what, "the place of reduction '%s'", j->reduction[i].name);
        account_add(a, what, "%d", i);
    }
    account_add(a, "the seed", "%" PRIu64, j->seed);
    account_add(a, "the grain", "%" PRId64, j->tiles.grain);
}

weft_status job_compare(const job *mine, const job *theirs, const char *path, error *e)
{
    account run = {.text = NULL};
    account file = {.text = NULL};
    account_difference d;
    weft_status status = WEFT_OK;
    job_identify(mine, &run);
    job_identify(theirs, &file);
    if (run.incomplete || file.incomplete) {
        status = error_memory(e, "what identifies map '%s'", mine->name);
    } else if (account_find_difference(&file, &run, &d)) {
        status = error_set(e, WEFT_ERR_OTHER_JOB,
                           "%s belongs to another job: %s is %s in the file and %s in this run; "
                           "give another --out, or --fresh to start over (the file moves to "
                           "%s.bak)",
                           path, d.name, d.first, d.second, path);
    }
    account_clear(&run);
    account_clear(&file);
    return status;
}
