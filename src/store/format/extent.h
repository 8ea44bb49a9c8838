/* SPDX-License-Identifier: BSD-3-Clause */
/* The places of all datasets of a result, in the order in which they lie in the file. */
#ifndef STORE_FORMAT_EXTENT_H
#define STORE_FORMAT_EXTENT_H

#include "space/job.h"
#include "store/format/metadata.h"
#include "store/format/schema.h"

#include <stdbool.h>
#include <stdint.h>

typedef struct extent {
    int64_t offset;
    int64_t bytes; /* more than 0 */
    const char *map;
    const char *name;
    bool is_table;        /* and no field … */
    bool is_accumulators; /* … or these */
} extent;

typedef struct extents {
    extent *list; /* owned */
    int64_t count;
    int64_t room;
    bool incomplete; /* memory ran out */
} extents;

/* Adds one, unless it is empty. */
void extents_add(extents *x, const extent *one);

/* Adds all datasets of these maps, which are settled. */
void extents_collect(extents *x, int maps, job *const jobs[], const metadata_layout layouts[]);

void extents_sort(extents *x);

/* Of extents that are sorted, the first that shares bytes with the one behind it; NULL: none. */
const extent *extents_find_overlap(const extents *x);

/* How it is called in the file. */
void extent_path(const extent *one, char path[SCHEMA_PATH_BYTES]);

void extents_clear(extents *x);

#endif
