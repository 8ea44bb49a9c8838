/* SPDX-License-Identifier: BSD-3-Clause */
/* The team of a rank: workers that take spans of tiles from blocks that the agent offers. It lives
 * for the session; between runs, and where there is nothing to compute, its workers sleep.
 *
 * Thread: the driver, as the agent, but for the hooks, as they say; the main thread creates and
 * destroys it. */
#ifndef TEAM_TEAM_H
#define TEAM_TEAM_H

#include "base/error.h"
#include "base/states.h"
#include "host/host.h"
#include "host/thread_state.h"
#include "team/region.h"

#include <stdbool.h>
#include <stdint.h>

typedef struct team team;

/* What workers have of the thread that wants them to compute. */
typedef struct team_caller {
    thread_state state;
    region_icv icv;
} team_caller;

/* The calling thread's. */
void team_note_caller(team_caller *caller);

/* What the team calls. `context` is the caller's, `data` the block's. */
typedef struct team_hooks {
    /* Agent: everything but computing. Called again and again until it returns false; it rests with
     * team_rest() when there is nothing to do. */
    bool (*agent)(void *context);
    /* Worker: computes tiles first … first + tiles - 1 of a block (counted within the block). The
     * clock stood at start_ns; returns what it says at the end. */
    int64_t (*span)(void *context, void *data, int worker, int64_t first, int64_t tiles,
                    int64_t start_ns);
    /* Worker: is about to compute a span of a coarse block. True if that took its time, which is
     * not the tiles'. Only needed where such blocks are offered. */
    bool (*prepare)(void *context, int worker);
    /* Once per block, when nothing of it is left to compute: the worker that was last, or, where
     * team_halt() or team_cut() has taken the rest back, the next that is free. The call may take
     * long. The agent calls it only where nothing of the block was computed, or without workers. */
    void (*block)(void *context, void *data);
} team_hooks;

/* A team of `workers` workers; 0: the agent's own thread alone. At most `blocks` blocks are on
 * offer or in work at a time. Worker i stays on the cores pin[i], as far as the system allows it;
 * NULL: where it is. The agent goes where it likes, so that it need not wait for a worker to pause;
 * nor is a main thread pinned that computes without workers. */
weft_status team_create(int workers, int blocks, const host_cores pin[], team **out, error *e);

/* Ends the workers, of which one that does not return from the kernel is not waited for for ever.
 * NULL is allowed. */
void team_destroy(team *t);

/* Begins a run. A worker takes at most `span_limit` tiles at once, and computes as that caller
 * would. */
void team_begin(team *t, const team_hooks *hooks, void *context, int64_t span_limit,
                const team_caller *caller);

/* Runs the agent, which is the calling thread, until it returns false: perhaps only for a while, in
 * which workers go on with what they have been offered. Without workers that thread computes, too,
 * as the run's caller would. */
void team_run(team *t);

/* Ends the run: blocks that are not finished are finished first; from then on nothing is left of
 * them. */
void team_end(team *t);

/* The following are the agent's. */

/* Creates the workers' threads, unless they are there: to be called before a block is offered, so
 * that a run that has nothing to compute needs none. */
weft_status team_start(team *t, error *e);

/* Offers a block of `tiles` tiles; false if there are too many, or the team is halted. Workers take
 * longer spans of a coarse one, see pace_span_tiles(), with no limit. */
bool team_offer(team *t, int64_t tiles, bool coarse, void *data);

/* A finished block's data, or NULL. */
void *team_collect(team *t);

/* Tiles on offer that no worker has taken yet. */
int64_t team_stock(const team *t);

/* Recent mean of nanoseconds per tile; 0 while unknown. */
int64_t team_tile_ns(const team *t);

/* Takes back, from the end of the youngest block that has more than `keep` tiles that no worker has
 * begun, what is above `keep`, but at most `most` tiles; false if there is no such block. */
bool team_cut(team *t, int64_t keep, int64_t most, void **data, int64_t *first, int64_t *tiles);

/* Takes back all that no worker has begun: blocks finish with what they have. */
void team_halt(team *t);

/* Whether no block can be offered before one is collected. */
bool team_full(const team *t);

/* Whether every block offered has been collected. */
bool team_idle(const team *t);

/* Whether some worker has nothing to do. Without workers: whether nothing is on offer. */
bool team_waits(const team *t);

/* Sleeps until a worker needs the agent, for `ns` at most; true if one does. Without workers:
 * computes a span; true if there was one. */
bool team_rest(team *t, int64_t ns);

/* Any thread: ends the agent's rest. */
void team_wake(void *team);

/* Any thread: how many workers have nothing to do. */
int team_waiting(const team *t);

/* Nanoseconds that a worker has spent in spans of this run so far. */
int64_t team_busy_ns(const team *t, int number);

/* What all workers have done and do, up to now_ns; of those without, whatever the agent's thread
 * does besides computing and resting is elsewhere. */
void team_get_states(const team *t, int64_t now_ns, states *sums);

/* CPU time that the worker has had for that, up to its last block or rest. Without workers that of
 * the agent is counted, too. */
int64_t team_cpu_ns(const team *t, int number);

/* How long the worker has been ready to run while others had its core, nearly up to now; 0 if the
 * system does not say. */
int64_t team_wait_ns(const team *t, int number);

#endif
