/* SPDX-License-Identifier: BSD-3-Clause */
/* A thread that forces a store's data to disk, so that the agent never waits for the disk. */
#include "store/syncer.h"

#include "base/clock.h"
#include "base/thread.h"

#include <assert.h>
#include <stdatomic.h>
#include <stdlib.h>

struct syncer {
    store *store;
    backlog *backlog;
    _Atomic int64_t ns; /* that the last one took */
};

static weft_status sync_now(void *context, error *e)
{
    syncer *y = context;
    const int64_t start = clock_now_ns();
    const weft_status status = store_sync(y->store, e);
    atomic_store(&y->ns, clock_now_ns() - start);
    return status;
}

weft_status syncer_create(store *s, backlog_wake_fn wake, void *context, syncer **out, error *e)
{
    assert(thread_drives());
    syncer *y = calloc(1, sizeof *y);
    if (y == NULL) {
        return error_memory(e, "the thread that syncs");
    }
    y->store = s;
    const weft_status status = backlog_create(-1, NULL, &y->backlog, e);
    if (status != WEFT_OK) {
        free(y);
        return status;
    }
    backlog_set_wake(y->backlog, wake, context);
    *out = y;
    return WEFT_OK;
}

void syncer_destroy(syncer *y)
{
    assert(thread_drives());
    if (y != NULL) {
        backlog_destroy(y->backlog);
        free(y);
    }
}

void syncer_ask(syncer *y)
{
    assert(thread_drives());
    error e = {.status = WEFT_OK};
    if (backlog_call(y->backlog, sync_now, y, &e) != WEFT_OK) {
        return; /* syncer_status() says it, too */
    }
}

bool syncer_busy(syncer *y)
{
    return !backlog_idle(y->backlog);
}

double syncer_seconds(syncer *y)
{
    return 1e-9 * (double)atomic_load(&y->ns);
}

weft_status syncer_status(syncer *y, error *e)
{
    return backlog_status(y->backlog, e);
}
