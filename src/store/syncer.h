/* SPDX-License-Identifier: BSD-3-Clause */
/* A thread that forces a store's data to disk, so that the agent never waits for the disk.
 *
 * Thread: the driver. */
#ifndef STORE_SYNCER_H
#define STORE_SYNCER_H

#include "base/error.h"
#include "store/io/backlog.h"
#include "store/store.h"

#include <stdbool.h>

typedef struct syncer syncer;

/* Starts the thread, which calls `wake` after each sync; NULL: nothing. */
weft_status syncer_create(store *s, backlog_wake_fn wake, void *context, syncer **out, error *e);

/* Waits for what has been asked for, and ends the thread. NULL is allowed. */
void syncer_destroy(syncer *y);

/* Asks for everything written before this call to be forced to disk. Only when not busy. */
void syncer_ask(syncer *y);

/* Whether it is syncing; false once that is on disk, or has failed. */
bool syncer_busy(syncer *y);

/* How long the last one took. */
double syncer_seconds(syncer *y);

/* The first failure, if any. */
weft_status syncer_status(syncer *y, error *e);

#endif
