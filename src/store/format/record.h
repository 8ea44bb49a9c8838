/* SPDX-License-Identifier: BSD-3-Clause */
/* The rows of /weft/tiles, /weft/failures and /weft/runs, as they lie on disk. */
#ifndef STORE_FORMAT_RECORD_H
#define STORE_FORMAT_RECORD_H

#include "space/tiling.h"

#include <stdbool.h>
#include <stdint.h>

typedef enum tile_state {
    TILE_EMPTY = 0,
    TILE_DONE = 1,
    TILE_DONE_WITH_FAILURES = 2,
    TILE_QUARANTINED = 3
} tile_state;

typedef struct tile_record {
    uint8_t state;
    uint8_t unused;
    uint16_t attempts;
    uint32_t failed; /* items that hold fill values */
    int32_t rank;
    int32_t worker;
    int32_t run; /* row of /weft/runs */
    int32_t unused2;
    double start;   /* seconds since 1970 */
    double seconds; /* in the kernel; a span's time is shared out over its tiles by items */
    uint64_t checksum;
    uint64_t unused3;
    uint64_t check; /* over all before it and the tile's number */
} tile_record;

typedef struct failure_row {
    int64_t item;
    int32_t code; /* 0: the row is not in use */
    char text[116];
} failure_row;

typedef struct run_row {
    double start; /* 0: the row is not in use */
    double end;
    int32_t ranks;
    int32_t workers;
    int32_t hosts;
    int32_t cores; /* that its ranks may use, over all hosts; 0: unknown */
    int64_t items;
    int64_t failed;
    int64_t duplicates;
    double busy;
    char outcome[16];
    char host_names[128];
    char command[256];
    double cpu;        /* seconds that its workers had of a core while they were busy; 0: unknown */
    double wait;       /* … and waited for one that others had */
    int32_t lost;      /* ranks that were taken for dead */
    int32_t lost_rank; /* the last of them … */
    double lost_at;    /* … and when that was, in seconds since 1970 */
    int64_t lost_items; /* that were in such ranks' hands, and were handed out again */
    char unused[8];
} run_row;

_Static_assert(sizeof(tile_record) == 64, "format version 1");
_Static_assert(sizeof(failure_row) == 128, "format version 1");
_Static_assert(sizeof(run_row) == 512, "format version 1");

/* Computes the check of a record that is otherwise complete. */
void tile_record_seal(tile_record *record, int64_t tile);

/* False if the record is torn, damaged or another tile's; one that was never written is sound. */
bool tile_record_sound(const tile_record *record, int64_t tile);

/* True for a sound record of a tile whose bytes are all in place. */
bool tile_record_done(const tile_record *record);

/* The row is that of a run that has not closed it, so it is older than the tile records: sets what
 * they know better, its items and failed items, its time in the kernel, its end. */
void run_row_recount(run_row *row, int32_t run, const tile_record records[], const tiling *tiles);

#endif
