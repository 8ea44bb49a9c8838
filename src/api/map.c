/* SPDX-License-Identifier: BSD-3-Clause */
/* The public functions on maps. */
#include <weft/map.h>

#include "api/session.h"
#include "base/build.h"
#include "base/log.h"
#include "engine/run/fold.h"
#include "engine/run/run.h"
#include "host/signals.h"
#include "reduce/reduction.h"
#include "space/job.h"
#include "store/guard/place.h"
#include "store/reader.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct weft_map {
    weft_session *session;
    weft_map *next; /* that was described later */
    job *job;
    char *path;
    char *file;         /* that it leads to, by its whole name */
    bool fixed;         /* its file is made: nothing can be added */
    int64_t grain;      /* proposed; 0: automatic */
    int64_t span_limit; /* items; 0: none */
    bool pure;
    weft_isolation isolation;
    weft_reduction work[WEFT_MAX_FIELDS]; /* of the job's reductions, with what they borrow */
    double *coordinates[WEFT_MAX_DIMS];   /* that rank 0 will write; NULL: none */
    unsigned char *values;                /* of the reductions; NULL: it has not run */
    bool valued;                          /* they are there */
    bool complete;
    metadata_layout layout; /* of what is complete, … */
    bool readable;          /* … if this rank can read all of it */
    reader *reader;         /* by which it does; NULL: it has not yet */
};

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

/* The name under which the maps of a session share a file. NULL: out of memory. */
static char *whole_path(const char *path)
{
    char whole[PLACE_PATH_BYTES];
    return strdup(path != NULL && place_whole(path, whole) ? whole : path == NULL ? "" : path);
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
    char *file = whole_path(path);
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
                                   "describe it before weft_map_run()",
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
    char *file = whole_path(copy);
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

/* The maps of a file: those of the session that is there, or the one that is run, of a file that is
 * made already. */
typedef struct members {
    int count;
    weft_map *map[WEFT_MAX_MAPS];
    job *job[WEFT_MAX_MAPS];
} members;

static session_file *find_file(const weft_session *s, const char *file)
{
    session_file *f = s->files;
    while (f != NULL && strcmp(f->path, file) != 0) {
        f = f->next;
    }
    return f;
}

/* A file that is made cannot hold another map. */
static weft_status check_member(const weft_map *map, const session_file *f)
{
    for (int i = 0; i < f->maps; i++) {
        if (strcmp(f->name[i], map->job->name) == 0) {
            return WEFT_OK;
        }
    }
    return error_set(&map->session->error, WEFT_ERR_USAGE,
                     "map '%s' was described after map '%s' had been started, and %s is made by "
                     "then with all its maps: describe map '%s' before the first of them is "
                     "started, or give it a file of its own with weft_map_set_out()",
                     map->job->name, f->name[0], map->path, map->job->name);
}

static weft_status add_member(members *m, weft_map *map)
{
    error *e = &map->session->error;
    for (int i = 0; i < m->count; i++) {
        if (strcmp(m->job[i]->name, map->job->name) == 0) {
            return error_set(e, WEFT_ERR_USAGE,
                             "two maps are named '%s', and both are to be in %s: give one of them "
                             "another name, or a file of its own with weft_map_set_out()",
                             map->job->name, map->path);
        }
    }
    if (m->count == WEFT_MAX_MAPS) {
        return error_set(e, WEFT_ERR_USAGE,
                         "%s would hold more than %d maps: give map '%s' a file of its own with "
                         "weft_map_set_out()",
                         map->path, WEFT_MAX_MAPS, map->job->name);
    }
    m->map[m->count] = map;
    m->job[m->count++] = map->job;
    return WEFT_OK;
}

/* Who shares a file with this map. */
static weft_status find_members(weft_map *map, members *m)
{
    const session_file *f = find_file(map->session, map->file);
    weft_status status = WEFT_OK;
    m->count = 0;
    if (f != NULL) {
        status = check_member(map, f);
        return status == WEFT_OK ? add_member(m, map) : status;
    }
    for (weft_map *each = map->session->maps; each != NULL && status == WEFT_OK;
         each = each->next) {
        if (strcmp(each->file, map->file) == 0) {
            status = add_member(m, each);
        }
    }
    return status;
}

/* All ranks have to know the same of a map, before its file is made. */
static weft_status agree_on_map(const weft_map *map, const char *what, const members *m,
                                weft_status own)
{
    char call[WEFT_NAME_BYTES + 32];
    account a = {.text = NULL};
    (void)snprintf(call, sizeof call, "%s '%s'", what, map->job->name);
    account_add(&a, "the result's path", "'%s'", map->path);
    account_add(&a, "the number of maps in the result", "%d", m->count);
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

/* All ranks are to run the same map, and to know the same of those that are in the file with it. */
static weft_status agree_on_maps(const weft_map *map, const members *m, weft_status own)
{
    weft_status status = agree_on_map(map, "weft_map_run() of map", m, own);
    for (int i = 0; i < m->count && status == WEFT_OK; i++) {
        if (m->map[i] != map) {
            status = agree_on_map(m->map[i], "the description of map", m, WEFT_OK);
        }
    }
    return status;
}

/* Whether the ranks can begin, and all of them are to: a signal may have been sent to one alone. */
static weft_status agree_to_run(weft_map *map, weft_kernel_fn kernel, members *m)
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
        } else {
            status = find_members(map, m);
        }
        for (int i = 0; i < m->count; i++) {
            build_of((uintptr_t)kernel, m->job[i]->build);
        }
        session_allow_absence(s);
        status = agree_on_maps(map, m, status);
    }
    if (status == WEFT_STOPPED && comm_rank(s->comm) == 0) {
        log_print(LOG_WARNING, "%s", s->error.text);
    }
    return status;
}

/* The same on all ranks, as the maps are. */
static weft_status settle(weft_session *s, const members *m)
{
    const run_options *said = &s->options.run;
    weft_status status = WEFT_OK;
    for (int i = 0; i < m->count && status == WEFT_OK; i++) {
        status = job_settle(m->job[i], (uint64_t)said->seed,
                            said->grain > 0 ? said->grain : m->map[i]->grain, &s->error);
    }
    return status;
}

/* The session's note of a file, a new one where it has none yet. */
static weft_status note_file(const weft_map *map, const members *m, session_file **out)
{
    weft_session *s = map->session;
    const char *path = map->file;
    session_file *f = find_file(s, path);
    if (f == NULL) {
        f = calloc(1, sizeof *f + strlen(path) + 1);
        char(*names)[WEFT_NAME_BYTES] = calloc((size_t)m->count + 1, sizeof *names);
        if (f == NULL || names == NULL) {
            free(names);
            free(f);
            return error_memory(&s->error, "the maps of %s", path);
        }
        memcpy(f->path, path, strlen(path) + 1);
        for (int i = 0; i < m->count; i++) {
            memcpy(names[i], m->job[i]->name, sizeof names[i]);
        }
        f->name = names;
        f->maps = m->count;
        f->next = s->files;
        s->files = f;
    }
    *out = f;
    return WEFT_OK;
}

/* A file that could not be opened is as if nobody had asked for it. */
static void forget_file(weft_session *s, session_file *f)
{
    session_file **link = &s->files;
    while (*link != f) {
        link = &(*link)->next;
    }
    *link = f->next;
    free(f->name);
    free(f);
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

/* For the values of its reductions. */
static weft_status make_room(weft_map *map)
{
    const size_t bytes = (size_t)fold_place(map->job, map->job->reductions);
    if (map->values == NULL && bytes > 0) {
        map->values = calloc(1, bytes);
    }
    return map->values == NULL && bytes > 0
               ? error_memory(&map->session->error, "the values of map '%s'", map->job->name)
               : WEFT_OK;
}

static weft_status run(weft_map *map, members *m, weft_kernel_fn kernel, void *context)
{
    weft_session *s = map->session;
    session_file *f = NULL;
    weft_status status = settle(s, m);
    if (status == WEFT_OK) {
        status = make_room(map);
        if (status == WEFT_OK) {
            status = note_file(map, m, &f);
        }
        status = comm_agree(s->comm, status, &s->error);
    }
    if (status != WEFT_OK || f == NULL) {
        /* It is not known on a rank that has failed. */
        if (f != NULL && !f->file.made) {
            forget_file(s, f);
        }
        return status;
    }
    run_options how = s->options.run;
    how.later = s->runs++ > 0;
    how.path = map->path;
    how.maps = f->maps;
    how.jobs = m->job;
    how.file = &f->file;
    how.values = map->values;
    how.valued = &map->valued;
    how.layout = &map->layout;
    how.readable = &map->readable;
    how.span_limit = map->span_limit;
    how.pure = map->pure;
    how.isolate = how.isolate || how.item_timeout_s > 0 || map->isolation == WEFT_ALWAYS;
    how.never_apart = map->isolation == WEFT_NEVER;
    status = run_map(s->comm, &s->placement, map->job, &how, kernel, context, &s->error);
    map->complete = status == WEFT_OK || status == WEFT_ITEMS_FAILED;
    for (int i = 0; i < m->count && f->file.made; i++) {
        m->map[i]->fixed = true;
    }
    if (!f->file.made) {
        forget_file(s, f);
    }
    return status;
}

weft_status weft_map_run(weft_map *map, weft_kernel_fn kernel, void *context)
{
    members m = {.count = 0};
    const weft_status status = agree_to_run(map, kernel, &m);
    if (status != WEFT_OK) {
        return status;
    }
    session_expect_all(map->session);
    warn_of_isolation(map);
    map->complete = false;
    reader_close(map->reader);
    map->reader = NULL;
    return run(map, &m, kernel, context);
}

const char *weft_map_path(const weft_map *map)
{
    return map->path;
}
