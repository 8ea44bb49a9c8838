/* SPDX-License-Identifier: BSD-3-Clause */
/* The flow of a run, in one rank: what is computed, by what, and where it goes.
 *
 * Thread: the driver sets it up before the team runs; later only atomic members change. */
#ifndef ENGINE_FLOW_FLOW_H
#define ENGINE_FLOW_FLOW_H

#include "base/pool.h"
#include "engine/flow/run_options.h"
#include "host/thread_state.h"
#include "sched/message.h"
#include "space/job.h"
#include "store/store.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <weft/span.h>

/* A failed item to compute again, and what its tile's bytes in the file must sum up to for the
 * others to be taken from there. */
typedef struct retry_item {
    int64_t item;
    uint64_t checksum;
} retry_item;

/* What all blocks of a rank have in common. */
typedef struct flow {
    const run_options *options;
    const job *job;
    store *store;
    pool *reports;
    pool *buffers; /* of blocks */
    weft_kernel_fn kernel;
    void *context;
    const thread_state *caller; /* of the run; NULL: a kernel may leave it changed */
    int64_t span_tiles;         /* one call of the kernel gets at most this many */
    int rank;
    int run;             /* row of the table of runs */
    int64_t origin_ns;   /* the clock … */
    double origin_s;     /* … and the time of day, read together */
    int64_t retry_count; /* items to compute again, and nothing else of their tiles; ascending */
    const retry_item *retry;
    struct isolation *isolation; /* needed for what is careful */
    struct lull *lull;           /* its; broken by who calls the kernel; NULL: nobody needs any */
    /* Rows of failures that this rank has given: as many as the table in the file holds will do. */
    _Atomic int64_t rows_given;
    struct misuse *misuse; /* what the kernel asks for that there is not */
    atomic_bool stopping;
    atomic_bool leaving; /* what children are at is given up */
    /* Without workers: the rank's other duties, which wait while its thread computes, but not while
     * it waits for a child; NULL: somebody else has them. */
    void (*attend)(void *agent);
    void *agent;
    /* Until when this rank is surely not presumed dead; 0: for ever. After that, what may not be
     * computed twice may not be written either: other ranks may have it. */
    _Atomic int64_t mine_until_ns;
} flow;

/* Whether the run has been told to stop. Any thread. */
bool flow_stopping(const flow *w);

/* Lets those know how far the run is who ask. */
void flow_tell(const run_options *options, const tally *now);

#endif
