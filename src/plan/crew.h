/* SPDX-License-Identifier: BSD-3-Clause */
/* A team as a simulation sees it: the same blocks and spans as in team/, without threads. */
#ifndef PLAN_CREW_H
#define PLAN_CREW_H

#include "sched/dispatch.h"

#include <stdbool.h>
#include <stdint.h>

typedef struct crew crew;

/* Tiles that a rank computes into one buffer. */
typedef struct crew_block {
    struct crew_block *next; /* for whoever holds it */
    interval all;            /* from the first on, less what has been cut off */
    int64_t taken;           /* tiles */
    int64_t pending;         /* tiles not computed */
    double busy_ns;          /* what computing them took, … */
    double work_ns;          /* … and would have on a core of its own at full speed */
} crew_block;

/* NULL: out of memory. */
crew *crew_create(int workers, int64_t span_limit);

/* NULL is allowed. */
void crew_destroy(crew *c);

/* A block that is not on offer is its holder's to free. */
void crew_free_block(crew_block *b);

/* Puts a block on offer; false if there are too many, or no memory. */
bool crew_offer(crew *c, interval p);

bool crew_full(const crew *c);

/* Tiles on offer that nobody has taken. */
int64_t crew_stock(const crew *c);

/* The worker takes a span of the oldest block; false if there is nothing. *last: it is the block's
 * last. */
bool crew_take(crew *c, int worker, crew_block **from, interval *span, bool *last);

/* The worker has computed a span; true if that finishes the block. */
bool crew_finish(crew *c, int worker, crew_block *b, int64_t tiles, double busy_ns, double work_ns,
                 bool last);

/* What team_cut() does. *finished: a block that is finished without what was cut off; it is still
 * to be written. */
bool crew_cut(crew *c, int64_t keep, int64_t most, interval *p, crew_block **finished);

/* The block is written, and no longer on offer: it is the caller's. */
void crew_remove(crew *c, crew_block *b);

/* Whether no block is on offer or in work. */
bool crew_idle(const crew *c);

/* Recent mean of nanoseconds per tile; 0 while unknown. */
int64_t crew_tile_ns(const crew *c);

/* A worker that waits for an offer, and one that no longer does; -1: nobody waits. */
void crew_wait(crew *c, int worker);
int crew_wake(crew *c);

#endif
