/* SPDX-License-Identifier: BSD-3-Clause */
/* A result that a session writes to: its lock, which maps it holds, and where they lie in it.
 *
 * Thread: the drivers of rank 0, of which one at a time opens a file or a map, but for what says
 * otherwise. */
#ifndef STORE_STORE_FILE_H
#define STORE_STORE_FILE_H

#include "base/error.h"
#include "space/job.h"
#include "store/format/metadata.h"
#include "store/tile_table.h"

#include <stdbool.h>
#include <stdint.h>

typedef struct store_file store_file;

/* How an existing file is treated. */
typedef struct store_policy {
    bool fresh;       /* it moves to FILE.bak once another is whole, see place_clear() */
    bool later;       /* another file has been opened in this session */
    bool sync;        /* one that is made is forced to disk before it gets its name */
    bool adopt_grain; /* its grains are taken over, since the user has named none */
} store_policy;

/* Rank 0: takes the lock, then makes the file, or opens it if it holds the same maps, in any order.
 * The jobs are settled; only their grains may be changed. A path that is a symbolic link means its
 * target, also one that is still to be made. */
weft_status store_file_open(const char *path, int maps, job *const jobs[], store_policy policy,
                            store_file **out, error *e);

/* Lets go of the file; with the last of its maps that is closed goes the lock. NULL is allowed. */
void store_file_release(store_file *f);

/* What the run of a map needs to know. */
typedef struct store_map {
    const char *path; /* of the file, wherever the program may go */
    metadata_layout layout;
    tile_table_news created; /* what has been made since, if no map was written to */
} store_map;

/* One of its maps, if it is that job, see store_open(). The file has one more user. */
weft_status store_file_open_map(store_file *f, job *j, bool adopt_grain, store_map *out, error *e);

/* From now on that map is not what it was when the file was made. */
void store_file_set_written(store_file *f, const char *map);

/* Whether a descriptor is that of the file whose layouts are known, and that is still in its place
 * and has that many bytes: another file may have its path by now. */
weft_status store_file_check(const store_file *f, int fd, int64_t bytes, error *e);

/* Shows that the locks of all open files are alive; an error only if that file's is lost. The table
 * thread. */
weft_status store_file_touch_all(store_file *mine, error *e);

/* In a forked child: lets go of the locks of all open files, which are the parent's. */
void store_file_forget_locks(void);

/* Gives up the locks of all open files, but of those that another map than one of `mine` is open
 * of. */
void store_file_release_locks(const store_file *mine);

#endif
