/* SPDX-License-Identifier: BSD-3-Clause */
/* A rank's share of the work: blocks of tiles, computed span by span into a buffer, then written to
 * their place in the store. */
#ifndef ENGINE_WORK_H
#define ENGINE_WORK_H

#include "base/error.h"
#include "base/thread_state.h"
#include "engine/lull.h"
#include "engine/piece.h"
#include "range/job.h"
#include "store/store.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <weft/map.h>

/* A failed item to compute again, and what its tile's bytes in the file must sum up to for the
 * others to be taken from there. */
typedef struct retry_item {
    int64_t item;
    uint64_t checksum;
} retry_item;

/* What all blocks of a rank have in common. */
typedef struct work {
    const job *job;
    store *store;
    weft_kernel_fn kernel;
    void *context;
    const thread_state *caller; /* of the run; NULL: a kernel may leave it changed */
    bool pure;
    int64_t span_tiles; /* one call of the kernel gets at most so many */
    int rank;
    int run;             /* row of the table of runs */
    int64_t origin_ns;   /* the clock … */
    double origin_s;     /* … and the time of day, read together */
    int64_t retry_count; /* items to compute again, and nothing else of their tiles; ascending */
    const retry_item *retry;
    bool isolate;                /* everything is computed as if it were careful */
    struct isolation *isolation; /* needed for what is careful */
    lull *lull;                  /* its; broken by who calls the kernel; NULL: nobody needs any */
    bool never_apart;            /* nothing is computed in a child, however careful */
    /* Rows of failures that this rank has given: as many as the table in the file holds will do. */
    _Atomic int64_t rows_given;
    struct misuse *misuse; /* what the kernel asks for that there is not */
    atomic_bool stopping;
    atomic_bool leaving; /* what children are at is given up */
    /* Without workers: the rank's other duties, which wait while its thread computes, but not while
     * it waits for a child; NULL: somebody else has them. */
    void (*attend)(void *agent);
    void *agent;
    /* Until when this rank is surely not taken for dead; 0: for ever. After that, what may not be
     * computed twice may not be written either: others may have it. */
    _Atomic int64_t mine_until_ns;
} work;

typedef struct block {
    struct block *next; /* for the lists of whoever holds the block */
    work *work;
    int64_t first; /* tile */
    int64_t tiles;
    bool careful; /* see piece.h */
    int64_t kept; /* the agent's: those of them from here on have been taken out again */
    int64_t room; /* tiles */
    unsigned char *bytes;
    int64_t field_start[WEFT_MAX_FIELDS]; /* where in `bytes` a field begins */
    tile_record *records;                 /* sealed; those not computed are empty */
    struct failed_items *failed;          /* nothing between two calls of block_compute() */
    failure_row *failures;                /* what there is to say of some of those that failed */
    int64_t failure_count;
    int64_t failure_room;
    atomic_flag failures_taken; /* guards the three above, and the error until all is computed */
    error error;                /* why it could not be computed, or written */
} block;

/* Whether the run has been told to stop. Any thread. */
bool work_stopping(const work *w);

/* A block with room for so many tiles. */
weft_status block_create(work *w, int64_t room, block **out, error *e);

/* NULL is allowed. */
void block_destroy(block *b);

/* Makes it the block of that piece. */
void block_begin(block *b, piece p);

/* Computes tiles of the block, counted within it, from start_ns on; returns the clock's end. If the
 * run is to stop, some are left out. Any worker. */
int64_t block_compute(block *b, int worker, int64_t first, int64_t tiles, int64_t start_ns);

/* Writes the tiles that have been computed; errors go into the block. Once, by any thread. */
void block_write(block *b);

#endif
