/* SPDX-License-Identifier: BSD-3-Clause */
/* The files of a session, and which maps each of them holds. */
#include "api/files.h"

#include <stdlib.h>
#include <string.h>

session_file *files_find(const weft_session *s, const char *file)
{
    session_file *f = s->files;
    while (f != NULL && strcmp(f->path, file) != 0) {
        f = f->next;
    }
    return f;
}

/* A file that is made, or about to be, cannot hold another map. */
static weft_status check_map(const weft_map *map, const session_file *f)
{
    bool is_there = false;
    for (int i = 0; i < f->maps; i++) {
        if (f->job[i] == NULL && f->starts > 0 && !f->file.made) {
            return error_set(&map->session->error, WEFT_ERR_USAGE,
                             "map '%s' of %s was destroyed before the file was made with it: "
                             "wait for the maps that are under way, and start again",
                             f->name[i], map->path);
        }
        is_there = is_there || strcmp(f->name[i], map->job->name) == 0;
    }
    return is_there
               ? WEFT_OK
               : error_set(&map->session->error, WEFT_ERR_USAGE,
                           "map '%s' was described after map '%s' had been started, and %s is made "
                           "by then with all its maps: describe map '%s' before the first of them "
                           "is started, or give it a file of its own with weft_map_set_out()",
                           map->job->name, f->name[0], map->path, map->job->name);
}

static weft_status add_map(file_maps *m, weft_map *map)
{
    error *e = &map->session->error;
    if (map->fault.status != WEFT_OK) {
        return error_set(e, map->fault.status,
                         "%s would hold a map whose description has failed: %s", map->path,
                         map->fault.text);
    }
    for (int i = 0; i < m->count; i++) {
        if (strcmp(m->map[i]->job->name, map->job->name) == 0) {
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
    m->map[m->count++] = map;
    return WEFT_OK;
}

weft_status files_find_maps(weft_map *map, file_maps *m)
{
    const session_file *f = files_find(map->session, map->file);
    weft_status status = WEFT_OK;
    m->count = 0;
    if (f != NULL) {
        status = check_map(map, f);
        return status == WEFT_OK ? add_map(m, map) : status;
    }
    for (weft_map *each = map->session->maps; each != NULL && status == WEFT_OK;
         each = each->next) {
        if (strcmp(each->file, map->file) == 0) {
            status = add_map(m, each);
        }
    }
    return status;
}

bool files_know(const weft_map *map)
{
    const session_file *f = files_find(map->session, map->file);
    bool known = false;
    for (int i = 0; f != NULL && i < f->maps; i++) {
        known = known || f->job[i] == map->job;
    }
    return known;
}

static void free_file(session_file *f)
{
    if (f != NULL) {
        free(f->job);
        free(f->name);
        free(f);
    }
}

static session_file *create_file(const char *path, const file_maps *m)
{
    session_file *f = calloc(1, sizeof *f + strlen(path) + 1);
    if (f != NULL) {
        f->name = calloc((size_t)m->count + 1, sizeof *f->name);
        f->job = calloc((size_t)m->count + 1, sizeof(void *));
    }
    if (f == NULL || f->name == NULL || f->job == NULL) {
        free_file(f);
        return NULL;
    }
    memcpy(f->path, path, strlen(path) + 1);
    for (int i = 0; i < m->count; i++) {
        memcpy(f->name[i], m->map[i]->job->name, sizeof f->name[i]);
        f->job[i] = m->map[i]->job;
    }
    f->maps = m->count;
    return f;
}

weft_status files_note(weft_map *map, const file_maps *m, session_file **out)
{
    weft_session *s = map->session;
    session_file *f = files_find(s, map->file);
    if (f == NULL) {
        f = create_file(map->file, m);
        if (f == NULL) {
            return error_memory(&s->error, "the maps of %s", map->file);
        }
        f->next = s->files;
        s->files = f;
        for (int i = 0; i < m->count; i++) {
            m->map[i]->fixed = true;
        }
    }
    for (int i = 0; i < f->maps; i++) {
        if (f->job[i] != map->job && strcmp(f->name[i], map->job->name) == 0) {
            f->job[i] = map->job;
        }
    }
    f->starts++;
    *out = f;
    return WEFT_OK;
}

static void forget_file(weft_session *s, session_file *f)
{
    session_file **link = &s->files;
    while (*link != f) {
        link = &(*link)->next;
    }
    *link = f->next;
    for (weft_map *map = s->maps; map != NULL; map = map->next) {
        map->fixed = map->fixed && strcmp(map->file, f->path) != 0;
    }
    free_file(f);
}

void files_leave(weft_session *s, session_file *f)
{
    if (--f->starts == 0 && !f->file.made) {
        forget_file(s, f);
    }
}

void files_remove(session_file *f, const weft_map *map)
{
    for (int i = 0; i < f->maps; i++) {
        f->job[i] = f->job[i] == map->job ? NULL : f->job[i];
    }
}

void files_free(weft_session *s)
{
    while (s->files != NULL) {
        session_file *f = s->files;
        s->files = f->next;
        free_file(f);
    }
}
