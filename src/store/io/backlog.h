/* SPDX-License-Identifier: BSD-3-Clause */
/* A thread that writes to a file, in order, so that the thread that asks for it never waits for a
 * disk.
 *
 * Thread: any, but for creating and destroying it, which is the driver's. */
#ifndef STORE_IO_BACKLOG_H
#define STORE_IO_BACKLOG_H

#include "base/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct backlog backlog;

/* What the thread is to do besides writing. */
typedef weft_status (*backlog_fn)(void *context, error *e);

typedef void (*backlog_release_fn)(void *memory);

/* What the thread calls when something has been done; it waits for nothing. */
typedef void (*backlog_wake_fn)(void *context);

/* Starts the thread. Descriptor and path stay the caller's; -1 and NULL if nothing is written. */
weft_status backlog_create(int fd, const char *path, backlog **out, error *e);

/* From now on the thread calls `wake`; NULL: nothing, and no call is in progress. */
void backlog_set_wake(backlog *b, backlog_wake_fn wake, void *context);

/* Waits for what has been asked for, and ends the thread. NULL is allowed. */
void backlog_destroy(backlog *b);

/* Writes a copy of these bytes, after all that was asked for before. Fails with the first failure
 * of what was; nothing is done any more after that. */
weft_status backlog_write(backlog *b, int64_t offset, const void *bytes, size_t count, error *e);

/* Writes the bytes themselves, which are part of `memory` and do not change until the thread has
 * called release(memory). It always does, also where nothing is written any more, unless this call
 * fails. Until something else is asked or waited for, they may stay some milliseconds, so that more
 * of them are written at once. */
weft_status backlog_write_kept(backlog *b, int64_t offset, const void *bytes, size_t count,
                               backlog_release_fn release, void *memory, error *e);

/* The same with a call. */
weft_status backlog_call(backlog *b, backlog_fn call, void *context, error *e);

/* How much of what was asked for has been done, in the order in which it was. */
int64_t backlog_done(backlog *b);

/* Whether nothing is left to do. */
bool backlog_idle(backlog *b);

/* The first failure, if any. */
weft_status backlog_status(backlog *b, error *e);

/* Waits until it is idle; the first failure, if any. */
weft_status backlog_wait(backlog *b, error *e);

#endif
