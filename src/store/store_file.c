/* SPDX-License-Identifier: BSD-3-Clause */
/* A result that a session writes to: its lock, which maps it holds, and where they lie in it. */
#define _GNU_SOURCE 1
#include "store/store_file.h"

#include "base/log.h"
#include "base/thread.h"
#include "store/format/index.h"
#include "store/guard/lock.h"
#include "store/guard/place.h"
#include "store/io/fault.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* A map of the file. */
typedef struct part {
    char name[WEFT_NAME_BYTES];
    index_identity identity;
    int64_t count;
    int64_t grain;
    metadata_layout layout;
    bool created; /* and not opened since */
} part;

struct store_file {
    store_file *next; /* that was opened earlier */
    char *path;
    char *real_path; /* wherever the program may go */
    int fd;          /* that very file, whatever its path leads to; for nothing else */
    lock *lock;
    int users;
    bool written; /* perhaps, to one of its maps */
    int parts;
    part part[];
};

/* Those that are open, all of which are locked. Drivers change the list, and table threads go
 * through it; under the mutex, as are a file's users, its lock, and what is written of it. */
static store_file *open_files;
static pthread_mutex_t files_mutex = PTHREAD_MUTEX_INITIALIZER;

/* A job like the one that is in the file is given that one's grain. */
static weft_status adopt_grain(job *j, int64_t count, int64_t grain, error *e)
{
    return count == j->items.count ? job_settle(j, j->seed, grain, e) : WEFT_OK;
}

/* The names of maps, as far as there is room. */
static void list_maps(int maps, job *const jobs[], char text[ERROR_TEXT_BYTES / 4])
{
    size_t used = 0;
    text[0] = '\0';
    for (int i = 0; i < maps && used + WEFT_NAME_BYTES + 8 < ERROR_TEXT_BYTES / 4; i++) {
        used += (size_t)snprintf(text + used, ERROR_TEXT_BYTES / 4 - used, "%s%s",
                                 i == 0 ? "" : ", ", jobs[i]->name);
    }
}

/* A map that only the file has, or only the program. */
static weft_status tell_other_maps(const char *path, const char *name, const char *whose,
                                   const metadata *m, error *e)
{
    char names[ERROR_TEXT_BYTES / 4];
    list_maps(m->maps, m->job, names);
    return error_set(e, WEFT_ERR_OTHER_JOB,
                     "%s belongs to another job: it holds the maps %s, and %s map '%s'; describe "
                     "the same maps before the first of them is started, give another --out, or "
                     "--fresh to start over (the file moves to %s.bak)",
                     path, names, whose, name, path);
}

/* The file keeps what it was told of its fields when it was made. */
static void warn_of_labels(const char *path, const job *mine, const job *theirs)
{
    account run = {.text = NULL};
    account file = {.text = NULL};
    account_difference d;
    job_label(mine, &run);
    job_label(theirs, &file);
    if (!run.incomplete && !file.incomplete && account_find_difference(&file, &run, &d)) {
        log_print(LOG_WARNING,
                  "%s keeps %s that it was made with, %s, and not %s: nothing else depends on it "
                  "(--fresh starts over with the new one)",
                  path, d.name, d.first, d.second);
    }
    account_clear(&run);
    account_clear(&file);
}

/* Whether the file has the same maps, in any order. One that has another name is compared, where
 * there is but one. */
static weft_status compare_maps(const char *path, int maps, job *const jobs[], const metadata *m,
                                error *e)
{
    bool known[WEFT_MAX_MAPS] = {false};
    weft_status status = WEFT_OK;
    for (int i = 0; i < maps && status == WEFT_OK; i++) {
        const int number = maps == 1 && m->maps == 1 ? 0 : metadata_find(m, jobs[i]->name);
        if (number < 0) {
            return tell_other_maps(path, jobs[i]->name, "no", m, e);
        }
        known[number] = true;
        status = job_compare(jobs[i], m->job[number], path, e);
        if (status == WEFT_OK) {
            warn_of_labels(path, jobs[i], m->job[number]);
        }
    }
    for (int i = 0; i < m->maps && status == WEFT_OK; i++) {
        if (!known[i]) {
            status = tell_other_maps(path, m->job[i]->name, "this run has no", m, e);
        }
    }
    return status;
}

/* The file exists: does it hold the same maps? HDF5 tells. */
static weft_status compare_with_file(const char *path, int maps, job *const jobs[], bool adopt,
                                     metadata *m, error *e)
{
    weft_status status = metadata_read(path, m, e);
    for (int i = 0; i < maps && adopt && status == WEFT_OK; i++) {
        const int number = metadata_find(m, jobs[i]->name);
        if (number >= 0) {
            const job *theirs = m->job[number];
            status = adopt_grain(jobs[i], theirs->items.count, theirs->tiles.grain, e);
        }
    }
    return status == WEFT_OK ? compare_maps(path, maps, jobs, m, e) : status;
}

/* A program that has no version may have changed without a word. */
static void warn_of_other_build(const char *path, const job *mine, const char *build)
{
    if (mine->version[0] == '\0' && mine->build[0] != '\0' && build[0] != '\0' &&
        strcmp(mine->build, build) != 0) {
        log_print(LOG_WARNING,
                  "%s was begun by another build of the program (%.13s, and now %.13s), and what "
                  "that has computed is kept; if the results are others now, start over with "
                  "--fresh, or give another --out (a weft_program.version says which builds "
                  "compute the same)",
                  path, build, mine->build);
    }
}

/* Whether there is a file. Only where there is none for sure may one be made in its place. */
static weft_status look_for_file(const char *path, bool *exists, error *e)
{
    struct stat file;
    *exists = stat(path, &file) == 0;
    if (!*exists && errno != ENOENT) {
        const int number = errno;
        return fault_set(e, number, path, "cannot look for %s", path);
    }
    return WEFT_OK;
}

static weft_status tell_changed(const char *path, error *e)
{
    return error_set(e, WEFT_ERR_OTHER_JOB, "%s has changed under the run", path);
}

/* What is known of the maps from now on. */
static weft_status note_parts(store_file *f, job *const jobs[], const metadata_layout layouts[],
                              bool created, error *e)
{
    for (int i = 0; i < f->parts; i++) {
        const job *j = jobs[i];
        part *p = &f->part[i];
        *p = (part){.count = j->items.count,
                    .grain = j->tiles.grain,
                    .layout = layouts[i],
                    .created = created};
        memcpy(p->name, j->name, sizeof p->name);
        if (!index_identify(j, &p->identity)) {
            return error_memory(e, "what identifies map '%s'", j->name);
        }
    }
    return WEFT_OK;
}

/* The file that is there, of which nothing is known yet. */
static weft_status read_file(const char *path, int maps, job *const jobs[], bool adopt,
                             metadata_layout layouts[], error *e)
{
    char build[BUILD_TEXT_BYTES];
    if (index_read(path, maps, jobs, adopt, layouts, build)) {
        warn_of_other_build(path, jobs[0], build);
        return WEFT_OK;
    }
    metadata m = {.maps = 0};
    const weft_status status = compare_with_file(path, maps, jobs, adopt, &m, e);
    for (int i = 0; i < maps && status == WEFT_OK; i++) {
        layouts[i] = m.layout[metadata_find(&m, jobs[i]->name)];
    }
    if (status == WEFT_OK) {
        warn_of_other_build(path, jobs[0], m.job[0]->build);
    }
    metadata_release(&m);
    return status;
}

/* Holds on to the file whose layouts are known: as long as it is open no other can have its inode.
 */
static weft_status hold_file(store_file *f, error *e)
{
    struct stat file;
    f->real_path = realpath(f->path, NULL);
    f->fd = f->real_path == NULL ? -1 : open(f->real_path, O_PATH | O_CLOEXEC);
    if (f->fd < 0 || fstat(f->fd, &file) != 0) {
        const int number = errno;
        return fault_set(e, number, f->path, "cannot find %s", f->path);
    }
    return (uint64_t)file.st_ino == f->part[0].layout.inode ? WEFT_OK : tell_changed(f->path, e);
}

/* With the lock held: makes the file if there is none, or with --fresh another. */
static weft_status open_file(store_file *f, job *const jobs[], store_policy policy,
                             metadata_layout layouts[], error *e)
{
    bool exists = false;
    bool earlier = false;
    if (!policy.later) {
        place_forget();
    }
    weft_status status = look_for_file(f->path, &exists, e);
    if (status == WEFT_OK && policy.fresh) {
        status = place_look(f->path, &earlier, e);
    }
    const bool made = !exists || earlier;
    if (status == WEFT_OK) {
        status = made ? metadata_create(f->path, f->parts, jobs, policy.sync, layouts, e)
                      : read_file(f->path, f->parts, jobs, policy.adopt_grain, layouts, e);
    }
    if (status == WEFT_OK) {
        (void)pthread_mutex_lock(&files_mutex);
        status = note_parts(f, jobs, layouts, made, e);
        (void)pthread_mutex_unlock(&files_mutex);
    }
    return status == WEFT_OK ? hold_file(f, e) : status;
}

/* What is said of the place of a link is said of the link. */
static void tell_link(const char *path, const char *place, error *e)
{
    const error there = *e;
    (void)error_set(e, there.status, "%s leads to %s: %s", path, place, there.text);
}

static void list_file(store_file *f)
{
    (void)pthread_mutex_lock(&files_mutex);
    f->next = open_files;
    open_files = f;
    (void)pthread_mutex_unlock(&files_mutex);
}

/* With the mutex. */
static void unlist_file(const store_file *f)
{
    store_file **link = &open_files;
    while (*link != f) {
        link = &(*link)->next;
    }
    *link = f->next;
}

weft_status store_file_open(const char *path, int maps, job *const jobs[], store_policy policy,
                            store_file **out, error *e)
{
    assert(thread_drives());
    char place[PLACE_PATH_BYTES];
    weft_status status = place_find(path, place, e);
    if (status != WEFT_OK) {
        return status;
    }
    store_file *f = calloc(1, sizeof *f + (size_t)maps * sizeof f->part[0]);
    metadata_layout *layouts = calloc((size_t)maps, sizeof *layouts);
    char *copy = strdup(place);
    if (f == NULL || layouts == NULL || copy == NULL) {
        free(copy);
        free(layouts);
        free(f);
        return error_memory(e, "the state of %s", path);
    }
    *f = (store_file){.path = copy, .fd = -1, .users = 1, .parts = maps};
    status = lock_take(f->path, &f->lock, e);
    list_file(f);
    if (status != WEFT_OK && strcmp(path, place) != 0) {
        tell_link(path, place, e);
    }
    if (status == WEFT_OK) {
        status = open_file(f, jobs, policy, layouts, e);
    }
    free(layouts);
    if (status != WEFT_OK) {
        store_file_release(f);
        return status;
    }
    *out = f;
    return WEFT_OK;
}

void store_file_release(store_file *f)
{
    if (f == NULL) {
        return;
    }
    (void)pthread_mutex_lock(&files_mutex);
    const bool last = --f->users == 0;
    if (last) {
        unlist_file(f);
    }
    (void)pthread_mutex_unlock(&files_mutex);
    if (last) {
        lock_release(f->lock);
        if (f->fd >= 0) {
            (void)close(f->fd);
        }
        free(f->real_path);
        free(f->path);
        free(f);
    }
}

/* Shows that the file's lock is alive. Where it was lost another run may have been there. */
static weft_status touch_file(store_file *f, error *e)
{
    bool lost = false;
    const weft_status status = f->lock == NULL ? WEFT_OK : lock_touch(f->lock, &lost, e);
    for (int i = 0; i < f->parts && lost; i++) {
        f->part[i].created = false;
    }
    return status;
}

static part *find_part(store_file *f, const char *name)
{
    for (int i = 0; i < f->parts; i++) {
        if (strcmp(f->part[i].name, name) == 0) {
            return &f->part[i];
        }
    }
    return NULL;
}

/* A map that was described anew since the file was opened may be another one. */
static weft_status compare_with_part(const store_file *f, const part *p, job *j, error *e)
{
    index_identity mine;
    if (!index_identify(j, &mine)) {
        return error_memory(e, "what identifies map '%s'", j->name);
    }
    if (mine.low == p->identity.low && mine.high == p->identity.high) {
        return WEFT_OK;
    }
    metadata m = {.maps = 0};
    weft_status status = metadata_read(f->real_path, &m, e);
    if (status == WEFT_OK) {
        const int number = metadata_find(&m, j->name);
        status = number < 0 ? tell_changed(f->path, e) : job_compare(j, m.job[number], f->path, e);
        if (status == WEFT_OK && memcmp(&m.layout[number], &p->layout, sizeof p->layout) != 0) {
            status = tell_changed(f->path, e);
        } else if (status == WEFT_OK) {
            warn_of_labels(f->path, j, m.job[number]);
        }
    }
    metadata_release(&m);
    return status;
}

weft_status store_file_open_map(store_file *f, job *j, bool adopt, store_map *out, error *e)
{
    part *p = find_part(f, j->name);
    if (p == NULL) {
        return error_set(e, WEFT_ERR_OTHER_JOB, "%s holds no map '%s'", f->path, j->name);
    }
    weft_status status = adopt ? adopt_grain(j, p->count, p->grain, e) : WEFT_OK;
    if (status == WEFT_OK) {
        status = compare_with_part(f, p, j, e);
    }
    if (status != WEFT_OK) {
        return status;
    }
    (void)pthread_mutex_lock(&files_mutex);
    /* Before the first map it has just been taken. */
    status = f->written ? touch_file(f, e) : WEFT_OK;
    if (status == WEFT_OK) {
        f->users++;
        *out = (store_map){.path = f->real_path,
                           .layout = p->layout,
                           .created = !p->created  ? NEWS_NONE
                                      : f->written ? NEWS_MAP
                                                   : NEWS_FILE};
    }
    (void)pthread_mutex_unlock(&files_mutex);
    return status;
}

void store_file_set_written(store_file *f, const char *map)
{
    part *p = find_part(f, map);
    (void)pthread_mutex_lock(&files_mutex);
    if (p != NULL) {
        p->created = false;
    }
    f->written = true;
    (void)pthread_mutex_unlock(&files_mutex);
}

weft_status store_file_check(const store_file *f, int fd, int64_t bytes, error *e)
{
    struct stat mine;
    struct stat known;
    const bool same = fstat(fd, &mine) == 0 && fstat(f->fd, &known) == 0 &&
                      mine.st_ino == known.st_ino && mine.st_dev == known.st_dev;
    const weft_status status = place_check(f->fd, f->real_path, bytes, e);
    return status == WEFT_OK && !same ? tell_changed(f->real_path, e) : status;
}

/* What has become of the locks of other files is told when their next map is opened. */
weft_status store_file_touch_all(store_file *mine, error *e)
{
    (void)pthread_mutex_lock(&files_mutex);
    const weft_status status = touch_file(mine, e);
    for (store_file *f = open_files; f != NULL; f = f->next) {
        error ignored = {.status = WEFT_OK};
        if (f != mine && touch_file(f, &ignored) != WEFT_OK) {
            log_print(LOG_DEBUG, "%s", ignored.text);
        }
    }
    (void)pthread_mutex_unlock(&files_mutex);
    return status;
}

void store_file_forget_locks(void)
{
    /* No other thread exists here, and one that did may have the mutex for ever. */
    for (store_file *f = open_files; f != NULL; f = f->next) {
        lock_forget(f->lock);
        f->lock = NULL;
    }
}

void store_file_release_locks(const store_file *mine)
{
    (void)pthread_mutex_lock(&files_mutex);
    for (store_file *f = open_files; f != NULL; f = f->next) {
        if (f->users <= 1 + (f == mine)) {
            lock_release(f->lock);
            f->lock = NULL;
        }
    }
    (void)pthread_mutex_unlock(&files_mutex);
}
