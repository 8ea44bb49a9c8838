/* SPDX-License-Identifier: BSD-3-Clause */
/* A block: an interval of tiles in a rank's hands, computed into a buffer, then written to its
 * place in the store.
 *
 * Thread: the driver, but for block_equip(), block_bytes() and block_write(). Between
 * lane_offer() and lane_collect() the block's workers have it. */
#ifndef ENGINE_FLOW_BLOCK_H
#define ENGINE_FLOW_BLOCK_H

#include "base/error.h"
#include "engine/flow/flow.h"
#include "sched/desk.h"
#include "space/interval.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

typedef struct block {
    struct block *next; /* for the lists of whoever holds the block */
    flow *flow;
    int64_t first; /* tile */
    int64_t tiles;
    bool careful; /* see piece.h */
    int64_t kept; /* the agent's: those of them from here on have been taken out again */
    int64_t room; /* tiles */
    /* From its first span on the block has two pieces of the flow's pools: a buffer, until that is
     * written, and a report, until block_pack(). */
    unsigned char *buffer;
    unsigned char *bytes;                 /* in the buffer, from the start of a page on */
    int64_t buffer_bytes;                 /* the size of `bytes` */
    int64_t field_start[WEFT_MAX_FIELDS]; /* where in `bytes` a column begins */
    parcel *report;                       /* its head, then … */
    tile_record *records;                 /* … records, sealed, of those tiles that are … */
    bool *done;                           /* … computed */
    struct failed_items *failed;          /* nothing between two calls of block_compute() */
    news news;                            /* of the tiles that are computed */
    failure_row *failures;                /* what there is to say of some of those that failed */
    int64_t failure_count;
    int64_t failure_room;
    atomic_flag taken; /* guards the four above, and the error until all is computed */
    atomic_bool ready; /* the buffer and the report are there */
    error error;       /* why it could not be computed, or written */
} block;

/* A block with room for `room` tiles. */
weft_status block_create(flow *w, int64_t room, block **out, error *e);

/* NULL is allowed. */
void block_destroy(block *b);

/* Makes it the block of that piece. */
void block_begin(block *b, interval p);

/* Guards what several workers of a block write. Held for a copy at most, so a spinning lock will
 * do. */
static inline void block_lock(block *b)
{
    while (atomic_flag_test_and_set_explicit(&b->taken, memory_order_acquire)) {
    }
}

static inline void block_unlock(block *b)
{
    atomic_flag_clear_explicit(&b->taken, memory_order_release);
}

/* Before each span: the block has a buffer and a report. False if there is no memory for them,
 * which its error says then. Any of its workers. */
bool block_equip(block *b);

/* What there is to report of a block that is finished, which then has no report any more; NULL: out
 * of memory. */
parcel *block_pack(block *b);

/* The bytes of a field at an item of the block. */
unsigned char *block_bytes(const block *b, int field, int64_t item);

/* The accumulator of a reduction for a tile of the block. */
unsigned char *block_accumulator(const block *b, int reduction, int64_t tile);

/* The bytes of a column at a tile of the block. */
unsigned char *block_column(const block *b, int column, int64_t tile);

/* Writes the tiles that have been computed, and gives the buffer back; errors go into the block.
 * Once, by any thread. */
void block_write(block *b);

#endif
