/* SPDX-License-Identifier: BSD-3-Clause */
/* What the coordinator decides: which tiles go to which rank, who gives some back, what is computed
 * twice. A chunk is reserved for a rank, and granted piece by piece as the rank can take it: what
 * has not been granted is no lease, and others get it without asking anybody. The dispatch has no
 * clock, messages or files of its own, so that a run and its simulation share it. */
#ifndef SCHED_DISPATCH_H
#define SCHED_DISPATCH_H

#include "base/error.h"
#include "sched/pace.h"
#include "sched/schedule.h"
#include "space/interval.h"

#include <stdbool.h>
#include <stdint.h>

typedef struct dispatch dispatch;

enum { ORDER_INTERVALS = 64 };

/* Something to tell a rank. */
typedef enum order_kind {
    ORDER_GRANT, /* compute these pieces */
    ORDER_RECALL /* give back half of what you have not begun: dispatch_return() */
} order_kind;

typedef struct order {
    order_kind kind;
    int rank;
    bool again; /* of ORDER_GRANT: they are with another rank, … */
    int holder; /* … this one, and late */
    int intervals;
    interval interval[ORDER_INTERVALS];
} order;

typedef struct dispatch_setup {
    int64_t tiles;
    int ranks;
    const int *workers; /* per rank; NULL: one each */
    technique technique;
    uint64_t seed;
    bool pure; /* tiles may be computed twice */
    /* For a simulation, whose clock may run far: once everything has been handed out, the dispatch
     * looks who could help whom no more often than this much of the time that has passed, and less
     * often yet if ranks pass tiles to each other for long. 0: whenever it may. */
    double look_share;
} dispatch_setup;

/* How a rank is getting on. */
typedef struct news {
    measurement computed; /* since it was last heard of; perhaps no tiles */
    double longest_s;     /* of these tiles */
    int64_t left;         /* tiles that it has and nobody has begun */
} news;

/* Adds tiles of which each took as long. */
static inline void news_add(news *n, int64_t tiles, double tile_s)
{
    n->computed.tiles += tiles;
    n->computed.seconds += (double)tiles * tile_s;
    n->computed.squares += (double)tiles * tile_s * tile_s;
    n->longest_s = tile_s > n->longest_s ? tile_s : n->longest_s;
}

/* All tiles are to do but those that dispatch_set_done() names before dispatch_start(). */
weft_status dispatch_create(const dispatch_setup *setup, dispatch **out, error *e);

/* NULL is allowed. */
void dispatch_destroy(dispatch *d);

void dispatch_set_done(dispatch *d, int64_t tile);

/* The items of a tile may kill: it is granted as a careful piece. */
void dispatch_set_careful(dispatch *d, int64_t tile);

/* The first tile from one on, before the end, that is careful: that was said of it, or a rank was
 * presumed dead that had it; the end if there is none. */
int64_t dispatch_next_careful(const dispatch *d, int64_t tile, int64_t end);

weft_status dispatch_start(dispatch *d, error *e);

/* A rank can take `want` tiles. It waits until there is an ORDER_GRANT for it; 0: it has asked, and
 * may have been answered since. If it is not `idle`, its workers all compute: then nobody is asked
 * for a last few tiles, and none is computed twice. */
void dispatch_ask(dispatch *d, int rank, int64_t want, bool idle);

/* Whether a rank waits, and whether it is idle. */
urgency dispatch_urgency(const dispatch *d);

/* The answer to ORDER_RECALL: pieces that are to do again, perhaps none, and what is left then. */
void dispatch_return(dispatch *d, int rank, int intervals, const interval back[], int64_t left,
                     int64_t now_ns);

/* A rank tells how it is getting on. */
void dispatch_hear(dispatch *d, int rank, const news *n, int64_t now_ns);

/* Tiles first … first + tiles - 1 are in the file. Returns how many of them, from the first on, had
 * not been before. */
int64_t dispatch_report_run(dispatch *d, int64_t first, int64_t tiles);

/* A tile is in the file: true if for the first time. */
static inline bool dispatch_report(dispatch *d, int64_t tile)
{
    return dispatch_report_run(d, tile, 1) == 1;
}

/* A rank is presumed dead: what it had is careful and to do again, and the rank gets nothing until
 * dispatch_ask(). Returns how many tiles are to do again. */
int64_t dispatch_bury(dispatch *d, int rank);

/* What it costs to hand out a chunk, as measured last. */
void dispatch_set_overhead(dispatch *d, double seconds);

/* How long the run may still take. */
void dispatch_set_time_left(dispatch *d, double seconds);

/* The next order that is due; false if there is none. To be asked for until there is none after
 * anything has been told, and every DISPATCH_NS. */
bool dispatch_next(dispatch *d, int64_t now_ns, order *o);

enum { DISPATCH_NS = 1000000 };

/* Fails once memory has run out: then the run may never be complete. */
weft_status dispatch_status(const dispatch *d, error *e);

/* Tiles not done, and how many of these ranks have been given. */
int64_t dispatch_undone(const dispatch *d);
int64_t dispatch_leased(const dispatch *d);

/* Chunks that were reserved for ranks so far, repetitions included. */
int64_t dispatch_chunks(const dispatch *d);

#endif
