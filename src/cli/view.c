/* SPDX-License-Identifier: BSD-3-Clause */
/* A field as an array: its axes, and its values, one by one, as numbers. */
#include "view.h"

#include "base/number.h"
#include "base/terminal.h"
#include "command.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PIECE_BYTES = 1 << 20, NEAR_BYTES = 1 << 16 };

static weft_status add_dimensions(view *v)
{
    const weft_result_info *map = weft_result_describe(v->result);
    weft_status status = WEFT_OK;
    for (int i = 0; i < map->ndims && status == WEFT_OK; i++) {
        view_axis *a = &v->axis[v->axes++];
        weft_dimension_info about;
        status = weft_result_get_dimension(v->result, i, &about);
        if (status == WEFT_OK) {
            *a =
                (view_axis){.count = about.count, .dimension = i, .coordinates = about.coordinates};
            (void)snprintf(a->name, sizeof a->name, "%s", about.name);
            (void)snprintf(a->units, sizeof a->units, "%s", about.units);
            if (a->name[0] == '\0') {
                (void)snprintf(a->name, sizeof a->name, "dim_%d", i);
            }
        }
    }
    return status;
}

/* Which items have failed, where the file's table had room for all. */
static weft_status list_failed(view *v)
{
    const int64_t rows = v->progress.failures;
    weft_status status = WEFT_OK;
    if (rows != v->progress.items_failed) {
        return WEFT_OK;
    }
    v->failed = malloc(((size_t)rows + 1) * sizeof *v->failed);
    for (int64_t i = 0; i < rows && v->failed != NULL && status == WEFT_OK; i++) {
        weft_result_failure failure;
        status = weft_result_get_failure(v->result, i, &failure);
        v->failed[i] = failure.item;
    }
    return status;
}

weft_status view_open(weft_result *result, int field, view *v)
{
    *v = (view){.result = result, .field = field, .info = weft_result_field(result, field)};
    weft_status status = weft_result_get_progress(result, &v->progress);
    if (status == WEFT_OK) {
        status = list_failed(v);
    }
    if (status == WEFT_OK) {
        status = add_dimensions(v);
    }
    for (int i = 0; i < v->info->ndims; i++) {
        view_axis *a = &v->axis[v->axes++];
        *a = (view_axis){.count = v->info->shape[i], .dimension = -1};
        (void)snprintf(a->name, sizeof a->name, "%s_dim_%d", v->info->name, i);
    }
    int64_t stride = 1;
    for (int i = v->axes - 1; i >= 0; i--) {
        v->axis[i].stride = stride;
        stride *= v->axis[i].count > 0 ? v->axis[i].count : 1;
        terminal_clean(v->axis[i].name);
        terminal_clean(v->axis[i].units);
    }
    v->item_elements = v->info->item_bytes / (int64_t)weft_type_bytes(v->info->type);
    const int64_t room =
        v->info->item_bytes > PIECE_BYTES ? v->info->item_bytes : (int64_t)PIECE_BYTES;
    v->buffer = malloc((size_t)room);
    return status != WEFT_OK || v->buffer != NULL ? status : WEFT_ERR_MEMORY;
}

void view_close(view *v)
{
    free(v->failed);
    free(v->buffer);
    v->failed = NULL;
    v->buffer = NULL;
}

static weft_status tell_axes(const view *v, const char *name)
{
    char names[VIEW_AXES * (VIEW_NAME_BYTES + 2)] = "";
    for (int i = 0; i < v->axes; i++) {
        number_append(names, sizeof names, "%s%s", i > 0 ? ", " : "", v->axis[i].name);
    }
    return command_error(WEFT_ERR_USAGE, "--at: field '%s' has no dimension '%s'; it has %s",
                         v->info->name, name, names);
}

/* The item whose coordinate is nearest, the first of several. */
static weft_status find_nearest(view *v, view_axis *a, double wanted)
{
    enum { PIECE = 4096 };
    double piece[PIECE];
    double best = (double)INFINITY;
    weft_status status = WEFT_OK;
    for (int64_t at = 0; at < a->count && status == WEFT_OK; at += PIECE) {
        const int64_t count = a->count - at < PIECE ? a->count - at : PIECE;
        status = weft_result_read_coordinates(v->result, a->dimension, at, count, piece);
        for (int64_t i = 0; i < count && status == WEFT_OK; i++) {
            if (fabs(piece[i] - wanted) < best) {
                best = fabs(piece[i] - wanted);
                a->at = at + i;
                a->place = piece[i];
            }
        }
    }
    return status == WEFT_OK ? WEFT_OK : command_failed(status, weft_result_error_text(v->result));
}

static weft_status fix_axis(view *v, view_axis *a, const char *value)
{
    double wanted = 0;
    if (!number_read_double(value, &wanted)) {
        return command_error(WEFT_ERR_USAGE, "--at %s=%s: '%s' is not a number", a->name, value,
                             value);
    }
    if (a->fixed) {
        return command_error(WEFT_ERR_USAGE, "--at %s is given twice", a->name);
    }
    if (a->count == 0) {
        return command_error(WEFT_ERR_USAGE, "--at %s: there is no item along it", a->name);
    }
    a->fixed = true;
    if (a->coordinates) {
        return find_nearest(v, a, wanted);
    }
    if (!(wanted >= 0 && wanted < (double)a->count && floor(wanted) >= wanted)) {
        return command_error(WEFT_ERR_USAGE,
                             "--at %s=%s: it has no coordinates, and takes an index, a whole "
                             "number from 0 to %" PRId64,
                             a->name, value, a->count - 1);
    }
    a->at = (int64_t)wanted;
    a->place = wanted;
    return WEFT_OK;
}

weft_status view_fix(view *v, const char *at)
{
    weft_status status = WEFT_OK;
    while (status == WEFT_OK && *at != '\0') {
        char word[2 * VIEW_NAME_BYTES];
        const size_t length = strcspn(at, ",");
        (void)snprintf(word, sizeof word, "%.*s",
                       (int)(length < sizeof word ? length : sizeof word - 1), at);
        at += length + (at[length] == ',');
        char *equals = strchr(word, '=');
        if (equals == NULL) {
            return command_error(WEFT_ERR_USAGE,
                                 "--at %s: it takes a dimension and a place along it, as in "
                                 "--at %s=0",
                                 word, v->axes > 0 ? v->axis[0].name : "dim_0");
        }
        *equals = '\0';
        view_axis *found = NULL;
        for (int i = 0; i < v->axes; i++) {
            found = strcmp(v->axis[i].name, word) == 0 ? &v->axis[i] : found;
        }
        status = found == NULL ? tell_axes(v, word) : fix_axis(v, found, equals + 1);
    }
    return status;
}

int view_left(const view *v, int most, int axes[])
{
    int count = 0;
    for (int i = 0; i < v->axes; i++) {
        if (!v->axis[i].fixed) {
            if (count < most) {
                axes[count] = i;
            }
            count++;
        }
    }
    return count;
}

int64_t view_origin(const view *v)
{
    int64_t element = 0;
    for (int i = 0; i < v->axes; i++) {
        element += v->axis[i].fixed ? v->axis[i].at * v->axis[i].stride : 0;
    }
    return element;
}

/* Has the item in memory, with those behind it if they will be wanted soon. */
static weft_status fetch(view *v, int64_t item, int64_t step)
{
    const weft_result_info *map = weft_result_describe(v->result);
    const int64_t bytes = v->info->item_bytes;
    const int64_t skipped = step / v->item_elements;
    int64_t count = skipped <= NEAR_BYTES / bytes ? PIECE_BYTES / bytes : 1;
    count = count < 1 ? 1 : count;
    count = count > map->count - item ? map->count - item : count;
    const weft_status status = weft_result_read(v->result, v->field, item, count, v->buffer);
    v->first = item;
    v->end = status == WEFT_OK ? item + count : item;
    return status;
}

static weft_status ask_done(view *v, int64_t item)
{
    int64_t count = 0;
    const weft_status status = weft_result_get_done(v->result, item, &v->known_done, &count);
    v->known_first = item;
    v->known_end = status == WEFT_OK ? item + count : item;
    return status;
}

static double number_of(weft_type type, const unsigned char *element)
{
    switch (type) {
#define TYPE_NUMBER(name, ctype, text)         \
    case name: {                               \
        ctype value;                           \
        memcpy(&value, element, sizeof value); \
        return (double)value;                  \
    }
        WEFT_TYPE_MAP(TYPE_NUMBER)
#undef TYPE_NUMBER
    case WEFT_TYPE_COUNT:
        break;
    }
    return (double)NAN;
}

static int compare_items(const void *one, const void *other)
{
    const int64_t a = *(const int64_t *)one;
    const int64_t b = *(const int64_t *)other;
    return (a > b) - (a < b);
}

/* What is the fill value may be a result like any other, of an item that has not failed. */
static bool is_missing(const view *v, int64_t item, const unsigned char *element, double value)
{
    if (!isfinite(value) || memcmp(element, v->info->fill, weft_type_bytes(v->info->type)) != 0) {
        return !isfinite(value);
    }
    return v->failed == NULL || bsearch(&item, v->failed, (size_t)v->progress.failures, sizeof item,
                                        compare_items) != NULL;
}

weft_status view_read(view *v, int64_t element, int64_t step, view_state *state, double *value)
{
    const int64_t item = element / v->item_elements;
    weft_status status = WEFT_OK;
    if (item < v->known_first || item >= v->known_end) {
        status = ask_done(v, item);
    }
    if (status == WEFT_OK && !v->known_done) {
        *state = VIEW_UNDONE;
        return WEFT_OK;
    }
    if (status == WEFT_OK && (item < v->first || item >= v->end)) {
        status = fetch(v, item, step);
    }
    if (status != WEFT_OK) {
        return status;
    }
    const unsigned char *at = v->buffer + (item - v->first) * v->info->item_bytes +
                              element % v->item_elements * (int64_t)weft_type_bytes(v->info->type);
    *value = number_of(v->info->type, at);
    *state = is_missing(v, item, at, *value) ? VIEW_FAILED : VIEW_VALUE;
    return WEFT_OK;
}
