/* SPDX-License-Identifier: BSD-3-Clause */
/* A thread that writes to a file, one thing after the other, so that who asks for it never waits
 * for a disk. */
#include "store/io/backlog.h"

#include "base/array.h"
#include "base/thread.h"
#include "host/host.h"
#include "store/io/bytes.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

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
    list waiting; /* what is added */
    list work;    /* what the thread is at; its own while busy */
    int64_t done; /* entries */
    bool busy;
    bool shutdown;
    error error;
};

static weft_status do_entry(const backlog *b, const entry *each, const unsigned char *bytes,
                            error *e)
{
    if (each->call != NULL) {
        return each->call(each->context, e);
    }
    return bytes_write(b->fd, b->path, each->kept != NULL ? each->kept : bytes, each->count,
                       each->offset, e);
}

/* Up to the first failure, now or earlier: what comes later may rest on what has failed. */
static weft_status do_work(const backlog *b, bool failed, int64_t *done, error *e)
{
    weft_status status = WEFT_OK;
    for (size_t at = 0; at < b->work.used;) {
        entry each;
        memcpy(&each, b->work.bytes + at, sizeof each);
        at += sizeof each;
        if (status == WEFT_OK && !failed) {
            status = do_entry(b, &each, b->work.bytes + at, e);
            *done += status == WEFT_OK;
        }
        if (each.release != NULL) {
            each.release(each.memory);
        }
        at += each.kept != NULL ? 0 : each.count;
    }
    return status;
}

/* Everything that waits is taken at once; meanwhile the next list fills. */
static void take_work(backlog *b)
{
    const list empty = {.bytes = b->work.bytes, .room = b->work.room};
    b->work = b->waiting;
    b->waiting = empty;
    b->busy = true;
}

static void *run_thread(void *argument)
{
    backlog *b = argument;
    thread_set_other(true);
    (void)pthread_mutex_lock(&b->mutex);
    while (b->waiting.used > 0 || !b->shutdown) {
        if (b->waiting.used == 0) {
            (void)pthread_cond_wait(&b->asked, &b->mutex);
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

weft_status backlog_create(int fd, const char *path, backlog **out, error *e)
{
    backlog *b = calloc(1, sizeof *b);
    if (b == NULL) {
        return error_memory(e, "the thread that writes to %s", path);
    }
    b->fd = fd;
    b->path = path;
    (void)pthread_mutex_init(&b->mutex, NULL);
    (void)pthread_cond_init(&b->asked, NULL);
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
        (void)pthread_cond_signal(&b->asked);
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
    while (!is_idle(b)) {
        (void)pthread_cond_wait(&b->settled, &b->mutex);
    }
    const weft_status status = failure(b, e);
    (void)pthread_mutex_unlock(&b->mutex);
    return status;
}
