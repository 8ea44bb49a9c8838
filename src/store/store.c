/* SPDX-License-Identifier: BSD-3-Clause */
/* The open result of a run: bytes go to their final place from any thread of any rank. */
#define _GNU_SOURCE 1
#include "store/store.h"

#include "base/log.h"
#include "base/thread.h"
#include "host/host.h"
#include "store/guard/lock.h"
#include "store/guard/place.h"
#include "store/io/backlog.h"
#include "store/io/bytes.h"
#include "store/io/fault.h"
#include "store/io/reserve.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct store {
    int fd; /* write-only, see open_descriptor() */
    char *path;
    const job *job;
    metadata_layout layout;
    /* Rank 0 alone: */
    char *real_path; /* wherever the program may go */
    lock *lock;
    tile_table *tile_table;
    backlog *backlog;
    lease_table *leases;
    atomic_bool touching;
    backlog_wake_fn wake; /* NULL: nobody is to be told */
    void *wakes;
};

/* Write-only: an NFS client that has read a page may later write all of it back, over bytes that
 * another client has put there meanwhile. */
static weft_status open_descriptor(store *s, error *e)
{
    s->fd = open(s->path, O_WRONLY | O_CLOEXEC);
    if (s->fd < 0) {
        const int number = errno;
        return fault_set(e, number, s->path, "cannot open %s for writing", s->path);
    }
    return WEFT_OK;
}

/* NULL: out of memory. */
static store *allocate(const char *path, const job *j)
{
    store *s = calloc(1, sizeof *s);
    char *copy = strdup(path);
    if (s == NULL || copy == NULL) {
        free(copy);
        free(s);
        return NULL;
    }
    *s = (store){.fd = -1, .path = copy, .job = j};
    return s;
}

/* The file exists: is it the same job's? */
static weft_status compare_with_file(const char *path, job *j, bool adopt_grain, metadata *m,
                                     error *e)
{
    weft_status status = metadata_read(path, m, e);
    if (status != WEFT_OK) {
        return status;
    }
    if (adopt_grain && m->job->tiles.count == j->tiles.count) {
        status = job_settle(j, j->seed, m->job->tiles.grain, e);
    }
    if (status == WEFT_OK) {
        status = job_compare(j, m->job, path, e);
    }
    return status;
}

/* A program that has no version may have changed without a word. */
static void warn_of_other_build(const char *path, const job *mine, const job *theirs)
{
    if (mine->version[0] == '\0' && mine->build[0] != '\0' && theirs->build[0] != '\0' &&
        strcmp(mine->build, theirs->build) != 0) {
        log_print(LOG_WARNING,
                  "%s was begun by another build of the program (%.13s, and now %.13s), and what "
                  "that has computed is kept; if the results are others now, start over with "
                  "--fresh, or give another --out (a weft_program.version says which builds "
                  "compute the same)",
                  path, theirs->build, mine->build);
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

/* The file is there: everything that a run needs to write to it. */
static weft_status open_for_writing(store *s, bool created, error *e)
{
    weft_status status = open_descriptor(s, e);
    if (status == WEFT_OK) {
        status = place_remember(s->fd, e);
    }
    if (status != WEFT_OK) {
        return status;
    }
    s->real_path = realpath(s->path, NULL);
    if (s->real_path == NULL) {
        const int number = errno;
        return fault_set(e, number, s->path, "cannot find %s", s->path);
    }
    if (!created) {
        status = reserve_all(s->fd, s->path, e);
    }
    if (status == WEFT_OK) {
        status = backlog_create(s->fd, s->path, &s->backlog, e);
    }
    if (status == WEFT_OK) {
        status =
            tile_table_open(s->backlog, s->path, created, s->job, &s->layout, &s->tile_table, e);
    }
    if (status == WEFT_OK) {
        status = lease_table_open(s->fd, s->path, s->layout.leases_offset, created,
                                  s->job->tiles.tiles, &s->leases, e);
    }
    return status;
}

/* The file that is there, of which nothing is known yet. */
static weft_status read_file(store *s, job *j, bool adopt_grain, error *e)
{
    metadata m = {.job = NULL};
    const weft_status status = compare_with_file(s->path, j, adopt_grain, &m, e);
    if (status == WEFT_OK) {
        warn_of_other_build(s->path, j, m.job);
        s->layout = m.layout;
    }
    metadata_release(&m);
    return status;
}

/* With the lock held: makes the file if there is none, or with --fresh another. */
static weft_status open_file(store *s, job *j, store_policy policy, error *e)
{
    bool exists = false;
    bool earlier = false;
    if (!policy.later) {
        place_forget();
    }
    weft_status status = look_for_file(s->path, &exists, e);
    if (status == WEFT_OK && policy.fresh) {
        status = place_look(s->path, &earlier, e);
    }
    const bool made = !exists || earlier;
    if (status == WEFT_OK) {
        status = made ? metadata_create(s->path, j, policy.sync, &s->layout, e)
                      : read_file(s, j, policy.adopt_grain, e);
    }
    return status == WEFT_OK ? open_for_writing(s, made, e) : status;
}

/* What is said of the place of a link is said of the link. */
static void tell_link(const char *path, const char *place, error *e)
{
    const error there = *e;
    (void)error_set(e, there.status, "%s leads to %s: %s", path, place, there.text);
}

weft_status store_open(const char *path, job *j, store_policy policy, store **out, error *e)
{
    assert(thread_is_main());
    char place[PLACE_PATH_BYTES];
    weft_status status = place_find(path, place, e);
    if (status != WEFT_OK) {
        return status;
    }
    store *s = allocate(place, j);
    if (s == NULL) {
        return error_memory(e, "the state of %s", path);
    }
    status = lock_take(s->path, &s->lock, e);
    if (status != WEFT_OK && strcmp(path, place) != 0) {
        tell_link(path, place, e);
    }
    if (status == WEFT_OK) {
        status = open_file(s, j, policy, e);
    }
    if (status != WEFT_OK) {
        store_close(s);
        return status;
    }
    *out = s;
    return WEFT_OK;
}

const metadata_layout *store_layout(const store *s)
{
    return &s->layout;
}

/* The path must lead to rank 0's very file, which needs a file system that all hosts share. */
static weft_status check_same_file(const store *s, error *e)
{
    struct stat file;
    if (fstat(s->fd, &file) == 0 && (uint64_t)file.st_ino == s->layout.inode &&
        file.st_size >= s->layout.file_bytes) {
        return WEFT_OK;
    }
    char host[HOST_NAME_BYTES];
    host_name(host);
    return error_set(e, WEFT_ERR_SYSTEM,
                     "%s is another file on host %s than on rank 0's; put --out on a file system "
                     "that all hosts share",
                     s->path, host);
}

weft_status store_attach(const char *path, const job *j, const metadata_layout *layout, store **out,
                         error *e)
{
    store *s = allocate(path, j);
    if (s == NULL) {
        return error_memory(e, "the state of %s", path);
    }
    s->layout = *layout;
    weft_status status = open_descriptor(s, e);
    if (status == WEFT_OK) {
        status = check_same_file(s, e);
    }
    if (status != WEFT_OK) {
        store_close(s);
        return status;
    }
    *out = s;
    return WEFT_OK;
}

tile_table *store_ledger(store *s)
{
    return s->tile_table;
}

lease_table *store_leases(store *s)
{
    return s->leases;
}

weft_status store_write(store *s, int field, int64_t first, int64_t items, const void *bytes,
                        error *e)
{
    return bytes_write(s->fd, s->path, bytes, (size_t)job_field_bytes(s->job, field, items),
                       s->layout.field_offset[field] + job_field_bytes(s->job, field, first), e);
}

weft_status store_read(store *s, int field, int64_t first, int64_t items, void *bytes, error *e)
{
    const int fd = open(s->path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        const int number = errno;
        return fault_set(e, number, s->path, "cannot open %s for reading", s->path);
    }
    const weft_status status =
        bytes_read(fd, s->path, bytes, (size_t)job_field_bytes(s->job, field, items),
                   s->layout.field_offset[field] + job_field_bytes(s->job, field, first), e);
    (void)close(fd);
    return status;
}

weft_status store_sync(store *s, error *e)
{
    if (fdatasync(s->fd) != 0) {
        const int number = errno;
        return fault_set(e, number, s->path,
                         "cannot write %s to disk; what was computed last is not recorded",
                         s->path);
    }
    return WEFT_OK;
}

static weft_status touch_now(void *context, error *e)
{
    store *s = context;
    weft_status status = lock_touch(s->lock, e);
    if (status == WEFT_OK) {
        status = place_check(s->fd, s->real_path, s->layout.file_bytes, e);
    }
    atomic_store(&s->touching, false);
    return status;
}

static weft_status sync_now(void *context, error *e)
{
    return store_sync(context, e);
}

/* What cannot be asked for has failed, which store_status() says. */
static void ask(store *s, backlog_fn call)
{
    error e = {.status = WEFT_OK};
    if (backlog_call(s->backlog, call, s, &e) != WEFT_OK) {
        return;
    }
}

void store_touch(store *s)
{
    assert(thread_is_main());
    /* A disk that is slow to answer is not asked again and again. */
    if (!atomic_exchange(&s->touching, true)) {
        ask(s, touch_now);
    }
}

void store_set_wake(store *s, backlog_wake_fn wake, void *context)
{
    assert(thread_is_main());
    s->wake = wake;
    s->wakes = context;
    lease_table_set_wake(s->leases, wake, context);
    if (wake == NULL) {
        backlog_set_wake(s->backlog, NULL, NULL);
    }
}

void store_flush(store *s, bool to_disk)
{
    assert(thread_is_main());
    /* Not before: nobody waits for the records of a run that goes on. */
    backlog_set_wake(s->backlog, s->wake, s->wakes);
    ask(s, touch_now);
    if (to_disk) {
        ask(s, sync_now);
    }
}

bool store_flushed(store *s)
{
    return backlog_idle(s->backlog) && lease_table_idle(s->leases);
}

weft_status store_status(store *s, error *e)
{
    const weft_status status = backlog_status(s->backlog, e);
    return status == WEFT_OK ? lease_table_status(s->leases, e) : status;
}

weft_status store_settle(store *s, error *e)
{
    const weft_status status = backlog_wait(s->backlog, e);
    return status == WEFT_OK ? lease_table_wait(s->leases, e) : status;
}

weft_status store_finish(store *s, error *e)
{
    assert(thread_is_main());
    lease_table_close(s->leases);
    s->leases = NULL;
    backlog_destroy(s->backlog);
    s->backlog = NULL;
    const int failed = s->fd >= 0 ? close(s->fd) : 0;
    const int number = errno;
    s->fd = -1;
    if (failed != 0 && number != EINTR) {
        return error_system(e, number,
                            "cannot close %s, so what was written last may be missing, and weft "
                            "verify says which tiles, and what to do",
                            s->path);
    }
    return WEFT_OK;
}

void store_forget(store *s)
{
    (void)close(s->fd);
    lock_forget(s->lock);
    s->fd = -1;
    s->lock = NULL;
}

void store_leave(store *s)
{
    assert(thread_is_main());
    if (store_flushed(s)) {
        lock_release(s->lock);
        s->lock = NULL;
    }
}

void store_close(store *s)
{
    if (s == NULL) {
        return;
    }
    tile_table_close(s->tile_table);
    lease_table_close(s->leases);
    backlog_destroy(s->backlog);
    if (s->fd >= 0) {
        (void)close(s->fd);
    }
    lock_release(s->lock);
    free(s->real_path);
    free(s->path);
    free(s);
}
