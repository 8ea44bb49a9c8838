/* SPDX-License-Identifier: BSD-3-Clause */
/* The public functions on maps. */
#include <weft/map.h>

#include "api/session.h"
#include "base/build.h"
#include "base/log.h"
#include "engine/run/run.h"
#include "host/signals.h"
#include "space/job.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct weft_map {
    weft_session *session;
    job *job;
    char *path;
    int64_t grain;      /* proposed; 0: automatic */
    int64_t span_limit; /* items; 0: none */
    bool pure;
    weft_isolation isolation;
};

/* --out, or what the program says, or the map's name; of a folder, that name in it. */
static char *choose_path(const weft_session *session, const char *name)
{
    const weft_program *program = session->program;
    const char *given = session->options.out;
    if (given == NULL) {
        given = program == NULL || program->default_out == NULL ? "" : program->default_out;
    }
    const size_t length = strlen(given);
    const bool whole = length > 0 && given[length - 1] != '/';
    const size_t bytes = length + WEFT_NAME_BYTES + sizeof ".h5";
    char *path = malloc(bytes);
    if (path != NULL) {
        (void)snprintf(path, bytes, "%s%s%s", given, whole ? "" : name, whole ? "" : ".h5");
    }
    return path;
}

/* A file holds one map's results. */
static weft_status reserve_path(weft_session *session, const char *name, const char *path)
{
    for (const session_result *r = session->results; r != NULL; r = r->next) {
        if (strcmp(r->path, path) == 0 && strcmp(r->map, name) != 0) {
            return error_set(
                &session->error, WEFT_ERR_USAGE,
                "map '%s': %s holds the results of map '%s', and a file holds those of "
                "one map: leave --out (WEFT_OUT) away, and every map has a file of its "
                "own name, or end it with '/', and they are in that folder",
                name, path, r->map);
        }
    }
    session_result *r = malloc(sizeof *r + strlen(path) + 1);
    if (r == NULL) {
        return error_memory(&session->error, "map '%s'", name);
    }
    (void)snprintf(r->map, sizeof r->map, "%s", name);
    memcpy(r->path, path, strlen(path) + 1);
    r->next = session->results;
    session->results = r;
    return WEFT_OK;
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
    if (m != NULL && path != NULL) {
        status = reserve_path(session, name, path);
    } else {
        status = error_memory(&session->error, "map '%s'", name);
    }
    if (status != WEFT_OK || m == NULL) {
        free(path);
        free(m);
        job_destroy(j);
        return status;
    }
    *m = (weft_map){.session = session, .job = j, .path = path, .pure = true};
    *map = m;
    return WEFT_OK;
}

void weft_map_destroy(weft_map *map)
{
    if (map != NULL) {
        job_destroy(map->job);
        free(map->path);
        free(map);
    }
}

weft_status weft_map_add_field(weft_map *map, const char *name, weft_type type, int ndims,
                               const int64_t shape[], const char *units, const char *long_name)
{
    error_clear(&map->session->error);
    return job_add_field(map->job, name, type, ndims, shape, units, long_name,
                         &map->session->error);
}

weft_status weft_map_set_fill(weft_map *map, const char *field, const void *fill)
{
    error_clear(&map->session->error);
    return job_set_fill(map->job, field, fill, &map->session->error);
}

/* Sets the parameter's name; a longer one is refused. */
static weft_status add_parameter(weft_map *map, const char *name, job_parameter *parameter)
{
    error *e = &map->session->error;
    error_clear(e);
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
    if (isolation != WEFT_WHEN_SUSPECT && isolation != WEFT_ALWAYS && isolation != WEFT_NEVER) {
        return error_set(&map->session->error, WEFT_ERR_USAGE,
                         "map '%s': isolation %d; it takes WEFT_WHEN_SUSPECT, WEFT_ALWAYS or "
                         "WEFT_NEVER",
                         map->job->name, (int)isolation);
    }
    map->isolation = isolation;
    return WEFT_OK;
}

/* What has happened is in the way of this map. */
static weft_status refuse(const weft_map *map, const char *what)
{
    return error_set(&map->session->error, WEFT_STOPPED,
                     "%s before map '%s' had begun; run the same command again to continue with it",
                     what, map->job->name);
}

/* All ranks are to run the same map. */
static weft_status agree_on_map(const weft_map *map, weft_status own)
{
    char call[WEFT_NAME_BYTES + 32];
    account a = {.text = NULL};
    (void)snprintf(call, sizeof call, "weft_map_run() of map '%s'", map->job->name);
    account_add(&a, "the result's path", "'%s'", map->path);
    account_add(&a, "the map's grain", "%" PRId64, map->grain);
    account_add(&a, "the map's span limit", "%" PRId64, map->span_limit);
    account_add(&a, "the kernel", "%s", map->pure ? "pure" : "not pure");
    account_add(&a, "the map's isolation", "%d", (int)map->isolation);
    job_describe(map->job, &a);
    const weft_status status =
        comm_agree_on(map->session->comm, call, &a, own, &map->session->error);
    account_clear(&a);
    return status;
}

/* Whether the ranks can begin, and all of them are to: a signal may have been sent to one alone. */
static weft_status agree_to_run(const weft_map *map, weft_kernel_fn kernel)
{
    weft_session *s = map->session;
    weft_status status = WEFT_OK;
    error_clear(&s->error);
    if (comm_broken(s->comm)) {
        status = refuse(map, "a rank died");
    } else {
        if (kernel == NULL) {
            status = error_set(&s->error, WEFT_ERR_USAGE, "map '%s' has no kernel", map->job->name);
        } else if (signals_seen() != 0) {
            status = refuse(map, signals_name(signals_seen()));
        }
        session_allow_absence(s);
        status = agree_on_map(map, status);
    }
    if (status == WEFT_STOPPED && comm_rank(s->comm) == 0) {
        log_print(LOG_WARNING, "%s", s->error.text);
    }
    return status;
}

/* What the options say of children, and the map does not allow. */
static void warn_of_isolation(const weft_map *map)
{
    const run_options *said = &map->session->options.run;
    if (map->isolation == WEFT_NEVER && comm_rank(map->session->comm) == 0 &&
        (said->isolate || said->item_timeout_s > 0)) {
        log_print(LOG_WARNING,
                  "map '%s' is never computed in children: %s has no effect, and an item that "
                  "crashes or hangs holds up the rank",
                  map->job->name, said->isolate ? "--isolate" : "--item-timeout");
    }
}

weft_status weft_map_run(weft_map *map, weft_kernel_fn kernel, void *context)
{
    weft_session *s = map->session;
    build_of((uintptr_t)kernel, map->job->build);
    const weft_status status = agree_to_run(map, kernel);
    if (status != WEFT_OK) {
        return status;
    }
    session_expect_all(s);
    warn_of_isolation(map);
    run_options how = s->options.run;
    how.later = s->runs++ > 0;
    how.path = map->path;
    how.map_grain = map->grain;
    how.span_limit = map->span_limit;
    how.pure = map->pure;
    how.isolate = how.isolate || how.item_timeout_s > 0 || map->isolation == WEFT_ALWAYS;
    how.never_apart = map->isolation == WEFT_NEVER;
    return run_map(s->comm, &s->placement, map->job, &how, kernel, context, &s->error);
}

const char *weft_map_path(const weft_map *map)
{
    return map->path;
}
