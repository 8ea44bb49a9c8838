/* SPDX-License-Identifier: BSD-3-Clause */
/* What rank 0 records of a run: tiles, failures, and the run's own row.
 *
 * Thread: rank 0's driver. */
#ifndef ENGINE_COORD_RUN_RECORD_H
#define ENGINE_COORD_RUN_RECORD_H

#include "engine/coord/efforts.h"
#include "engine/coord/progress.h"
#include "engine/layout/placement.h"
#include "sched/dispatch.h"
#include "sched/message.h"
#include "sched/technique.h"
#include "space/job.h"
#include "store/store.h"

#include <stdbool.h>
#include <stddef.h>

typedef struct run_record run_record;

/* What they work with; all of it lives longer. */
typedef struct run_record_setup {
    const job *job;
    store *store;
    const placement *placement;
    dispatch *dispatch; /* not started yet */
    efforts *efforts;   /* what the run's row says of workers */
    const run_options *options;
} run_record_setup;

/* Tells the dispatch what earlier runs have done, and what they may have died of, and begins the
 * run's row. */
weft_status run_record_open(const run_record_setup *setup, run_record **out, error *e);

/* NULL is allowed. */
void run_record_close(run_record *b);

/* Records a report of `count` bytes, which is part of `piece`, a pool's. What has been reported
 * before is compared, and counted as computed twice. */
weft_status run_record_take(run_record *b, const message_report *report, size_t count, void *piece,
                            error *e);

/* A rank is presumed dead with `tiles` tiles in progress. */
void run_record_lose(run_record *b, int rank, int64_t tiles);

/* Brings the run's row up to date. */
weft_status run_record_update(run_record *b, error *e);

/* The run is over, for that reason: the last of the row. No tile is leased any more but those that
 * dispatch_next_careful() still finds. All that is recorded is then on its way to the file, see
 * store_flushed(). */
weft_status run_record_end(run_record *b, weft_status why, error *e);

/* Items of the job that are done, those that failed included. */
int64_t run_record_done(const run_record *b);

/* Of these, those that failed. */
int64_t run_record_failed(const run_record *b);

/* Fills in what the closing line tells of the work. */
void run_record_sum_up(const run_record *b, progress_summary *summary);

#endif
