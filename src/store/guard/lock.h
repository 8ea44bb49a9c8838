/* SPDX-License-Identifier: BSD-3-Clause */
/* The lock beside a result, FILE.lock: one run writes at a time. */
#ifndef STORE_GUARD_LOCK_H
#define STORE_GUARD_LOCK_H

#include "base/error.h"

#include <stdbool.h>
#include <stddef.h>

typedef struct lock lock;

/* Takes the lock; the error says which process has it. One left behind by a dead run is taken over.
 *
 * The file names host, process and time. It is held by a lock of the operating system, which dies
 * with its process and reaches over NFS. Where the file system offers none, whose name is in the
 * file has it: a process that can be seen from here is looked up, and another counts as dead when
 * the file has not been touched for a minute (lock_touch()), by the file system's clock. A file in
 * its place that no run has written is left alone. A path where no file can be is WEFT_ERR_USAGE.
 */
weft_status lock_take(const char *path, lock **out, error *e);

/* Shows that the holder is alive; to be called every few seconds. Where the lock file was removed
 * it is created again, and *lost says that another run may have been there meanwhile; an error if
 * one still is. */
weft_status lock_touch(lock *l, bool *lost, error *e);

/* Removes the lock file, if it is still ours. NULL is allowed. */
void lock_release(lock *l);

/* In a forked child: the lock is the parent's, and ends with it. NULL is allowed. */
void lock_forget(lock *l);

/* Who holds the lock of a result: true, and "pid 12 on host a since …", if anybody does. */
bool lock_holder(const char *path, char *text, size_t bytes);

#endif
