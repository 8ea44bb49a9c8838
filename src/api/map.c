/* SPDX-License-Identifier: BSD-3-Clause */
/* The public functions on maps. */
#include <weft/map.h>

#include "api/map.h"
#include "api/start.h"
#include "engine/run/run.h"
#include "reduce/reduction.h"
#include "store/guard/place.h"

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

/* Behind the session's other maps. NULL: out of memory. */
static weft_map *add_map(weft_session *session, job *j)
{
    weft_map *m = calloc(1, sizeof *m);
    char *path = choose_path(session, j->name);
    char *file = whole_path(session, path);
    if (m == NULL || path == NULL || file == NULL) {
        free(file);
        free(path);
        free(m);
        return NULL;
    }
    *m = (weft_map){.session = session, .job = j, .path = path, .file = file, .pure = true};
    weft_map **end = &session->maps;
    while (*end != NULL) {
        end = &(*end)->next;
    }
    *end = m;
    return m;
}

/* Where this is refused there is a map all the same, which keeps the error. */
weft_status weft_map_create(weft_session *session, const char *name, int ndims,
                            const int64_t shape[], weft_map **map)
{
    *map = NULL;
    if (session == NULL) {
        return WEFT_ERR_MEMORY;
    }
    if (session->failed.status != WEFT_OK) {
        session->error = session->failed;
        return session->failed.status;
    }
    error *e = &session->error;
    error_clear(e);
    job *j = NULL;
    weft_status status = job_create(name, ndims, shape, &j, e);
    if (status == WEFT_OK) {
        status = job_set_program(j, session->name,
                                 session->program == NULL ? NULL : session->program->version, e);
    } else {
        error ignored;
        (void)job_create("refused", 1, (int64_t[]){0}, &j, &ignored);
    }
    weft_map *m = j == NULL ? NULL : add_map(session, j);
    if (m == NULL) {
        job_destroy(j);
        (void)error_memory(&session->failed, "map '%s'", name);
        *e = session->failed;
        return e->status;
    }
    *map = m;
    return map_keep(m, status);
}

weft_status map_keep(weft_map *map, weft_status status)
{
    if (map != NULL && status != WEFT_OK && map->fault.status == WEFT_OK) {
        map->fault = map->session->error;
    }
    return status;
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
    if (map == NULL) {
        return WEFT_ERR_USAGE;
    }
    error_clear(&map->session->error);
    return !map->fixed ? WEFT_OK
                       : error_set(&map->session->error, WEFT_ERR_USAGE,
                                   "map '%s' is in %s already, and nothing can be added to it: "
                                   "describe it before it, or another map of that file, is "
                                   "started",
                                   map->job->name, map->path);
}

static weft_status set_out(weft_map *map, const char *path)
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

weft_status weft_map_set_out(weft_map *map, const char *path)
{
    return map_keep(map, set_out(map, path));
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

static weft_status set_dimension(weft_map *map, int dimension, const char *name, const char *units,
                                 const double values[])
{
    job_dimension d;
    weft_status status = check_open(map);
    if (status != WEFT_OK) {
        return status;
    }
    error *e = &map->session->error;
    job *j = map->job;
    if (dimension < 0 || dimension >= j->items.ndims) {
        return error_set(e, WEFT_ERR_USAGE,
                         "dimension '%s': map '%s' has no dimension %d; it has %d, from 0 on",
                         name == NULL ? "" : name, j->name, dimension, j->items.ndims);
    }
    status = dimension_init(&d, name, units, j->items.shape[dimension], values, e);
    if (status == WEFT_OK) {
        status = job_set_dimension(j, dimension, &d, e);
    }
    if (status == WEFT_OK && values != NULL && comm_rank(map->session->comm) == 0) {
        status = keep_coordinates(map, dimension, values);
    }
    return status;
}

weft_status weft_map_set_dimension(weft_map *map, int dimension, const char *name,
                                   const char *units, const double values[])
{
    return map_keep(map, set_dimension(map, dimension, name, units, values));
}

weft_status weft_map_add_field(weft_map *map, const char *name, weft_type type, int ndims,
                               const int64_t shape[], const char *units, const char *long_name)
{
    const weft_status status = check_open(map);
    return map_keep(map, status != WEFT_OK ? status
                                           : job_add_field(map->job, name, type, ndims, shape,
                                                           units, long_name, &map->session->error));
}

weft_status weft_map_set_fill(weft_map *map, const char *field, const void *fill)
{
    const weft_status status = check_open(map);
    return map_keep(map, status != WEFT_OK
                             ? status
                             : job_set_fill(map->job, field, fill, &map->session->error));
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
    weft_status status = check_open(map);
    if (status != WEFT_OK) {
        return status;
    }
    error *e = &map->session->error;
    if (name == NULL || strlen(name) >= sizeof r->name) {
        return error_set(e, WEFT_ERR_USAGE, "reduction '%s': a name has 1 to %d characters",
                         name == NULL ? "" : name, WEFT_NAME_BYTES - 1);
    }
    status = reduction_check(how, name, e);
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
    return map_keep(map, status == WEFT_OK ? add_reduction(map, &r, &reduction) : status);
}

static weft_status reduce_field(weft_map *map, const char *field, const weft_reduction *how,
                                const char *name)
{
    job_reduction r;
    weft_status status = begin_reduction(map, name, how, &r);
    if (status != WEFT_OK) {
        return status;
    }
    error *e = &map->session->error;
    const job *j = map->job;
    r.field = field == NULL ? -1 : job_find_field(j, field);
    if (r.field < 0) {
        return error_set(e, WEFT_ERR_USAGE, "reduction '%s': map '%s' has no field '%s'", name,
                         j->name, field == NULL ? "" : field);
    }
    const job_field *of = &j->field[r.field];
    status = reduction_check_field(how, name, of->type, of->shape.count, e);
    if (status != WEFT_OK) {
        return status;
    }
    const size_t used = strlen(r.how);
    (void)snprintf(r.how + used, sizeof r.how - used, "; of field '%s'", of->name);
    return add_reduction(map, &r, how);
}

weft_status weft_map_reduce_field(weft_map *map, const char *field, weft_reduction reduction,
                                  const char *name)
{
    return map_keep(map, reduce_field(map, field, &reduction, name));
}

/* Sets the parameter's name; a longer one is refused. */
static weft_status add_parameter(weft_map *map, const char *name, job_parameter *parameter)
{
    const weft_status status = check_open(map);
    if (status != WEFT_OK) {
        return status;
    }
    error *e = &map->session->error;
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
    return map_keep(map, add_parameter(map, name, &parameter));
}

weft_status weft_map_add_double(weft_map *map, const char *name, double value)
{
    job_parameter parameter = {.type = JOB_DOUBLE, .number = value};
    return map_keep(map, add_parameter(map, name, &parameter));
}

static weft_status add_text(weft_map *map, const char *name, const char *value)
{
    job_parameter parameter = {.type = JOB_STRING};
    if (map != NULL && (value == NULL || strlen(value) >= sizeof parameter.text)) {
        return error_set(&map->session->error, WEFT_ERR_USAGE,
                         "parameter '%s': a text has at most %zu bytes", name == NULL ? "" : name,
                         sizeof parameter.text - 1);
    }
    (void)snprintf(parameter.text, sizeof parameter.text, "%s", value == NULL ? "" : value);
    return add_parameter(map, name, &parameter);
}

weft_status weft_map_add_string(weft_map *map, const char *name, const char *value)
{
    return map_keep(map, add_text(map, name, value));
}

static weft_status set_grain(weft_map *map, int64_t grain)
{
    const weft_status status = start_check_idle(map);
    if (status == WEFT_OK && grain < 0) {
        return error_set(&map->session->error, WEFT_ERR_USAGE,
                         "a grain of %" PRId64 " items; it takes 1 or more, or 0 for automatic",
                         grain);
    }
    if (status == WEFT_OK) {
        map->grain = grain;
    }
    return status;
}

weft_status weft_map_set_grain(weft_map *map, int64_t grain)
{
    return map_keep(map, set_grain(map, grain));
}

static weft_status set_span_limit(weft_map *map, int64_t items)
{
    const weft_status status = start_check_idle(map);
    if (status == WEFT_OK && items < 0) {
        return error_set(&map->session->error, WEFT_ERR_USAGE,
                         "a span of %" PRId64 " items; it takes 1 or more, or 0 for no limit",
                         items);
    }
    if (status == WEFT_OK) {
        map->span_limit = items;
    }
    return status;
}

weft_status weft_map_set_span_limit(weft_map *map, int64_t items)
{
    return map_keep(map, set_span_limit(map, items));
}

void weft_map_set_pure(weft_map *map, bool pure)
{
    if (map != NULL) {
        map->pure = pure;
    }
}

static weft_status set_isolation(weft_map *map, weft_isolation isolation)
{
    const weft_status status = start_check_idle(map);
    if (status == WEFT_OK && isolation != WEFT_WHEN_SUSPECT && isolation != WEFT_ALWAYS &&
        isolation != WEFT_NEVER) {
        return error_set(&map->session->error, WEFT_ERR_USAGE,
                         "map '%s': isolation %d; it takes WEFT_WHEN_SUSPECT, WEFT_ALWAYS or "
                         "WEFT_NEVER",
                         map->job->name, (int)isolation);
    }
    if (status == WEFT_OK) {
        map->isolation = isolation;
    }
    return status;
}

weft_status weft_map_set_isolation(weft_map *map, weft_isolation isolation)
{
    return map_keep(map, set_isolation(map, isolation));
}

const char *weft_map_path(const weft_map *map)
{
    return map == NULL ? "" : map->path;
}
