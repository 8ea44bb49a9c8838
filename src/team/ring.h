/* SPDX-License-Identifier: BSD-3-Clause */
/* The blocks on offer: a ring in which workers take spans by compare-and-swap, without a lock.
 *
 * Thread: the agent (the driver) or any, as the two parts below say. */
#ifndef TEAM_RING_H
#define TEAM_RING_H

#include <stdbool.h>
#include <stdint.h>

typedef struct ring ring;

enum { RING_BLOCK_TILES = (1 << 20) - 1 };

/* A run of tiles taken from a block; they are counted within the block. */
typedef struct ring_span {
    int64_t block; /* sequence number */
    int64_t first;
    int64_t tiles;
    void *data; /* the block's */
    bool last;  /* nothing more can be taken from this block */
} ring_span;

/* A ring with room for at least `blocks` blocks. NULL: out of memory. */
ring *ring_create(int blocks);

void ring_destroy(ring *r);

/* One thread, the agent: */

/* Puts a block of 1 … RING_BLOCK_TILES tiles on offer; false if the ring is full. */
bool ring_offer(ring *r, int64_t tiles, bool coarse, void *data);

/* Takes a finished block out, and forgets its data, which is returned; NULL if there is none. */
void *ring_collect(ring *r);

/* Takes at most `most` tiles back from the end of the n-th oldest block, from 0, as far as no
 * worker has taken them; false if there is no such block. *finished says whether that finished it;
 * then the caller does what a block's last worker does. */
bool ring_cut(ring *r, int n, int64_t most, ring_span *span, bool *finished);

/* The same, from the youngest block of which more than `keep` tiles are left: at least that many
 * stay. False if there is none. */
bool ring_cut_youngest(ring *r, int64_t keep, int64_t most, ring_span *span, bool *finished);

/* Tiles of the n-th oldest block that no worker has taken yet. */
int64_t ring_left(const ring *r, int n);

/* Tiles that no worker has taken yet. */
int64_t ring_stock(ring *r);

/* Blocks that are on offer or in work, or finished and not taken out: those that ring_cut() counts.
 */
int ring_blocks(const ring *r);

/* Whether no block can be offered before one is collected. */
bool ring_full(const ring *r);

/* Any thread: */

/* Moves *at to the oldest block from there on that has tiles left; false if there is none. */
bool ring_look(ring *r, int64_t *at, int64_t *left);

/* Whether that block was offered as coarse: a hint, since another may be there by now. */
bool ring_coarse(const ring *r, int64_t at);

/* Takes `tiles` tiles of a block, or what is left of it if that is less; false if another worker
 * was quicker. */
bool ring_take(ring *r, int64_t at, int64_t tiles, ring_span *span);

/* Counts a span as computed; true for the one that finishes the block. */
bool ring_finish(ring *r, const ring_span *span);

/* Lets the agent have the block that ring_finish() has finished. */
void ring_publish(ring *r, const ring_span *span);

#endif
