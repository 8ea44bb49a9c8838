/* SPDX-License-Identifier: BSD-3-Clause */
/* How a run ends: all is done, it is told to stop or short of time, or something has failed. Then
 * nothing more is begun, all ranks are waited for until they have returned from their kernels, but
 * never without a limit, the run record is closed, and all ranks are told. */
#ifndef SCHED_SHUTDOWN_H
#define SCHED_SHUTDOWN_H

#include "sched/dispatch.h"
#include "sched/effects.h"
#include "sched/members.h"

#include <stdbool.h>
#include <stdint.h>

typedef struct shutdown shutdown;

/* What it works with; all of it lives longer. */
typedef struct shutdown_setup {
    const effects *outside;
    dispatch *dispatch;
    members *members;
    int ranks;
    int64_t items;
    int64_t deadline_ns; /* when the run must be over; 0: it takes the time it takes */
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
void shutdown_take_signal(shutdown *x, int number, int64_t now_ns);
void shutdown_take_error(shutdown *x, const error *why, int64_t now_ns);

/* A rank has left, and may have left a kernel behind that had not returned in time. */
void shutdown_take_leave(shutdown *x, int rank, bool dropped);

/* A rank that was presumed dead is back: it may have to stop at once. */
void shutdown_tell(shutdown *x, int rank, int64_t now_ns);

/* Ends the run, step by step, where it is time to. */
void shutdown_step(shutdown *x, int64_t now_ns);

#endif
