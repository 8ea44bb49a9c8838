/* SPDX-License-Identifier: BSD-3-Clause */
/* What rank 0 records of a run: tiles, failures, and the run's own row. */
#ifndef ENGINE_BOOKS_H
#define ENGINE_BOOKS_H

#include "engine/dispatch.h"
#include "engine/message.h"
#include "engine/placement.h"
#include "engine/progress.h"
#include "range/job.h"
#include "store/store.h"

#include <stdbool.h>
#include <stddef.h>

typedef struct books books;

/* What they work with; all of it lives longer. */
typedef struct books_setup {
    const job *job;
    store *store;
    const placement *placement;
    dispatch *dispatch; /* not started yet */
    bool retry_failed;  /* tiles with failed items are not done */
    bool sync;          /* they are forced to disk at the end */
    const char *path;
    const char *command;
} books_setup;

/* Tells the dispatch what earlier runs have done, and what they may have died of, and begins the
 * run's row. */
weft_status books_open(const books_setup *setup, books **out, error *e);

/* NULL is allowed. */
void books_close(books *b);

/* Records a report of so many bytes. What has been reported before is compared, and counted as
 * computed twice. */
weft_status books_take(books *b, int rank, const message_report *report, size_t count, error *e);

/* A rank is taken for dead with so many tiles in its hands. */
void books_lose(books *b, int rank, int64_t tiles);

/* Brings the run's row up to date. */
weft_status books_update(books *b, error *e);

/* The run is over, for that reason: the last of the row. No tile is leased any more but those that
 * dispatch_careful() still warns of. All that is recorded is then on its way to the file, see
 * store_flushed(). */
weft_status books_end(books *b, weft_status why, error *e);

/* Items of the job that are done, those that failed included. */
int64_t books_done(const books *b);

/* Of these, those that failed. */
int64_t books_failed(const books *b);

/* Fills in what the closing line tells of the work. */
void books_sum_up(const books *b, progress_summary *summary);

#endif
