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

/* What it points to lives longer. */
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
void shutdown_destroy(shutdown *s);

/* What is due by the clock, after all messages have been read and dead ranks buried. */
void shutdown_step(shutdown *s, int64_t now_ns);

/* How long tiles take, and forcing results to disk: what is begun has to be over in time. */
void shutdown_measure(shutdown *s, const news *n);
void shutdown_measure_sync(shutdown *s, int64_t sync_ns);

/* How long tiles can still be begun before the time limit, perhaps below 0; INT64_MAX: there is no
 * limit. */
int64_t shutdown_time_left(const shutdown *s, int64_t now_ns);

/* The run is told to stop, by a signal or SIGNAL_CANCEL. */
void shutdown_signal(shutdown *s, int number, int64_t now_ns);

/* The run cannot go on. The first error counts. */
void shutdown_take_error(shutdown *s, const error *why, int64_t now_ns);

/* Some items may be with two ranks: a kernel may still be at them when all are done. */
void shutdown_expect_repeats(shutdown *s);

/* A rank that had been presumed dead is back: it may have to stop at once. */
void shutdown_tell(shutdown *s, int rank, int64_t now_ns);

/* A rank has left, or is about to. */
void shutdown_leave(shutdown *s, int rank, const message_left *left, int64_t now_ns);

/* Nothing has been asked for yet: tiles are handed out. */
bool shutdown_running(const shutdown *s);

/* The record is closed, or about to be: nothing that arrives counts any more. */
bool shutdown_closed(const shutdown *s);

/* All ranks have been told that the run is over. */
bool shutdown_over(const shutdown *s);

/* What the run has come to; before it is over, that it was stopped. */
weft_status shutdown_status(const shutdown *s);

#endif
