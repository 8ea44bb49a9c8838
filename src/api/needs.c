/* SPDX-License-Identifier: BSD-3-Clause */
/* Which maps a map needs. */
#include "api/needs.h"

#include "api/start.h"

#include <stdlib.h>
#include <string.h>

/* Whether a map needs another one, or one that needs it. */
static bool needs(const weft_map *map, const weft_map *other)
{
    for (const need *n = map->needs; n != NULL; n = n->next) {
        if (n->earlier != NULL && (n->earlier == other || needs(n->earlier, other))) {
            return true;
        }
    }
    return false;
}

static weft_status add_need(weft_map *map, weft_map *earlier)
{
    const weft_status status = start_check_idle(map);
    if (status != WEFT_OK) {
        return status;
    }
    error *e = &map->session->error;
    if (earlier == NULL) {
        return error_set(e, WEFT_ERR_USAGE,
                         "map '%s' is to need a map, and NULL is given: create that map first",
                         map->job->name);
    }
    if (earlier->session != map->session) {
        return error_set(e, WEFT_ERR_USAGE,
                         "map '%s' cannot need map '%s', which is of another session: create both "
                         "in one",
                         map->job->name, earlier->job->name);
    }
    if (earlier == map || needs(earlier, map)) {
        return error_set(e, WEFT_ERR_USAGE,
                         "map '%s' cannot need map '%s', which needs '%s' itself: maps that need "
                         "each other could never begin",
                         map->job->name, earlier->job->name, map->job->name);
    }
    if (needs_have(map, earlier)) {
        return WEFT_OK;
    }
    need *n = malloc(sizeof *n);
    if (n == NULL) {
        return error_memory(e, "what map '%s' needs", map->job->name);
    }
    *n = (need){.next = map->needs, .earlier = earlier};
    map->needs = n;
    return WEFT_OK;
}

weft_status weft_map_needs(weft_map *map, weft_map *earlier)
{
    return map_keep(map, add_need(map, earlier));
}

weft_status needs_check(const weft_map *map)
{
    for (const need *n = map->needs; n != NULL; n = n->next) {
        const weft_map *earlier = n->earlier;
        if (earlier == NULL) {
            return error_set(&map->session->error, WEFT_ERR_USAGE,
                             "map '%s' needs a map that was destroyed before it was complete: "
                             "destroy maps once those that need them are done",
                             map->job->name);
        }
        if (!earlier->complete && !start_is_under_way(earlier)) {
            const bool failed = earlier->start.task.work != NULL;
            return error_set(&map->session->error, WEFT_ERR_USAGE,
                             "map '%s' needs map '%s', which %s%s", map->job->name,
                             earlier->job->name,
                             failed ? "is not complete: "
                                    : "was not started before it: start, or run, that one first",
                             failed ? earlier->start.error.text : "");
        }
    }
    return WEFT_OK;
}

void needs_note(weft_map *map)
{
    map->job->needs = 0;
    for (const need *n = map->needs; n != NULL; n = n->next) {
        if (n->earlier != NULL && strcmp(n->earlier->file, map->file) == 0) {
            job_add_need(map->job, n->earlier->job->name);
        }
    }
}

bool needs_have(const weft_map *map, const weft_map *earlier)
{
    const need *n = map->needs;
    while (n != NULL && n->earlier != earlier) {
        n = n->next;
    }
    return n != NULL;
}

void needs_forget(void *context)
{
    const weft_map *gone = context;
    for (weft_map *map = gone->session->maps; map != NULL; map = map->next) {
        for (need **link = &map->needs; *link != NULL;) {
            need *n = *link;
            if (n->earlier == gone && gone->complete) {
                *link = n->next;
                free(n);
                continue;
            }
            n->earlier = n->earlier == gone ? NULL : n->earlier;
            link = &n->next;
        }
    }
}

void needs_clear(weft_map *map)
{
    while (map->needs != NULL) {
        need *next = map->needs->next;
        free(map->needs);
        map->needs = next;
    }
}
