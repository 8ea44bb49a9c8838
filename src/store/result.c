/* SPDX-License-Identifier: BSD-3-Clause */
/* Reading a result, for the public functions weft_result_*: by its metadata, then byte by byte. */
#include "store/result.h"

#include "base/error.h"
#include "base/number.h"
#include "reduce/reduction.h"
#include "store/format/checksum.h"
#include "store/format/metadata.h"
#include "store/format/numbers.h"
#include "store/guard/lock.h"
#include "store/io/bytes.h"
#include "store/needed.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { LEASES_AT_ONCE = 4096 };

struct weft_result {
    int fd;
    char *path;
    metadata meta;
    /* The map that is chosen: */
    const job *job;
    const metadata_layout *layout;
    weft_result_info info;
    weft_field_info *fields;
    weft_reduction_info *reductions;
    tables tables; /* the rows of failures that are in use come first */
    int64_t failure_count;
    int *row; /* the rows of runs that are the map's … */
    int rows; /* … and how many there are */
    error error;
};

/* The value of a histogram has three counts more than it has bins. */
static int64_t count_numbers(const weft_reduction_info *reduction)
{
    const bool vector = reduction->ndims == 1;
    const int64_t elements = reduction->shape[0];
    return vector && reduction->kind == WEFT_REDUCE_HISTOGRAM && elements > 3 ? elements - 2
           : vector && reduction->kind == WEFT_REDUCE_QUANTILES               ? elements
                                                                              : 0;
}

static void describe(weft_result *r)
{
    const job *j = r->job;
    weft_result_info *info = &r->info;
    info->maps = r->meta.maps;
    (void)snprintf(info->name, sizeof info->name, "%s", j->name);
    (void)snprintf(info->version, sizeof info->version, "%s", r->meta.version);
    (void)snprintf(info->created, sizeof info->created, "%s", r->meta.created);
    info->ndims = j->items.ndims;
    memcpy(info->shape, j->items.shape, sizeof info->shape);
    info->count = j->items.count;
    info->grain = j->tiles.grain;
    info->tiles = j->tiles.tiles;
    info->seed = j->seed;
    info->fields = j->fields;
    info->reductions = j->reductions;
    info->needs = j->needs;
    for (int i = 0; i < j->fields; i++) {
        const job_field *from = &j->field[i];
        weft_field_info *field = &r->fields[i];
        (void)snprintf(field->name, sizeof field->name, "%s", from->name);
        field->type = from->type;
        field->ndims = from->shape.ndims;
        memcpy(field->shape, from->shape.shape, sizeof field->shape);
        field->item_bytes = from->item_bytes;
        (void)snprintf(field->units, sizeof field->units, "%s", from->units);
        (void)snprintf(field->long_name, sizeof field->long_name, "%s", from->long_name);
        memcpy(field->fill, from->fill, sizeof field->fill);
    }
    for (int i = 0; i < j->reductions; i++) {
        const job_reduction *from = &j->reduction[i];
        weft_reduction_info *reduction = &r->reductions[i];
        (void)snprintf(reduction->name, sizeof reduction->name, "%s", from->name);
        (void)snprintf(reduction->what, sizeof reduction->what, "%s", from->how);
        reduction->kind = reduction_find_kind(from->how);
        reduction->type = from->type;
        reduction->ndims = from->shape.ndims;
        memcpy(reduction->shape, from->shape.shape, sizeof reduction->shape);
        reduction->value_bytes = job_value_bytes(j, i);
        reduction->numbers = count_numbers(reduction);
    }
}

static void forget_map(weft_result *r)
{
    free(r->row);
    free(r->tables.run);
    free(r->tables.failure);
    free(r->tables.tile);
    free(r->reductions);
    free(r->fields);
    r->row = NULL;
    r->rows = 0;
    r->tables = (tables){.runs = 0};
    r->failure_count = 0;
    r->fields = NULL;
    r->reductions = NULL;
}

static weft_status choose_map(weft_result *r, int map)
{
    forget_map(r);
    r->job = r->meta.job[map];
    r->layout = &r->meta.layout[map];
    r->fields = calloc((size_t)r->job->fields + 1, sizeof *r->fields);
    r->reductions = calloc((size_t)r->job->reductions + 1, sizeof *r->reductions);
    r->tables.tile = calloc((size_t)r->job->tiles.tiles + 1, sizeof *r->tables.tile);
    r->tables.failure = calloc((size_t)r->layout->failure_rows + 1, sizeof *r->tables.failure);
    r->tables.run = calloc((size_t)r->layout->run_rows + 1, sizeof *r->tables.run);
    r->row = calloc((size_t)r->layout->run_rows + 1, sizeof *r->row);
    if (r->fields == NULL || r->reductions == NULL || r->tables.tile == NULL ||
        r->tables.failure == NULL || r->tables.run == NULL || r->row == NULL) {
        return error_memory(&r->error, "the tables of %s", r->path);
    }
    describe(r);
    return WEFT_OK;
}

static weft_status open_result(weft_result *r)
{
    weft_status status = metadata_read(r->path, &r->meta, &r->error);
    if (status != WEFT_OK) {
        return status;
    }
    r->fd = open(r->path, O_RDONLY | O_CLOEXEC);
    if (r->fd < 0) {
        const int number = errno;
        return error_system(&r->error, number, "cannot open %s for reading", r->path);
    }
    return choose_map(r, 0);
}

weft_status weft_result_open(const char *path, weft_result **result)
{
    weft_result *r = calloc(1, sizeof *r);
    *result = r;
    if (r == NULL) {
        return WEFT_ERR_MEMORY;
    }
    r->fd = -1;
    if (path == NULL) {
        return error_set(&r->error, WEFT_ERR_USAGE, "a result without a path");
    }
    r->path = strdup(path);
    if (r->path == NULL) {
        return error_memory(&r->error, "the path %s", path);
    }
    return open_result(r);
}

void weft_result_close(weft_result *result)
{
    if (result == NULL) {
        return;
    }
    if (result->fd >= 0) {
        (void)close(result->fd);
    }
    forget_map(result);
    metadata_release(&result->meta);
    free(result->path);
    free(result);
}

const char *weft_result_error_text(const weft_result *result)
{
    return result == NULL ? "" : result->error.text;
}

/* The names that there are, as far as there is room. */
static void list_maps(const weft_result *r, char *text, size_t bytes)
{
    size_t used = 0;
    text[0] = '\0';
    for (int i = 0; i < r->meta.maps && used + WEFT_NAME_BYTES + 2 < bytes; i++) {
        used += (size_t)snprintf(text + used, bytes - used, "%s%s", i > 0 ? ", " : "",
                                 r->meta.job[i]->name);
    }
}

int weft_result_find_map(weft_result *result, const char *name)
{
    char names[ERROR_TEXT_BYTES / 2];
    error_clear(&result->error);
    const int map = metadata_find(&result->meta, name);
    if (map < 0) {
        list_maps(result, names, sizeof names);
        (void)error_set(&result->error, WEFT_ERR_USAGE, "%s has no map '%s'; it has %s",
                        result->path, name, names);
    }
    return map;
}

weft_status weft_result_set_map(weft_result *result, int map)
{
    error_clear(&result->error);
    if (map < 0 || map >= result->meta.maps) {
        return error_set(&result->error, WEFT_ERR_USAGE, "%s has no map %d; it has %d, from 0 on",
                         result->path, map, result->meta.maps);
    }
    return choose_map(result, map);
}

const weft_result_info *weft_result_describe(const weft_result *result)
{
    return &result->info;
}

static weft_status no_field(weft_result *r, int field)
{
    return error_set(&r->error, WEFT_ERR_USAGE, "%s has no field %d; it has %d, from 0 on", r->path,
                     field, r->info.fields);
}

const weft_field_info *weft_result_field(weft_result *result, int field)
{
    error_clear(&result->error);
    if (field >= 0 && field < result->info.fields) {
        return &result->fields[field];
    }
    (void)no_field(result, field);
    return NULL;
}

/* The names that there are instead, as far as there is room. */
static void list_fields(const weft_result *r, char *text, size_t bytes)
{
    text[0] = '\0';
    for (int i = 0; i < r->info.fields && strlen(text) + WEFT_NAME_BYTES + 2 < bytes; i++) {
        number_append(text, bytes, "%s%s", i > 0 ? ", " : "", r->fields[i].name);
    }
}

int weft_result_find_field(weft_result *result, const char *name)
{
    char names[ERROR_TEXT_BYTES / 2];
    error_clear(&result->error);
    for (int i = 0; i < result->info.fields; i++) {
        if (strcmp(result->fields[i].name, name) == 0) {
            return i;
        }
    }
    list_fields(result, names, sizeof names);
    (void)error_set(&result->error, WEFT_ERR_USAGE, "%s has no field '%s'; it has %s", result->path,
                    name, names[0] == '\0' ? "none" : names);
    return -1;
}

static weft_status no_dimension(weft_result *r, int dimension)
{
    return error_set(&r->error, WEFT_ERR_USAGE, "%s has no dimension %d; it has %d, from 0 on",
                     r->path, dimension, r->info.ndims);
}

weft_status weft_result_get_dimension(weft_result *result, int dimension,
                                      weft_dimension_info *about)
{
    error_clear(&result->error);
    if (dimension < 0 || dimension >= result->info.ndims) {
        return no_dimension(result, dimension);
    }
    const job_dimension *d = &result->job->dimension[dimension];
    memset(about, 0, sizeof *about);
    (void)snprintf(about->name, sizeof about->name, "%s", d->name);
    (void)snprintf(about->units, sizeof about->units, "%s", d->units);
    about->count = result->info.shape[dimension];
    about->coordinates = d->checksum != 0;
    return WEFT_OK;
}

/* Unchecked. */
static weft_status read_coordinates(weft_result *r, int dimension, int64_t first, int64_t count,
                                    double values[])
{
    const int64_t width = (int64_t)sizeof values[0];
    return bytes_read(r->fd, r->path, values, (size_t)(count * width),
                      r->layout->coordinate_offset[dimension] + first * width, &r->error);
}

weft_status weft_result_read_coordinates(weft_result *result, int dimension, int64_t first,
                                         int64_t count, double values[])
{
    weft_dimension_info about = {.count = 0};
    const weft_status status = weft_result_get_dimension(result, dimension, &about);
    if (status != WEFT_OK) {
        return status;
    }
    if (first < 0 || count < 0 || count > about.count - first) {
        return error_set(&result->error, WEFT_ERR_USAGE,
                         "dimension %d of %s has %" PRId64 " items, not %" PRId64 " from %" PRId64,
                         dimension, result->path, about.count, count, first);
    }
    if (about.coordinates && count > 0) {
        return read_coordinates(result, dimension, first, count, values);
    }
    for (int64_t i = 0; i < count; i++) {
        values[i] = (double)(first + i);
    }
    return WEFT_OK;
}

static weft_status no_reduction(weft_result *r, int reduction)
{
    return error_set(&r->error, WEFT_ERR_USAGE,
                     "map '%s' of %s has no reduction %d; it has %d, from 0 on", r->info.name,
                     r->path, reduction, r->info.reductions);
}

const weft_reduction_info *weft_result_reduction(weft_result *result, int reduction)
{
    error_clear(&result->error);
    if (reduction >= 0 && reduction < result->info.reductions) {
        return &result->reductions[reduction];
    }
    (void)no_reduction(result, reduction);
    return NULL;
}

int weft_result_find_reduction(weft_result *result, const char *name)
{
    char names[ERROR_TEXT_BYTES / 2] = "";
    error_clear(&result->error);
    const int reduction = job_find_reduction(result->job, name);
    for (int i = 0;
         i < result->info.reductions && strlen(names) + WEFT_NAME_BYTES + 2 < sizeof names; i++) {
        number_append(names, sizeof names, "%s%s", i > 0 ? ", " : "", result->reductions[i].name);
    }
    if (reduction < 0) {
        (void)error_set(&result->error, WEFT_ERR_USAGE,
                        "map '%s' of %s has no reduction '%s'; it has %s", result->info.name,
                        result->path, name, names[0] == '\0' ? "none" : names);
    }
    return reduction;
}

/* The value, and whether it is the one whose checksum is there: one that is being made is not.
 */
static weft_status read_value(weft_result *r, int reduction, void *value, uint64_t *check,
                              bool *whole)
{
    const size_t bytes = (size_t)r->reductions[reduction].value_bytes;
    const void *run = value;
    weft_status status =
        bytes_read(r->fd, r->path, check, sizeof *check,
                   r->layout->values_offset + reduction * (int64_t)sizeof *check, &r->error);
    if (status == WEFT_OK && *check != 0) {
        status =
            bytes_read(r->fd, r->path, value, bytes, r->layout->value_offset[reduction], &r->error);
    }
    *whole = status == WEFT_OK && *check != 0 && checksum_runs(1, &run, &bytes) == *check;
    return status;
}

weft_status weft_result_get_value(weft_result *result, int reduction, void *value)
{
    uint64_t check = 0;
    bool whole = false;
    error_clear(&result->error);
    if (reduction < 0 || reduction >= result->info.reductions) {
        return no_reduction(result, reduction);
    }
    weft_status status = read_value(result, reduction, value, &check, &whole);
    if (status == WEFT_OK && check != 0 && !whole) {
        /* It may have been made anew in between. */
        status = read_value(result, reduction, value, &check, &whole);
    }
    if (status != WEFT_OK || whole) {
        return status;
    }
    const char *name = result->reductions[reduction].name;
    return check == 0
               ? error_set(&result->error, WEFT_ERR_NOT_FOUND,
                           "reduction '%s' of map '%s' of %s has no value yet: it has one once the "
                           "map is complete",
                           name, result->info.name, result->path)
               : error_set(&result->error, WEFT_ERR_CORRUPT,
                           "the value of reduction '%s' of map '%s' of %s differs from its "
                           "checksum; the program that computes the map makes it anew",
                           name, result->info.name, result->path);
}

weft_status weft_result_get_numbers(weft_result *result, int reduction, double numbers[])
{
    error_clear(&result->error);
    if (reduction < 0 || reduction >= result->info.reductions) {
        return no_reduction(result, reduction);
    }
    const weft_reduction_info *info = &result->reductions[reduction];
    return numbers_read(result->path, result->info.name, info->name,
                        info->kind == WEFT_REDUCE_HISTOGRAM ? "edges" : "probabilities",
                        info->numbers, numbers, &result->error);
}

weft_status result_read_rows(weft_result *r, int column, int64_t first, int64_t count, void *values)
{
    const job *j = r->job;
    return bytes_read(r->fd, r->path, values, (size_t)job_row_bytes(j, column, count),
                      r->layout->field_offset[column] + job_row_bytes(j, column, first), &r->error);
}

weft_status weft_result_read(weft_result *result, int field, int64_t first, int64_t count,
                             void *values)
{
    error_clear(&result->error);
    if (field < 0 || field >= result->info.fields) {
        return no_field(result, field);
    }
    if (first < 0 || count < 0 || count > result->info.count - first) {
        return error_set(&result->error, WEFT_ERR_USAGE,
                         "%s has %" PRId64 " items, not %" PRId64 " from %" PRId64, result->path,
                         result->info.count, count, first);
    }
    return count == 0 ? WEFT_OK : result_read_rows(result, field, first, count, values);
}

bool weft_result_item_done(weft_result *result, int64_t item)
{
    tile_record record;
    error_clear(&result->error);
    if (item < 0 || item >= result->info.count) {
        (void)error_set(&result->error, WEFT_ERR_USAGE,
                        "%s has no item %" PRId64 "; it has %" PRId64 ", from 0 on", result->path,
                        item, result->info.count);
        return false;
    }
    const int64_t tile = item / result->info.grain;
    return bytes_read(result->fd, result->path, &record, sizeof record,
                      result->layout->tiles_offset + tile * (int64_t)sizeof record,
                      &result->error) == WEFT_OK &&
           tile_record_sound(&record, tile) && tile_record_done(&record);
}

weft_status result_read_tables(weft_result *r)
{
    return tables_read(r->fd, r->path, r->layout, &r->job->tiles, &r->tables, &r->error);
}

static void count_tiles(const weft_result *r, weft_result_progress *progress)
{
    const tiling *tiles = &r->job->tiles;
    for (int64_t tile = 0; tile < tiles->tiles; tile++) {
        const tile_record *record = &r->tables.tile[tile];
        if (!tile_record_sound(record, tile)) {
            progress->tiles_bad++;
        } else if (tile_record_done(record)) {
            progress->tiles_done++;
            progress->items_done += tiling_items(tiles, tile, 1);
            progress->items_failed += record->failed;
            progress->tiles_quarantined += record->state == TILE_QUARANTINED;
            progress->busy_s += record->seconds;
        }
    }
}

/* By item: the table's rows are in the order in which items failed, and are used again. */
static int compare_failures(const void *a, const void *b)
{
    const failure_row *first = a;
    const failure_row *second = b;
    return (first->item > second->item) - (first->item < second->item);
}

static void find_failures(weft_result *r)
{
    r->failure_count = 0;
    for (int64_t row = 0; row < r->layout->failure_rows; row++) {
        if (r->tables.failure[row].code != 0) {
            r->tables.failure[r->failure_count++] = r->tables.failure[row];
        }
    }
    qsort(r->tables.failure, (size_t)r->failure_count, sizeof *r->tables.failure, compare_failures);
}

/* The rows that are the chosen map's. */
static void find_runs(weft_result *r)
{
    r->rows = 0;
    for (int i = 0; i < r->tables.runs; i++) {
        if (r->tables.run[i].map == r->layout->map) {
            r->row[r->rows++] = i;
        }
    }
}

/* Tiles that are leased, and not done. */
static weft_status count_leases(weft_result *r, int64_t *leased)
{
    const int64_t tiles = r->job->tiles.tiles;
    unsigned char lease[LEASES_AT_ONCE];
    weft_status status = WEFT_OK;
    for (int64_t first = 0; first < tiles && status == WEFT_OK; first += LEASES_AT_ONCE) {
        const int64_t now = tiles - first < LEASES_AT_ONCE ? tiles - first : LEASES_AT_ONCE;
        status = bytes_read(r->fd, r->path, lease, (size_t)now, r->layout->leases_offset + first,
                            &r->error);
        for (int64_t i = 0; i < now && status == WEFT_OK; i++) {
            *leased += lease[i] != 0 && result_tile(r, first + i) == NULL;
        }
    }
    return status;
}

weft_status weft_result_get_progress(weft_result *result, weft_result_progress *progress)
{
    error_clear(&result->error);
    memset(progress, 0, sizeof *progress);
    /* Before the tables: a run that ends meanwhile looks alive, not killed. */
    progress->in_use = lock_holder(result->path, progress->user, sizeof progress->user);
    const weft_status status = result_read_tables(result);
    if (status != WEFT_OK) {
        return status;
    }
    tables *t = &result->tables;
    if (!progress->in_use && tables_any_may_run(t)) {
        /* Killed, or begun meanwhile. */
        progress->in_use = lock_holder(result->path, progress->user, sizeof progress->user);
    }
    (void)tables_settle_runs(t, result->layout->map, &result->job->tiles, progress->in_use);
    find_runs(result);
    const int last = tables_last_run(t, result->layout->map);
    progress->running =
        progress->in_use && last >= 0 && run_row_outcome(&t->run[last]) == WEFT_OUTCOME_RUNNING;
    count_tiles(result, progress);
    find_failures(result);
    progress->failures = result->failure_count;
    progress->runs = result->rows;
    if (progress->running) {
        return count_leases(result, &progress->tiles_leased);
    }
    bool waiting = false;
    const weft_status known = progress->in_use
                                  ? needed_wait(result->fd, result->path, &result->meta, t,
                                                result->job, &waiting, &result->error)
                                  : WEFT_OK;
    progress->tiles_blocked = waiting ? result->job->tiles.tiles - progress->tiles_done : 0;
    return known;
}

weft_status weft_result_get_done(weft_result *result, int64_t first, bool *done, int64_t *count)
{
    const tiling *tiles = &result->job->tiles;
    error_clear(&result->error);
    if (first < 0 || first >= result->info.count) {
        return error_set(&result->error, WEFT_ERR_USAGE,
                         "%s has %" PRId64 " items, and no %" PRId64, result->path,
                         result->info.count, first);
    }
    int64_t tile = first / tiles->grain;
    const bool wanted = result_tile(result, tile) != NULL;
    while (tile + 1 < tiles->tiles && (result_tile(result, tile + 1) != NULL) == wanted) {
        tile++;
    }
    *done = wanted;
    *count = tiling_first(tiles, tile + 1) - first;
    return WEFT_OK;
}

const job *result_job(const weft_result *result)
{
    return result->job;
}

const char *result_path(const weft_result *result)
{
    return result->path;
}

error *result_error(weft_result *result)
{
    return &result->error;
}

const tile_record *result_record(const weft_result *result, int64_t tile)
{
    return &result->tables.tile[tile];
}

const tile_record *result_tile(const weft_result *result, int64_t tile)
{
    const tile_record *record = &result->tables.tile[tile];
    return tile_record_sound(record, tile) && tile_record_done(record) ? record : NULL;
}

const run_row *result_run(const weft_result *result, int run)
{
    return &result->tables.run[result->row[run]];
}

static int compare_rows(const void *one, const void *other)
{
    const int a = *(const int *)one;
    const int b = *(const int *)other;
    return (a > b) - (a < b);
}

int result_run_of(const weft_result *result, const tile_record *record)
{
    const int number = record->run;
    const int *row = bsearch(&number, result->row, (size_t)result->rows, sizeof *row, compare_rows);
    return row == NULL ? -1 : (int)(row - result->row);
}

/* Copies text that a damaged file may have left without its final zero. */
static void copy_text(char *to, size_t to_bytes, const char *from, size_t from_bytes)
{
    const size_t length = strnlen(from, from_bytes < to_bytes ? from_bytes : to_bytes - 1);
    memcpy(to, from, length);
    to[length < to_bytes ? length : to_bytes - 1] = '\0';
}

weft_status weft_result_get_run(weft_result *result, int row, weft_result_run *run)
{
    error_clear(&result->error);
    if (row < 0 || row >= result->rows) {
        return error_set(&result->error, WEFT_ERR_USAGE, "%s has no run %d", result->path, row);
    }
    const run_row *from = result_run(result, row);
#define NUMBER(ctype, hdf5_type, name, member) run->member = from->name;
#define TEXT(name, bytes)
    RUN_COLUMNS(NUMBER, TEXT)
#undef NUMBER
#undef TEXT
    run->outcome = run_row_outcome(from);
    copy_text(run->host_names, sizeof run->host_names, from->host_names, sizeof from->host_names);
    copy_text(run->command, sizeof run->command, from->command, sizeof from->command);
    return WEFT_OK;
}

weft_status weft_result_get_failure(weft_result *result, int64_t row, weft_result_failure *failure)
{
    error_clear(&result->error);
    if (row < 0 || row >= result->failure_count) {
        return error_set(&result->error, WEFT_ERR_USAGE, "%s has no failure %" PRId64, result->path,
                         row);
    }
    const failure_row *from = &result->tables.failure[row];
    failure->item = from->item;
    failure->code = from->code;
    copy_text(failure->text, sizeof failure->text, from->text, sizeof from->text);
    return WEFT_OK;
}
