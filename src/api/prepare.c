/* SPDX-License-Identifier: BSD-3-Clause */
/* A start is prepared: what this rank has to say against it, or all that the run will need. */
#include "api/prepare.h"

#include "api/files.h"
#include "api/needs.h"
#include "base/build.h"
#include "engine/run/fold.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

/* All that ranks have to know the same of a map before its file is made. */
static void compare(const weft_map *map, const char *what, const file_maps *m, comparison *c)
{
    account *a = &c->account;
    (void)snprintf(c->call, sizeof c->call, "%s '%s'", what, map->job->name);
    account_add(a, "the result's path", "'%s'", map->path);
    account_add(a, "the number of maps in the result", "%d", m->count);
    account_add(a, "the map's grain", "%" PRId64, map->grain);
    account_add(a, "the map's span limit", "%" PRId64, map->span_limit);
    account_add(a, "the kernel", "%s", map->pure ? "pure" : "not pure");
    account_add(a, "the map's isolation", "%d", (int)map->isolation);
    for (const need *n = map->needs; n != NULL; n = n->next) {
        char name[WEFT_NAME_BYTES + 32];
        (void)snprintf(name, sizeof name, "the need of map '%s'",
                       n->earlier == NULL ? "" : n->earlier->job->name);
        account_add(a, name, "there");
    }
    job_describe(map->job, a);
}

/* All ranks are to run the same map, and to know the same of those that are in the file with it. */
static weft_status compare_maps(weft_map *map, const char *call, const file_maps *m)
{
    start *w = &map->start;
    w->compared = calloc((size_t)m->count + 1, sizeof *w->compared);
    if (w->compared == NULL) {
        return error_memory(&map->session->error, "the maps of %s", map->path);
    }
    compare(map, call, m, &w->compared[w->comparisons++]);
    for (int i = 0; i < m->count; i++) {
        if (m->map[i] != map) {
            compare(m->map[i], "the description of map", m, &w->compared[w->comparisons++]);
        }
    }
    return WEFT_OK;
}

/* The same on all ranks, as the maps are. */
static weft_status settle(weft_session *s, const file_maps *m)
{
    const run_options *said = &s->options.run;
    weft_status status = WEFT_OK;
    for (int i = 0; i < m->count && status == WEFT_OK; i++) {
        weft_map *map = m->map[i];
        if (files_know(map)) {
            continue;
        }
        needs_note(map);
        status = job_settle(map->job, (uint64_t)said->seed,
                            said->grain > 0 ? said->grain : map->grain, &s->error);
        map->tiles = map->job->tiles.tiles;
    }
    return status;
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

static void choose_options(weft_map *map)
{
    weft_session *s = map->session;
    start *w = &map->start;
    w->options = s->options.run;
    w->options.later = s->runs++ > 0;
    w->options.path = map->path;
    w->options.values = map->values;
    w->options.valued = &map->valued;
    w->options.layout = &map->layout;
    w->options.readable = &map->readable;
    w->options.span_limit = map->span_limit;
    w->options.pure = map->pure;
    w->options.isolate =
        w->options.isolate || w->options.item_timeout_s > 0 || map->isolation == WEFT_ALWAYS;
    w->options.never_apart = map->isolation == WEFT_NEVER;
    w->options.cancelled = &w->cancelled;
    w->options.tally = &w->tally;
    if (w->file != NULL) {
        w->options.maps = w->file->maps;
        w->options.jobs = w->file->job;
        w->options.file = &w->file->file;
    }
}

weft_status prepare(weft_map *map, const char *call)
{
    weft_session *s = map->session;
    start *w = &map->start;
    file_maps m = {.count = 0};
    s->error = map->fault;
    weft_status status = map->fault.status;
    if (status == WEFT_OK && w->kernel == NULL) {
        status = error_set(&s->error, WEFT_ERR_USAGE,
                           "map '%s' has no kernel: give a function that computes a span",
                           map->job->name);
    }
    if (status == WEFT_OK && w->item.function != NULL) {
        status = each_check(map->job, &s->error);
    }
    status = status == WEFT_OK ? files_find_maps(map, &m) : status;
    for (int i = 0; i < m.count; i++) {
        if (!files_know(m.map[i])) {
            build_of(w->code, m.map[i]->job->build);
        }
    }
    status = status == WEFT_OK ? needs_check(map) : status;
    const weft_status compared = compare_maps(map, call, &m);
    status = status == WEFT_OK ? compared : status;
    status = status == WEFT_OK ? settle(s, &m) : status;
    status = status == WEFT_OK ? make_room(map) : status;
    status = status == WEFT_OK ? run_create(&w->run, &s->error) : status;
    status = status == WEFT_OK ? files_note(map, &m, &w->file) : status;
    choose_options(map);
    return status;
}

void prepare_clear(start *w)
{
    for (int i = 0; i < w->comparisons; i++) {
        account_clear(&w->compared[i].account);
    }
    free(w->compared);
    w->compared = NULL;
    w->comparisons = 0;
}
