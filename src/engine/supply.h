/* SPDX-License-Identifier: BSD-3-Clause */
/* The tiles that a rank has been granted and not yet offered to its team, and how many it should
 * have: enough that nobody waits for the network, few enough that others can still take some over.
 */
#ifndef ENGINE_SUPPLY_H
#define ENGINE_SUPPLY_H

#include "base/error.h"
#include "engine/piece.h"
#include "range/job.h"

#include <stdbool.h>
#include <stdint.h>

typedef struct supply supply;

weft_status supply_create(int workers, int ranks, const job *j, supply **out, error *e);

/* NULL is allowed. */
void supply_destroy(supply *s);

/* Queues a piece; it is joined to the last one where they touch and are alike. */
weft_status supply_add(supply *s, piece p, error *e);

/* Takes the last piece out again, or the end of it: at most so many tiles. False if nothing is
 * queued. */
bool supply_take_back(supply *s, int64_t most, piece *taken);

void supply_clear(supply *s);

/* Tiles queued. */
int64_t supply_queued(const supply *s);

/* The team's recent mean per tile; 0 while unknown. */
void supply_observe(supply *s, int64_t tile_ns);

/* What it was told. */
int64_t supply_tile_ns(const supply *s);

/* With so many tiles on offer: whether another block should be offered … */
bool supply_would_offer(const supply *s, int64_t stock);

/* … and which. */
bool supply_next(supply *s, int64_t stock, piece *p);

/* Puts a piece back, to be the next. */
weft_status supply_return(supply *s, piece p, error *e);

/* How many tiles a block of the right length has, by what is known now. */
int64_t supply_block_tiles(const supply *s);

/* With so many tiles on offer: how many to ask for; 0: none. */
int64_t supply_wanted(const supply *s, int64_t stock);

/* The largest block, in tiles. */
int64_t supply_block_room(const supply *s);

#endif
