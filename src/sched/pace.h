/* SPDX-License-Identifier: BSD-3-Clause */
/* How often an agent looks up, and what it does at once: what a run and its simulation share. */
#ifndef SCHED_PACE_H
#define SCHED_PACE_H

#include <stdint.h>

/* Between two looks at the messages: short while workers wait, growing while all is quiet. Each
 * look takes a core from a worker, and each that comes late prolongs the end of a run; so a rank
 * looks the less often the longer the run has lasted. One without company is woken by its workers
 * and looks up only for signals. */
enum {
    PACE_HUNGRY_NS = 100000,
    PACE_QUIET_NS = 1000000,
    PACE_QUIETEST_NS = 10000000,
    PACE_QUIET_SHARE = 400, /* of the time that has passed */
    PACE_LONELY_NS = 50000000
};

/* A sync pauses this many times its own length, so that the disk is left to others most of the
 * time. */
enum { PACE_SYNC_PAUSES = 5 };

/* So many spans are taken by a worker in one go, if they are short: taking one costs more than an
 * empty kernel. */
enum { PACE_SPANS_AT_ONCE = 32 };

/* --sync, where nobody gives it. */
enum { PACE_SYNC_S = 10 };

/* A block this many times longer than it should be is cut. */
enum { PACE_TOO_LONG = 8 };

/* The longest rest, so long after the beginning. */
static inline int64_t pace_longest_rest(int ranks, int64_t elapsed_ns)
{
    const int64_t share_ns = elapsed_ns / PACE_QUIET_SHARE;
    if (ranks == 1) {
        return PACE_LONELY_NS;
    }
    if (share_ns < PACE_QUIET_NS) {
        return PACE_QUIET_NS;
    }
    return share_ns < PACE_QUIETEST_NS ? share_ns : PACE_QUIETEST_NS;
}

/* The rest after a step of the agent that was not the first of anything. */
static inline int64_t pace_longer_rest(int64_t rest_ns, int ranks, int64_t elapsed_ns)
{
    const int64_t longest = pace_longest_rest(ranks, elapsed_ns);
    return rest_ns * 2 < longest ? rest_ns * 2 : longest;
}

/* A worker takes at most so many tiles at once, if a call of the kernel gets at most so many. */
static inline int64_t pace_span_limit(int64_t call_tiles)
{
    return call_tiles < INT64_MAX / PACE_SPANS_AT_ONCE ? PACE_SPANS_AT_ONCE * call_tiles
                                                       : INT64_MAX;
}

/* So many blocks are on offer or in work at a time. */
static inline int pace_blocks(int workers)
{
    return 2 * workers + 8;
}

#endif
