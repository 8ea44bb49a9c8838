/* SPDX-License-Identifier: BSD-3-Clause */
/* A map of the open result: bytes go to their final place from any thread of any rank.
 *
 * Thread: the driver, but for what says "any thread". */
#ifndef STORE_STORE_H
#define STORE_STORE_H

#include "base/error.h"
#include "space/job.h"
#include "store/format/metadata.h"
#include "store/lease_table.h"
#include "store/store_file.h"
#include "store/tile_table.h"

#include <stdbool.h>

/* A map of a result that is open for writing. */
typedef struct store store;

/* Rank 0: opens one of the file's maps, if it is that job, which is settled; only its grain may be
 * changed. An error if another run has taken the file meanwhile, or another file its place. */
weft_status store_open(store_file *f, job *j, store_policy policy, store **out, error *e);

/* What other ranks need for store_attach(). */
const metadata_layout *store_layout(const store *s);

/* Every other rank, once rank 0 has opened the file. */
weft_status store_attach(const char *path, const job *j, const metadata_layout *layout, store **out,
                         error *e);

/* Rank 0: the tables. */
tile_table *store_ledger(store *s);
lease_table *store_leases(store *s);

/* Writes rows of a column: a field's values at a run of items, or accumulators of a run of tiles.
 * Any thread; no two threads the same rows. */
weft_status store_write(store *s, int column, int64_t first, int64_t rows, const void *bytes,
                        error *e);

/* Reads them back. Any thread. */
weft_status store_read(store *s, int column, int64_t first, int64_t rows, void *bytes, error *e);

/* Rank 0: writes the value of a reduction, and that it is there. */
weft_status store_write_value(store *s, int reduction, const void *value, error *e);

/* Rank 0: reads it back, if it is there, and whole. */
weft_status store_read_value(store *s, int reduction, void *value, bool *there, error *e);

/* Rank 0: from now on no value is there. */
weft_status store_forget_values(store *s, error *e);

/* Forces to disk what has been written so far. Any thread. */
weft_status store_sync(store *s, error *e);

/* Rank 0. The calls below, but for those that say so, and the writing of the tables wait for no
 * disk: the table thread does the work, in order. After its first failure it does nothing more, and
 * all later calls on the tables fail with that. */

/* Every second or so: shows other hosts that the locks of all open files are alive, and looks
 * whether this file is still there. */
void store_touch(store *s);

/* The threads that write call `wake` when leases have been written, and from store_flush() on also
 * when anything else has; NULL: nothing. */
void store_set_wake(store *s, backlog_wake_fn wake, void *context);

/* Begins to bring to the file what the tables hold now, and then, if asked for, to force the file
 * to disk. */
void store_flush(store *s, bool to_disk);

/* Whether all that is done, or has failed. */
bool store_flushed(store *s);

/* The first failure, if any. */
weft_status store_status(store *s, error *e);

/* Waits until it is flushed; the first failure, if any. */
weft_status store_settle(store *s, error *e);

/* Any rank, at its end: closes the file. Some file systems say only now that they could not keep
 * what was written, if it has not been forced to disk. */
weft_status store_finish(store *s, error *e);

/* In a forked child: lets go of the file and of the locks of all files, which are the parent's
 * alone and are to end with it. */
void store_forget(store *s);

/* Rank 0, when the process is about to end while workers may still write: gives up the locks of all
 * files, if everything is flushed, but of those that another run writes to. These end with the
 * process, as all else does: no other run may have a file before the last of it is written. */
void store_leave(store *s);

/* Frees it, and closes the file if that is still to be done. NULL is allowed. */
void store_close(store *s);

#endif
