/* SPDX-License-Identifier: BSD-3-Clause */
/* The HDF5 side of a result: its objects are created once, and read to learn where the bytes lie.
 */
#ifndef STORE_FORMAT_METADATA_H
#define STORE_FORMAT_METADATA_H

#include "base/error.h"
#include "space/job.h"

#include <stdbool.h>
#include <stdint.h>

/* Where things lie in the file, and which file it is. Plain bytes, for other ranks too. */
typedef struct metadata_layout {
    int64_t field_offset[WEFT_MAX_FIELDS]; /* -1: the dataset is empty */
    int64_t tiles_offset;
    int64_t leases_offset; /* -1: there are none, as in files of earlier versions */
    int64_t failures_offset;
    int64_t runs_offset;
    int64_t failure_rows;
    int64_t run_rows;
    int64_t file_bytes; /* the least that the file must have */
    uint64_t inode;
} metadata_layout;

typedef struct metadata {
    job *job; /* settled; owned */
    metadata_layout layout;
    char version[WEFT_NAME_BYTES];
    char created[WEFT_NAME_BYTES];
} metadata;

/* Makes a file with every object that it will ever have, on disk space that is reserved, and gives
 * it its name last: under `path` there is a whole file or none, also after a power cut if it is
 * forced to disk (`sync`). An earlier one there is put aside before that, see place_clear(). */
weft_status metadata_create(const char *path, const job *j, bool sync, metadata_layout *layout,
                            error *e);

/* Reads a file's metadata, in a process of its own; checks that it is a whole result. */
weft_status metadata_read(const char *path, metadata *m, error *e);

/* Frees what metadata_read() allocated. */
void metadata_release(metadata *m);

#endif
