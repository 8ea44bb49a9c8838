/* SPDX-License-Identifier: BSD-3-Clause */
/* A thread that writes to a file, one thing after the other, so that who asks for it never waits
 * for a disk. */
#define _GNU_SOURCE 1
#include "store/io/backlog.h"

#include "base/array.h"
#include "base/clock.h"
#include "base/thread.h"
#include "host/host.h"
#include "store/io/bytes.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>
#include <time.h>

/* While kept bytes come faster than this, they are written together: each write keeps others from
 * the file meanwhile, and to wake the thread costs as much as a small write. But much at once is
 * not waited for, and nothing is for which anybody waits. */
enum { PAUSE_NS = 5000000, MUCH_BYTES = 1 << 17, MOST_PIECES = 64 };

/* Something to do; bytes to write follow it, unless they are kept. */
typedef struct entry {
    backlog_fn call; /* NULL: a write */
    void *context;
    int64_t offset;
    size_t count;
    const void *kept; /* NULL: a copy follows */
    backlog_release_fn release;
    void *memory;
} entry;

typedef struct list {
    unsigned char *bytes; /* entries, one behind the other, not aligned */
    size_t used;
    int64_t room;
    size_t kept; /* bytes */
    bool urgent; /* there is more than kept bytes, or somebody waits */
} list;

struct backlog {
    int fd;
    const char *path;
    pthread_t thread;
    pthread_mutex_t mutex;
    pthread_cond_t asked;
    pthread_cond_t settled;
    backlog_wake_fn wake; /* NULL: nobody is to be told */
    void *wakes;
    list waiting;     /* what is added */
    list work;        /* what the thread is at; its own while busy */
    int64_t done;     /* entries */
    int64_t pause_ns; /* until then kept bytes may wait */
    bool busy;
    bool shutdown;
    error error;
};

/* Where the entry behind one is. */
static size_t read_entry(const list *l, size_t at, entry *each)
{
    memcpy(each, l->bytes + at, sizeof *each);
    return at + sizeof *each + (each->kept != NULL ? 0 : each->count);
}

static weft_status do_entry(const backlog *b, size_t at, const entry *each, error *e)
{
    if (each->call != NULL) {
        return each->call(each->context, e);
    }
    const void *bytes = each->kept != NULL ? each->kept : b->work.bytes + at + sizeof *each;
    return bytes_write(b->fd, b->path, bytes, each->count, each->offset, e);
}

/* Kept bytes from an entry on that lie one behind the other in the file; where the entry behind
 * them is. */
static size_t gather(const backlog *b, size_t at, struct iovec piece[], int *pieces, int64_t *bytes)
{
    int64_t end = -1;
    *pieces = 0;
    *bytes = 0;
    while (at < b->work.used && *pieces < MOST_PIECES) {
        entry each;
        const size_t next = read_entry(&b->work, at, &each);
        if (each.kept == NULL || (*pieces > 0 && each.offset != end)) {
            break;
        }
        piece[*pieces].iov_len = each.count;
        memcpy(&piece[*pieces].iov_base, &each.kept, sizeof each.kept);
        *pieces += 1;
        *bytes += (int64_t)each.count;
        end = each.offset + (int64_t)each.count;
        at = next;
    }
    return at;
}

/* Writes as many entries as one call can; where the one behind them is. Where that call does not
 * take all, whatever the reason is, they are done one by one, and that says why. */
static size_t write_together(const backlog *b, size_t at, int *written)
{
    struct iovec piece[MOST_PIECES];
    int64_t bytes = 0;
    entry first;
    const size_t end = gather(b, at, piece, written, &bytes);
    (void)read_entry(&b->work, at, &first);
    if (*written < 2 || pwritev(b->fd, piece, *written, (off_t)first.offset) != bytes) {
        *written = 0;
        return at;
    }
    return end;
}

/* Up to the first failure, now or earlier: what comes later may rest on what has failed. */
static weft_status do_work(const backlog *b, bool failed, int64_t *done, error *e)
{
    weft_status status = failed ? WEFT_ERR_SYSTEM : WEFT_OK;
    size_t written = 0; /* all before this is */
    for (size_t at = 0; at < b->work.used;) {
        entry each;
        int entries = 0;
        if (status == WEFT_OK && at >= written) {
            written = write_together(b, at, &entries);
            *done += entries;
        }
        const size_t next = read_entry(&b->work, at, &each);
        if (status == WEFT_OK && at >= written) {
            status = do_entry(b, at, &each, e);
            *done += status == WEFT_OK;
        }
        if (each.release != NULL) {
            each.release(each.memory);
        }
        at = next;
    }
    return failed ? WEFT_OK : status;
}

/* Everything that waits is taken at once; meanwhile the next list fills. */
static void take_work(backlog *b)
{
    const list empty = {.bytes = b->work.bytes, .room = b->work.room};
    b->work = b->waiting;
    b->waiting = empty;
    b->busy = true;
}

/* Whether what there is to do may wait for more of it. */
static bool has_time(const backlog *b)
{
    return !b->waiting.urgent && !b->shutdown && b->waiting.kept < MUCH_BYTES &&
           clock_now_ns() < b->pause_ns;
}

static void wait_for_work(backlog *b)
{
    const struct timespec end = {.tv_sec = b->pause_ns / 1000000000,
                                 .tv_nsec = b->pause_ns % 1000000000};
    if (b->waiting.used == 0) {
        (void)pthread_cond_wait(&b->asked, &b->mutex);
    } else {
        (void)pthread_cond_timedwait(&b->asked, &b->mutex, &end);
    }
}

static void *run_thread(void *argument)
{
    backlog *b = argument;
    thread_set_other(true);
    (void)pthread_mutex_lock(&b->mutex);
    while (b->waiting.used > 0 || !b->shutdown) {
        if (b->waiting.used == 0 || has_time(b)) {
            wait_for_work(b);
            continue;
        }
        take_work(b);
        const bool failed = b->error.status != WEFT_OK;
        (void)pthread_mutex_unlock(&b->mutex);
        error e = {.status = WEFT_OK};
        int64_t done = 0;
        const weft_status status = do_work(b, failed, &done, &e);
        (void)pthread_mutex_lock(&b->mutex);
        b->busy = false;
        b->done += done;
        b->pause_ns = clock_now_ns() + PAUSE_NS;
        if (status != WEFT_OK) {
            b->error = e;
        }
        (void)pthread_cond_broadcast(&b->settled);
        if (b->wake != NULL) {
            b->wake(b->wakes);
        }
    }
    (void)pthread_mutex_unlock(&b->mutex);
    return NULL;
}

static void free_backlog(backlog *b)
{
    (void)pthread_cond_destroy(&b->settled);
    (void)pthread_cond_destroy(&b->asked);
    (void)pthread_mutex_destroy(&b->mutex);
    free(b->waiting.bytes);
    free(b->work.bytes);
    free(b);
}

static void init_asked(backlog *b)
{
    pthread_condattr_t attributes;
    (void)pthread_condattr_init(&attributes);
    (void)pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    (void)pthread_cond_init(&b->asked, &attributes);
    (void)pthread_condattr_destroy(&attributes);
}

weft_status backlog_create(int fd, const char *path, backlog **out, error *e)
{
    backlog *b = calloc(1, sizeof *b);
    if (b == NULL) {
        return error_memory(e, "the thread that writes to %s", path);
    }
    b->fd = fd;
    b->path = path;
    (void)pthread_mutex_init(&b->mutex, NULL);
    init_asked(b);
    (void)pthread_cond_init(&b->settled, NULL);
    const int number = pthread_create(&b->thread, NULL, run_thread, b);
    if (number != 0) {
        free_backlog(b);
        char host[HOST_NAME_BYTES];
        host_name(host);
        return error_system(
            e, number,
            "host %s: cannot start a thread that writes to the result; " ERROR_MORE_THREADS, host);
    }
    *out = b;
    return WEFT_OK;
}

void backlog_set_wake(backlog *b, backlog_wake_fn wake, void *context)
{
    (void)pthread_mutex_lock(&b->mutex);
    b->wake = wake;
    b->wakes = context;
    (void)pthread_mutex_unlock(&b->mutex);
}

void backlog_destroy(backlog *b)
{
    if (b == NULL) {
        return;
    }
    (void)pthread_mutex_lock(&b->mutex);
    b->shutdown = true;
    (void)pthread_cond_signal(&b->asked);
    (void)pthread_mutex_unlock(&b->mutex);
    (void)pthread_join(b->thread, NULL);
    free_backlog(b);
}

static weft_status add(backlog *b, const entry *each, const void *bytes, error *e)
{
    const size_t copied = bytes != NULL ? each->count : 0;
    (void)pthread_mutex_lock(&b->mutex);
    list *l = &b->waiting;
    const bool first = l->used == 0;
    weft_status status = b->error.status;
    if (status != WEFT_OK) {
        *e = b->error;
    } else if (!ARRAY_RESERVE(l->bytes, l->room, (int64_t)(l->used + sizeof *each + copied))) {
        status = error_memory(e, "what is to be written");
        b->error = *e;
    } else {
        memcpy(l->bytes + l->used, each, sizeof *each);
        l->used += sizeof *each;
        if (copied > 0) {
            memcpy(l->bytes + l->used, bytes, copied);
            l->used += copied;
        }
        l->kept += each->kept != NULL ? each->count : 0;
        l->urgent = l->urgent || each->kept == NULL;
        if (first || l->urgent || l->kept >= MUCH_BYTES) {
            (void)pthread_cond_signal(&b->asked);
        }
    }
    (void)pthread_mutex_unlock(&b->mutex);
    return status;
}

weft_status backlog_write(backlog *b, int64_t offset, const void *bytes, size_t count, error *e)
{
    const entry each = {.offset = offset, .count = count};
    return add(b, &each, bytes, e);
}

weft_status backlog_write_kept(backlog *b, int64_t offset, const void *bytes, size_t count,
                               backlog_release_fn release, void *memory, error *e)
{
    const entry each = {
        .offset = offset, .count = count, .kept = bytes, .release = release, .memory = memory};
    return add(b, &each, NULL, e);
}

weft_status backlog_call(backlog *b, backlog_fn call, void *context, error *e)
{
    const entry each = {.call = call, .context = context};
    return add(b, &each, NULL, e);
}

int64_t backlog_done(backlog *b)
{
    (void)pthread_mutex_lock(&b->mutex);
    const int64_t done = b->done;
    (void)pthread_mutex_unlock(&b->mutex);
    return done;
}

/* With the mutex held. */
static bool is_idle(const backlog *b)
{
    return !b->busy && b->waiting.used == 0;
}

static weft_status failure(const backlog *b, error *e)
{
    if (b->error.status != WEFT_OK) {
        *e = b->error;
    }
    return b->error.status;
}

bool backlog_idle(backlog *b)
{
    (void)pthread_mutex_lock(&b->mutex);
    const bool idle = is_idle(b);
    (void)pthread_mutex_unlock(&b->mutex);
    return idle;
}

weft_status backlog_status(backlog *b, error *e)
{
    (void)pthread_mutex_lock(&b->mutex);
    const weft_status status = failure(b, e);
    (void)pthread_mutex_unlock(&b->mutex);
    return status;
}

weft_status backlog_wait(backlog *b, error *e)
{
    (void)pthread_mutex_lock(&b->mutex);
    b->waiting.urgent = true;
    (void)pthread_cond_signal(&b->asked);
    while (!is_idle(b)) {
        (void)pthread_cond_wait(&b->settled, &b->mutex);
    }
    const weft_status status = failure(b, e);
    (void)pthread_mutex_unlock(&b->mutex);
    return status;
}
