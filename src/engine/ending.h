/* SPDX-License-Identifier: BSD-3-Clause */
/* How a run ends: all is done, it is told to stop or short of time, or something has failed. Then
 * nothing more is begun, all ranks are waited for until they have come back from their kernels, but
 * never without a limit, the books are closed, and everybody is told. */
#ifndef ENGINE_ENDING_H
#define ENGINE_ENDING_H

#include "engine/books.h"
#include "engine/dispatch.h"
#include "engine/roster.h"
#include "store/store.h"

#include <stdbool.h>
#include <stdint.h>

typedef struct ending ending;

/* What it works with; all of it lives longer. */
typedef struct ending_setup {
    store *store;
    books *books;
    dispatch *dispatch;
    roster *roster;
    int ranks;
    int64_t items;
    int64_t deadline_ns; /* when the run must be over; 0: it takes the time it takes */
} ending_setup;

weft_status ending_create(const ending_setup *setup, ending **out, error *e);

/* NULL is allowed. */
void ending_destroy(ending *x);

/* Nothing has ended the run yet. */
bool ending_far(const ending *x);

/* The books are closed, or about to be: nothing that arrives counts any more. */
bool ending_closed(const ending *x);

/* All have been told. */
bool ending_over(const ending *x);

/* What the run has come to; before it is over, that it was stopped. */
weft_status ending_status(const ending *x);

/* How long tiles take, and how long it took a rank to force results to disk. */
void ending_learn(ending *x, const news *n);
void ending_learn_sync(ending *x, int64_t ns);

/* How long, before a time limit, tiles can still be begun; nothing if there is no limit. */
int64_t ending_time_left(const ending *x, int64_t now_ns);
bool ending_limited(const ending *x);

/* Some items may be with two ranks, of which one may still be at it when all are done. */
void ending_expect_repeats(ending *x);

/* What may end it. The first error counts. */
void ending_take_signal(ending *x, int number);
void ending_take_error(ending *x, const error *why);

/* A rank has left, and may have left a kernel behind that had not come back in time. */
void ending_take_leave(ending *x, int rank, bool dropped);

/* A rank that was taken for dead is back: it may have to stop at once. */
void ending_tell(ending *x, int rank);

/* Ends the run, step by step, where it is time to. */
void ending_step(ending *x, int64_t now_ns);

#endif
