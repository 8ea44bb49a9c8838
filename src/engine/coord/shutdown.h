/* SPDX-License-Identifier: BSD-3-Clause */
/* How a run ends: all is done, it is told to stop or short of time, or something has failed. Then
 * nothing more is begun, all ranks are waited for until they have come back from their kernels, but
 * never without a limit, the run record is closed, and all ranks are told. */
#ifndef ENGINE_COORD_SHUTDOWN_H
#define ENGINE_COORD_SHUTDOWN_H

#include "engine/coord/run_record.h"
#include "engine/link/members.h"
#include "sched/dispatch.h"
#include "store/store.h"

#include <stdbool.h>
#include <stdint.h>

typedef struct shutdown shutdown;

/* What it works with; all of it lives longer. */
typedef struct shutdown_setup {
    store *store;
    run_record *run_record;
    dispatch *dispatch;
    members *members;
    int ranks;
    int64_t items;
    const run_options *options;
} shutdown_setup;

weft_status shutdown_create(const shutdown_setup *setup, shutdown **out, error *e);

/* NULL is allowed. */
void shutdown_destroy(shutdown *x);

/* Nothing has ended the run yet. */
bool shutdown_far(const shutdown *x);

/* The run record is closed, or about to be: nothing that arrives counts any more. */
bool shutdown_closed(const shutdown *x);

/* All have been told. */
bool shutdown_over(const shutdown *x);

/* What the run has come to; before it is over, that it was stopped. */
weft_status shutdown_status(const shutdown *x);

/* How long tiles take, and how long it took a rank to force results to disk. */
void shutdown_learn(shutdown *x, const news *n);
void shutdown_learn_sync(shutdown *x, int64_t ns);

/* How long, before a time limit, tiles can still be begun; nothing if there is no limit. */
int64_t shutdown_time_left(const shutdown *x, int64_t now_ns);
bool shutdown_limited(const shutdown *x);

/* Some items may be with two ranks, of which one may still be at it when all are done. */
void shutdown_expect_repeats(shutdown *x);

/* What may end it. The first error counts. */
void shutdown_take_signal(shutdown *x, int number);
void shutdown_take_error(shutdown *x, const error *why);

/* A rank has left, and may have left a kernel behind that had not come back in time. */
void shutdown_take_leave(shutdown *x, int rank, bool dropped);

/* A rank that was taken for dead is back: it may have to stop at once. */
void shutdown_tell(shutdown *x, int rank);

/* Ends the run, step by step, where it is time to. */
void shutdown_step(shutdown *x, int64_t now_ns);

#endif
