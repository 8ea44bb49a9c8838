/* SPDX-License-Identifier: BSD-3-Clause */
/* The public functions on maps. */
#include <weft/map.h>

#include "api/map.h"
#include "api/start.h"
#include "engine/run/fold.h"
#include "engine/run/run.h"
#include "reduce/reduction.h"
#include "store/guard/place.h"
#include "store/reader.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A path, or of a folder the file of the map's name in it. NULL: out of memory. */
static char *complete_path(const char *given, const char *name)
{
    const size_t length = strlen(given);
    const bool whole = length > 0 && given[length - 1] != '/';
    const size_t bytes = length + WEFT_NAME_BYTES + sizeof ".h5";
    char *path = malloc(bytes);
    if (path != NULL) {
        (void)snprintf(path, bytes, "%s%s%s", given, whole ? "" : name, whole ? "" : ".h5");
    }
    return path;
}

/* The name under which the maps of a session share a file, for which the disk is asked. NULL: out
 * of memory. */
static char *whole_path(const weft_session *session, const char *path)
{
    char whole[PLACE_PATH_BYTES];
    const bool alone = service_idle(session->service); /* a map under way has a watch of its own */
    if (alone) {
        run_watch(session->options.run.deadline_ns);
    }
    const bool found = path != NULL && place_whole(path, whole);
    if (alone) {
        run_end_watch();
    }
    return strdup(found ? whole : path == NULL ? "" : path);
}

/* --out, or what the program says, or the map's name. */
static char *choose_path(const weft_session *session, const char *name)
{
    const weft_program *program = session->program;
    const char *given = session->options.out;
    if (given == NULL) {
        given = program == NULL || program->default_out == NULL ? "" : program->default_out;
    }
    return complete_path(given, name);
}

weft_status weft_map_create(weft_session *session, const char *name, int ndims,
                            const int64_t shape[], weft_map **map)
{
    error_clear(&session->error);
    job *j = NULL;
    weft_status status = job_create(name, ndims, shape, &j, &session->error);
    if (status == WEFT_OK) {
        status = job_set_program(j, session->name,
                                 session->program == NULL ? NULL : session->program->version,
                                 &session->error);
    }
    if (status != WEFT_OK) {
        job_destroy(j);
        return status;
    }
    weft_map *m = calloc(1, sizeof *m);
    char *path = choose_path(session, name);
    char *file = whole_path(session, path);
    if (m == NULL || path == NULL || file == NULL) {
        free(file);
        free(path);
        free(m);
        job_destroy(j);
        return error_memory(&session->error, "map '%s'", name);
    }
    *m = (weft_map){.session = session, .job = j, .path = path, .file = file, .pure = true};
    weft_map **end = &session->maps;
    while (*end != NULL) {
        end = &(*end)->next;
    }
    *end = m;
    *map = m;
    return WEFT_OK;
}

void weft_map_destroy(weft_map *map)
{
    if (map != NULL) {
        start_abandon(map);
        weft_map **link = &map->session->maps;
        while (*link != map) {
            link = &(*link)->next;
        }
        *link = map->next;
        for (int i = 0; i < map->job->reductions; i++) {
            reduction_clear(&map->work[i]);
        }
        for (int i = 0; i < WEFT_MAX_DIMS; i++) {
            free(map->coordinates[i]);
        }

        reader_close(map->reader);
        free(map->values);
        start_clear(map);
        job_destroy(map->job);
        free(map->file);
        free(map->path);
        free(map);
    }
}

/* Once its file is made a map is what it is. */
static weft_status check_open(const weft_map *map)
{
    error_clear(&map->session->error);
    return !map->fixed ? WEFT_OK
                       : error_set(&map->session->error, WEFT_ERR_USAGE,
                                   "map '%s' is in %s already, and nothing can be added to it: "
                                   "describe it before it, or another map of that file, is "
                                   "started",
                                   map->job->name, map->path);
}

weft_status weft_map_set_out(weft_map *map, const char *path)
{
    const weft_status status = check_open(map);
    if (status != WEFT_OK) {
        return status;
    }
    if (path == NULL || path[0] == '\0') {
        return error_set(&map->session->error, WEFT_ERR_USAGE, "map '%s': the path is empty",
                         map->job->name);
    }
    char *copy = complete_path(path, map->job->name);
    char *file = whole_path(map->session, copy);
    if (copy == NULL || file == NULL) {
        free(file);
        free(copy);
        return error_memory(&map->session->error, "map '%s'", map->job->name);
    }
    free(map->file);
    free(map->path);
    map->path = copy;
    map->file = file;
    return WEFT_OK;
}

/* Rank 0 keeps the coordinates until the file is made. */
static weft_status keep_coordinates(weft_map *map, int dimension, const double values[])
{
    const size_t count = (size_t)map->job->items.shape[dimension];
    double *copy = malloc((count + 1) * sizeof *copy);
    if (copy == NULL) {
        return error_memory(&map->session->error, "the coordinates of map '%s'", map->job->name);
    }
    memcpy(copy, values, count * sizeof *copy);
    map->coordinates[dimension] = copy;
    map->job->dimension[dimension].values = copy;
    return WEFT_OK;
}

weft_status weft_map_set_dimension(weft_map *map, int dimension, const char *name,
                                   const char *units, const double values[])
{
    error *e = &map->session->error;
    job *j = map->job;
    job_dimension d;
    weft_status status = check_open(map);
    if (status == WEFT_OK && (dimension < 0 || dimension >= j->items.ndims)) {
        status = error_set(e, WEFT_ERR_USAGE,
                           "dimension '%s': map '%s' has no dimension %d; it has %d, from 0 on",
                           name == NULL ? "" : name, j->name, dimension, j->items.ndims);
    }
    if (status == WEFT_OK) {
        status = dimension_init(&d, name, units, j->items.shape[dimension], values, e);
    }
    if (status == WEFT_OK) {
        status = job_set_dimension(j, dimension, &d, e);
    }
    if (status == WEFT_OK && values != NULL && comm_rank(map->session->comm) == 0) {
        status = keep_coordinates(map, dimension, values);
    }
    return status;
}

weft_status weft_map_add_field(weft_map *map, const char *name, weft_type type, int ndims,
                               const int64_t shape[], const char *units, const char *long_name)
{
    const weft_status status = check_open(map);
    return status != WEFT_OK ? status
                             : job_add_field(map->job, name, type, ndims, shape, units, long_name,
                                             &map->session->error);
}

weft_status weft_map_set_fill(weft_map *map, const char *field, const void *fill)
{
    const weft_status status = check_open(map);
    return status != WEFT_OK ? status : job_set_fill(map->job, field, fill, &map->session->error);
}

/* Adds a reduction whose description is good. */
static weft_status add_reduction(weft_map *map, job_reduction *r, const weft_reduction *how)
{
    weft_reduction *work = &map->work[map->job->reductions % WEFT_MAX_FIELDS];
    const reduction_value value = reduction_value_of(how);
    r->bytes = reduction_bytes(how);
    r->type = value.type;
    r->shape = value.shape;
    r->work = work;
    weft_reduction copy;
    weft_status status = reduction_copy(how, &copy, &map->session->error);
    if (status != WEFT_OK) {
        return status;
    }
    status = job_add_reduction(map->job, r, &map->session->error);
    if (status != WEFT_OK) {
        reduction_clear(&copy);
        return status;
    }
    *work = copy;
    return WEFT_OK;
}

/* What every reduction has. */
static weft_status begin_reduction(weft_map *map, const char *name, const weft_reduction *how,
                                   job_reduction *r)
{
    error *e = &map->session->error;
    weft_status status = check_open(map);
    if (status == WEFT_OK && (name == NULL || strlen(name) >= sizeof r->name)) {
        status = error_set(e, WEFT_ERR_USAGE, "reduction '%s': a name has 1 to %d characters",
                           name == NULL ? "" : name, WEFT_NAME_BYTES - 1);
    }
    if (status == WEFT_OK) {
        status = reduction_check(how, name, e);
    }
    if (status != WEFT_OK) {
        return status;
    }
    *r = (job_reduction){.field = -1};
    (void)snprintf(r->name, sizeof r->name, "%s", name);
    reduction_describe(how, r->how, sizeof r->how);
    return WEFT_OK;
}

weft_status weft_map_add_reduction(weft_map *map, const char *name, weft_reduction reduction)
{
    job_reduction r;
    const weft_status status = begin_reduction(map, name, &reduction, &r);
    return status == WEFT_OK ? add_reduction(map, &r, &reduction) : status;
}

weft_status weft_map_reduce_field(weft_map *map, const char *field, weft_reduction reduction,
                                  const char *name)
{
    error *e = &map->session->error;
    const job *j = map->job;
    job_reduction r;
    weft_status status = begin_reduction(map, name, &reduction, &r);
    if (status != WEFT_OK) {
        return status;
    }
    r.field = field == NULL ? -1 : job_find_field(j, field);
    if (r.field < 0) {
        return error_set(e, WEFT_ERR_USAGE, "reduction '%s': map '%s' has no field '%s'", name,
                         j->name, field == NULL ? "" : field);
    }
    const job_field *of = &j->field[r.field];
    status = reduction_check_field(&reduction, name, of->type, of->shape.count, e);
    if (status != WEFT_OK) {
        return status;
    }
    const size_t used = strlen(r.how);
    (void)snprintf(r.how + used, sizeof r.how - used, "; of field '%s'", of->name);
    return add_reduction(map, &r, &reduction);
}

weft_status weft_map_get(weft_map *map, const char *name, void *value)
{
    error *e = &map->session->error;
    const job *j = map->job;
    error_clear(e);
    const int number = name == NULL ? -1 : job_find_reduction(j, name);
    if (number < 0) {
        const bool field = name != NULL && job_find_field(j, name) >= 0;
        return error_set(e, WEFT_ERR_NOT_FOUND, "map '%s' has no reduction '%s'%s", j->name,
                         name == NULL ? "" : name, field ? ", but a field of that name" : "");
    }
    if (!map->complete) {
        return error_set(e, WEFT_ERR_USAGE,
                         "reduction '%s' of map '%s' has no value before weft_map_run() has "
                         "computed all of the map",
                         name, j->name);
    }
    if (!map->valued) {
        return error_set(e, WEFT_ERR_MPI,
                         "reduction '%s' of map '%s': ranks were lost at the end of the map, so "
                         "that this rank was not told; the same command, run again, goes on with "
                         "the value",
                         name, j->name);
    }
    memcpy(value, map->values + fold_place(j, number), (size_t)job_value_bytes(j, number));
    return WEFT_OK;
}

/* Whether a field can be read at these items; its number. */
static weft_status check_reading(const weft_map *map, const char *field, int64_t first,
                                 int64_t count, int *number)
{
    error *e = &map->session->error;
    const job *j = map->job;
    const char *name = field == NULL ? "" : field;
    *number = job_find_field(j, name);
    if (*number < 0) {
        return error_set(e, WEFT_ERR_NOT_FOUND, "map '%s' has no field '%s'%s", j->name, name,
                         job_find_reduction(j, name) >= 0
                             ? ", but a reduction of that name, which weft_map_get() is for"
                             : "");
    }
    if (first < 0 || count < 0 || first > j->items.count || count > j->items.count - first) {
        return error_set(e, WEFT_ERR_USAGE,
                         "field '%s' of map '%s': %" PRId64 " items from %" PRId64
                         " on were asked for; the map has %" PRId64,
                         name, j->name, count, first, j->items.count);
    }
    if (!map->complete) {
        return error_set(e, WEFT_ERR_USAGE,
                         "field '%s' of map '%s' cannot be read before weft_map_run() has computed "
                         "all of the map",
                         name, j->name);
    }
    if (!map->readable) {
        return error_set(e, WEFT_ERR_MPI,
                         "field '%s' of map '%s': ranks were lost, and without --sync what they "
                         "have written may not have arrived in %s; run the same command again",
                         name, j->name, map->path);
    }
    return WEFT_OK;
}

weft_status weft_map_read(weft_map *map, const char *field, int64_t first, int64_t count,
                          void *values)
{
    error *e = &map->session->error;
    int number = -1;
    error_clear(e);
    weft_status status = check_reading(map, field, first, count, &number);
    if (status == WEFT_OK && map->reader == NULL) {
        status = reader_open(map->file, map->job, &map->layout, &map->reader, e);
    }
    return status != WEFT_OK || count == 0
               ? status
               : reader_read(map->reader, number, first, count, values, e);
}

/* Sets the parameter's name; a longer one is refused. */
static weft_status add_parameter(weft_map *map, const char *name, job_parameter *parameter)
{
    error *e = &map->session->error;
    const weft_status status = check_open(map);
    if (status != WEFT_OK) {
        return status;
    }
    if (name == NULL || strlen(name) >= sizeof parameter->name) {
        return error_set(e, WEFT_ERR_USAGE, "parameter '%s': a name has 1 to %d characters",
                         name == NULL ? "" : name, WEFT_NAME_BYTES - 1);
    }
    (void)snprintf(parameter->name, sizeof parameter->name, "%s", name);
    return job_add_parameter(map->job, parameter, e);
}

weft_status weft_map_add_int64(weft_map *map, const char *name, int64_t value)
{
    job_parameter parameter = {.type = JOB_INT64, .int64 = value};
    return add_parameter(map, name, &parameter);
}

weft_status weft_map_add_double(weft_map *map, const char *name, double value)
{
    job_parameter parameter = {.type = JOB_DOUBLE, .number = value};
    return add_parameter(map, name, &parameter);
}

weft_status weft_map_add_string(weft_map *map, const char *name, const char *value)
{
    job_parameter parameter = {.type = JOB_STRING};
    if (value == NULL || strlen(value) >= sizeof parameter.text) {
        return error_set(&map->session->error, WEFT_ERR_USAGE,
                         "parameter '%s': a text has at most %zu bytes", name == NULL ? "" : name,
                         sizeof parameter.text - 1);
    }
    (void)snprintf(parameter.text, sizeof parameter.text, "%s", value);
    return add_parameter(map, name, &parameter);
}

weft_status weft_map_set_grain(weft_map *map, int64_t grain)
{
    const weft_status status = start_check_idle(map);
    if (status != WEFT_OK) {
        return status;
    }
    if (grain < 0) {
        return error_set(&map->session->error, WEFT_ERR_USAGE,
                         "a grain of %" PRId64 " items; it takes 1 or more, or 0 for automatic",
                         grain);
    }
    map->grain = grain;
    return WEFT_OK;
}

weft_status weft_map_set_span_limit(weft_map *map, int64_t items)
{
    const weft_status status = start_check_idle(map);
    if (status != WEFT_OK) {
        return status;
    }
    if (items < 0) {
        return error_set(&map->session->error, WEFT_ERR_USAGE,
                         "a span of %" PRId64 " items; it takes 1 or more, or 0 for no limit",
                         items);
    }
    map->span_limit = items;
    return WEFT_OK;
}

void weft_map_set_pure(weft_map *map, bool pure)
{
    map->pure = pure;
}

weft_status weft_map_set_isolation(weft_map *map, weft_isolation isolation)
{
    const weft_status status = start_check_idle(map);
    if (status != WEFT_OK) {
        return status;
    }
    if (isolation != WEFT_WHEN_SUSPECT && isolation != WEFT_ALWAYS && isolation != WEFT_NEVER) {
        return error_set(&map->session->error, WEFT_ERR_USAGE,
                         "map '%s': isolation %d; it takes WEFT_WHEN_SUSPECT, WEFT_ALWAYS or "
                         "WEFT_NEVER",
                         map->job->name, (int)isolation);
    }
    map->isolation = isolation;
    return WEFT_OK;
}

const char *weft_map_path(const weft_map *map)
{
    return map->path;
}
