/* SPDX-License-Identifier: BSD-3-Clause */
/* The HDF5 side of a result: its objects are created once, and read to learn where the bytes lie.
 */
#ifndef STORE_FORMAT_METADATA_H
#define STORE_FORMAT_METADATA_H

#include "base/error.h"
#include "space/job.h"

#include <stdbool.h>
#include <stdint.h>

/* The rows of a table that a process reads as a whole: what a file says would be memory. */
enum { METADATA_MOST_ROWS = 1 << 17 };

/* Where things of a map lie in the file, and which file it is. Plain bytes, for other ranks too. */
typedef struct metadata_layout {
    int64_t field_offset[WEFT_MAX_FIELDS];    /* and of accumulators; -1: the dataset is empty */
    int64_t value_offset[WEFT_MAX_FIELDS];    /* of reductions */
    int64_t coordinate_offset[WEFT_MAX_DIMS]; /* of the dimensions that there are; -1: none */
    int64_t values_offset;                    /* of the table of checksums of values; -1: none */
    int64_t tiles_offset;                     /* likewise */
    int64_t leases_offset;                    /* likewise */
    int64_t failures_offset;
    int64_t failure_rows;
    int64_t map; /* its number in the file */
    /* The same for all maps of the file: */
    int64_t runs_offset;
    int64_t run_rows;
    int64_t file_bytes; /* the least that the file must have */
    uint64_t inode;
} metadata_layout;

typedef struct metadata {
    int maps;
    job **job; /* settled; owned, as the two lists are */
    metadata_layout *layout;
    char version[WEFT_NAME_BYTES];
    char created[WEFT_NAME_BYTES];
} metadata;

/* Makes a file with every object that it will ever have, those of `maps` jobs, on disk space that
 * is reserved, and gives it its name last: under `path` there is a whole file or none, also after a
 * power cut if it is forced to disk (`sync`). An earlier one there is put aside before that, see
 * place_clear(). */
weft_status metadata_create(const char *path, int maps, job *const jobs[], bool sync,
                            metadata_layout layouts[], error *e);

/* Reads a file's metadata, in a process of its own; checks that it is a whole result. */
weft_status metadata_read(const char *path, metadata *m, error *e);

/* The number of a map, by its name; -1: the file has none of that name. */
int metadata_find(const metadata *m, const char *name);

/* Frees what metadata_read() allocated. */
void metadata_release(metadata *m);

#endif
