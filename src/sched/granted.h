/* SPDX-License-Identifier: BSD-3-Clause */
/* The tiles that a rank has been granted and not yet offered to its team, and how many it should
 * have: enough that no worker waits for the network, few enough that others can still take some
 * over. */
#ifndef SCHED_GRANTED_H
#define SCHED_GRANTED_H

#include "base/error.h"
#include "space/interval.h"
#include "space/job.h"

#include <stdbool.h>
#include <stdint.h>

typedef struct granted granted;

weft_status granted_create(int workers, int ranks, const job *j, granted **out, error *e);

/* NULL is allowed. */
void granted_destroy(granted *s);

/* Queues a piece; it is joined to the last one where they touch and are alike. */
weft_status granted_add(granted *s, interval p, error *e);

/* Takes the last piece out again, or the end of it: at most `most` tiles. False if nothing is
 * queued. */
bool granted_take_back(granted *s, int64_t most, interval *taken);

void granted_clear(granted *s);

/* Tiles queued. */
int64_t granted_queued(const granted *s);

/* The team's recent mean per tile; 0 while unknown. */
void granted_observe(granted *s, int64_t tile_ns);

/* What it was told. */
int64_t granted_tile_ns(const granted *s);

/* With `stock` tiles on offer: whether another block should be offered … */
bool granted_would_offer(const granted *s, int64_t stock);

/* … and which. */
bool granted_next(granted *s, int64_t stock, interval *p);

/* Puts a piece back, to be the next. */
weft_status granted_return(granted *s, interval p, error *e);

/* How many tiles a block of the right length has, by what is known now. */
int64_t granted_block_tiles(const granted *s);

/* With `stock` tiles on offer: how many to ask for; 0: none. */
int64_t granted_wanted(const granted *s, int64_t stock);

/* With `stock` tiles on offer: whether all that there is takes less than ns, as far as is known. */
bool granted_runs_out(const granted *s, int64_t stock, int64_t ns);

/* The largest block, in tiles. */
int64_t granted_block_room(const granted *s);

#endif
