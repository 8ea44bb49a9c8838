/* SPDX-License-Identifier: BSD-3-Clause */
/* /weft/<map>/leases: a byte per tile, 1 from before the tile is handed out until the run ends in
 * good order. A lease of a tile that is not done outlasts every process: the rank that had the tile
 * has died, perhaps of the tile.
 *
 * Thread: rank 0's driver. */
#ifndef STORE_LEASE_TABLE_H
#define STORE_LEASE_TABLE_H

#include "base/error.h"
#include "store/io/backlog.h"

#include <stdbool.h>
#include <stdint.h>

typedef struct lease_table lease_table;

/* Reads the bytes at that offset of an open file, unless that has just been created: there they are
 * zero. A thread of its own writes, so that a lease need not wait for what is forced to disk;
 * descriptor and path stay the caller's. */
weft_status lease_table_open(int fd, const char *path, int64_t offset, bool created, int64_t tiles,
                             lease_table **out, error *e);

/* Waits for what is to be written. NULL is allowed. */
void lease_table_close(lease_table *l);

/* The thread that writes calls `wake` when it has written; NULL: nothing. */
void lease_table_set_wake(lease_table *l, backlog_wake_fn wake, void *context);

bool lease_table_holds(const lease_table *l, int64_t tile);

/* Leases, or frees, a run of tiles; costs nothing where that is so already. Fails with the first
 * failure of those before it. */
weft_status lease_table_set(lease_table *l, int64_t first, int64_t tiles, bool leased, error *e);

/* How much has been asked for, and whether that much is in the file: where the next process finds
 * it, even if this one dies. */
int64_t lease_table_asked(const lease_table *l);
bool lease_table_written(lease_table *l, int64_t asked);

/* Whether all is in the file, or has failed. */
bool lease_table_idle(lease_table *l);

/* The first failure, if any. */
weft_status lease_table_status(lease_table *l, error *e);

/* Waits until it is idle; the first failure, if any. */
weft_status lease_table_wait(lease_table *l, error *e);

#endif
