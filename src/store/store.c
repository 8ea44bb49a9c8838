/* SPDX-License-Identifier: BSD-3-Clause */
/* A map of the open result: bytes go to their final place from any thread of any rank. */
#define _GNU_SOURCE 1
#include "store/store.h"

#include "base/thread.h"
#include "host/host.h"
#include "store/format/checksum.h"
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
    store_file *file;
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
    bytes_forget(s->fd);
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

/* The file is there: everything that a map's run needs to write to it. */
static weft_status open_for_writing(store *s, tile_table_news created, error *e)
{
    weft_status status = open_descriptor(s, e);
    if (status == WEFT_OK) {
        status = store_file_check(s->file, s->fd, s->layout.file_bytes, e);
    }
    if (status == WEFT_OK) {
        status = place_remember(s->fd, e);
    }
    if (status == WEFT_OK && created == NEWS_NONE) {
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
        status = lease_table_open(s->fd, s->path, s->layout.leases_offset, created != NEWS_NONE,
                                  s->job->tiles.tiles, &s->leases, e);
    }
    return status;
}

weft_status store_open(store_file *f, job *j, store_policy policy, store **out, error *e)
{
    assert(thread_drives());
    store_map map;
    weft_status status = store_file_open_map(f, j, policy.adopt_grain, &map, e);
    if (status != WEFT_OK) {
        return status;
    }
    store *s = allocate(map.path, j);
    if (s == NULL) {
        store_file_release(f);
        return error_memory(e, "the state of %s", map.path);
    }
    s->layout = map.layout;
    s->file = f;
    status = open_for_writing(s, map.created, e);
    if (status != WEFT_OK) {
        store_close(s);
        return status;
    }
    store_file_set_written(f, j->name);
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

/* Where a row is. */
static int64_t row_offset(const store *s, int column, int64_t row)
{
    return s->layout.field_offset[column] + job_row_bytes(s->job, column, row);
}

weft_status store_write(store *s, int column, int64_t first, int64_t rows, const void *bytes,
                        error *e)
{
    return bytes_write(s->fd, s->path, bytes, (size_t)job_row_bytes(s->job, column, rows),
                       row_offset(s, column, first), e);
}

/* By a descriptor of its own, see open_descriptor(). */
static weft_status read_bytes(const store *s, void *bytes, int64_t count, int64_t offset, error *e)
{
    int fd = -1;
    weft_status status = bytes_open(s->path, &fd, e);
    if (status == WEFT_OK) {
        status = bytes_read(fd, s->path, bytes, (size_t)count, offset, e);
        (void)close(fd);
    }
    return status;
}

weft_status store_read(store *s, int column, int64_t first, int64_t rows, void *bytes, error *e)
{
    return read_bytes(s, bytes, job_row_bytes(s->job, column, rows), row_offset(s, column, first),
                      e);
}

static uint64_t value_check(const store *s, int reduction, const void *value)
{
    const size_t bytes = (size_t)job_value_bytes(s->job, reduction);
    return checksum_runs(1, &value, &bytes);
}

/* Where it is said that a value is there: its checksum, which is nobody's 0. */
static int64_t check_offset(const store *s, int reduction)
{
    return s->layout.values_offset + reduction * (int64_t)sizeof(uint64_t);
}

weft_status store_write_value(store *s, int reduction, const void *value, error *e)
{
    const uint64_t check = value_check(s, reduction, value);
    const weft_status status =
        bytes_write(s->fd, s->path, value, (size_t)job_value_bytes(s->job, reduction),
                    s->layout.value_offset[reduction], e);
    return status != WEFT_OK
               ? status
               : bytes_write(s->fd, s->path, &check, sizeof check, check_offset(s, reduction), e);
}

weft_status store_read_value(store *s, int reduction, void *value, bool *there, error *e)
{
    uint64_t check = 0;
    weft_status status = read_bytes(s, &check, sizeof check, check_offset(s, reduction), e);
    if (status == WEFT_OK && check != 0) {
        status = read_bytes(s, value, job_value_bytes(s->job, reduction),
                            s->layout.value_offset[reduction], e);
    }
    *there = status == WEFT_OK && check != 0 && check == value_check(s, reduction, value);
    return status;
}

weft_status store_forget_values(store *s, error *e)
{
    static const uint64_t none[WEFT_MAX_FIELDS];
    return s->job->reductions == 0
               ? WEFT_OK
               : bytes_write(s->fd, s->path, none, (size_t)s->job->reductions * sizeof none[0],
                             check_offset(s, 0), e);
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
    weft_status status = store_file_touch_all(s->file, e);
    if (status == WEFT_OK) {
        status = place_check(s->fd, s->path, s->layout.file_bytes, e);
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
    assert(thread_drives());
    /* A disk that is slow to answer is not asked again and again. */
    if (!atomic_exchange(&s->touching, true)) {
        ask(s, touch_now);
    }
}

void store_set_wake(store *s, backlog_wake_fn wake, void *context)
{
    assert(thread_drives());
    s->wake = wake;
    s->wakes = context;
    lease_table_set_wake(s->leases, wake, context);
    if (wake == NULL) {
        backlog_set_wake(s->backlog, NULL, NULL);
    }
}

void store_flush(store *s, bool to_disk)
{
    assert(thread_drives());
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
    assert(thread_drives());
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
    s->fd = -1;
    store_file_forget_locks();
}

void store_leave(store *s)
{
    assert(thread_drives());
    if (store_flushed(s)) {
        store_file_release_locks(s->file);
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
    store_file_release(s->file);
    free(s->path);
    free(s);
}
