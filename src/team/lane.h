/* SPDX-License-Identifier: BSD-3-Clause */
/* A lane of a team: one run at a time, with the blocks that its agent offers, from which the
 * workers take spans of tiles. Each worker takes from the lane of the run that began first, and
 * from another one only when nothing is on offer there.
 *
 * Thread: the run's driver, as the agent, but for the hooks and what says otherwise. */
#ifndef TEAM_LANE_H
#define TEAM_LANE_H

#include "base/error.h"
#include "base/states.h"
#include "host/bell.h"
#include "host/thread_state.h"
#include "team/region.h"
#include "team/team.h"

#include <stdbool.h>
#include <stdint.h>

/* What workers have of the thread that wants them to compute. */
typedef struct lane_caller {
    thread_state state;
    region_icv icv;
} lane_caller;

/* The calling thread's. Any thread. */
void lane_note_caller(lane_caller *caller);

/* What a lane calls. `context` is the caller's, `data` the block's. */
typedef struct lane_hooks {
    /* Agent: everything but computing. Called again and again until it returns false; it rests with
     * lane_rest() when there is nothing to do. */
    bool (*agent)(void *context);
    /* Worker: computes tiles first … first + tiles - 1 of a block (counted within the block). The
     * clock stood at start_ns; returns what it says at the end. */
    int64_t (*span)(void *context, void *data, int worker, int64_t first, int64_t tiles,
                    int64_t start_ns);
    /* Worker: is about to compute a span of a coarse block. True if that took its time, which is
     * not the tiles'. Only needed where such blocks are offered. */
    bool (*prepare)(void *context, int worker);
    /* Once per block, when nothing of it is left to compute: the worker that was last, or, where
     * lane_halt() or lane_cut() has taken the rest back, the next that is free. The call may take
     * long. The agent calls it only where nothing of the block was computed, or without workers. */
    void (*block)(void *context, void *data);
} lane_hooks;

/* Begins a run. A worker takes at most `span_limit` tiles at once, and computes as that caller
 * would. Workers ring the bell if the agent is to look, and so may others; NULL: only they. */
void lane_begin(lane *l, const lane_hooks *hooks, void *context, int64_t span_limit,
                const lane_caller *caller, bell *own);

/* Runs the agent, which is the calling thread, until it returns false: perhaps only for a while, in
 * which workers go on with what they have been offered. Without workers that thread computes, too,
 * as the run's caller would. */
void lane_run(lane *l);

/* Ends the run: blocks that are not finished are finished first; from then on nothing is left of
 * them, and no worker is at any. */
void lane_end(lane *l);

/* The following are the agent's. */

/* Creates the workers' threads, unless they are there: to be called before a block is offered, so
 * that a run that has nothing to compute needs none. */
weft_status lane_start(lane *l, error *e);

/* Offers a block of `tiles` tiles; false if there are too many, or the lane is halted. Workers take
 * longer spans of a coarse one, see pace_span_tiles(), with no limit. */
bool lane_offer(lane *l, int64_t tiles, bool coarse, void *data);

/* A finished block's data, or NULL. */
void *lane_collect(lane *l);

/* Tiles on offer that no worker has taken yet. */
int64_t lane_stock(const lane *l);

/* Recent mean of nanoseconds per tile; 0 while unknown. */
int64_t lane_tile_ns(const lane *l);

/* Takes back, from the end of the youngest block that has more than `keep` tiles that no worker has
 * begun, what is above `keep`, but at most `most` tiles; false if there is no such block. */
bool lane_cut(lane *l, int64_t keep, int64_t most, void **data, int64_t *first, int64_t *tiles);

/* Takes back all that no worker has begun: blocks finish with what they have. */
void lane_halt(lane *l);

/* Whether no block can be offered before one is collected. */
bool lane_full(const lane *l);

/* Whether every block offered has been collected. */
bool lane_idle(const lane *l);

/* Whether some worker would take what was offered now, at its next span at the latest: it has
 * nothing to do, or computes for a run that began later. Without workers: whether nothing is on
 * offer. */
bool lane_waits(const lane *l);

/* Sleeps until the bell rings, for `ns` at most; true if it has. Without workers:
 * computes a span; true if there was one. */
bool lane_rest(lane *l, int64_t ns);

/* Any thread: whether no run in another lane began before this one. */
bool lane_comes_first(const lane *l);

/* Any thread: ends the agent's rest. */
void lane_wake(void *lane);

/* Nanoseconds that a worker has spent in spans of this run so far. */
int64_t lane_busy_ns(const lane *l, int worker);

/* What all workers have done and do, up to now_ns: one that computes for another run is elsewhere;
 * of those without, whatever the agent's thread does besides computing and resting is elsewhere. */
void lane_get_states(const lane *l, int64_t now_ns, states *sums);

/* CPU time that the worker has had for that, up to its last block or rest. Without workers that of
 * the agent is counted, too. */
int64_t lane_cpu_ns(const lane *l, int worker);

/* How long the worker has been ready to run while others had its core, nearly up to now; 0 if the
 * system does not say. */
int64_t lane_wait_ns(const lane *l, int worker);

#endif
