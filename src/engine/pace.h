/* SPDX-License-Identifier: BSD-3-Clause */
/* How often an agent looks up, and what it does at once: what a run and its simulation share. */
#ifndef ENGINE_PACE_H
#define ENGINE_PACE_H

#include <stdint.h>

/* Between two looks at the messages: short while workers wait, growing while all is quiet. A rank
 * without company is woken by its workers and looks up only for signals. */
enum { PACE_HUNGRY_NS = 100000, PACE_QUIET_NS = 2000000, PACE_LONELY_NS = 50000000 };

/* A sync pauses this many times its own length, so that the disk is left to others most of the
 * time. */
enum { PACE_SYNC_PAUSES = 5 };

/* So many spans are taken by a worker in one go, if they are short: taking one costs more than an
 * empty kernel. */
enum { PACE_SPANS_AT_ONCE = 32 };

/* A block this many times longer than it should be is cut. */
enum { PACE_TOO_LONG = 8 };

/* The rest after a step of the agent that was not the first of anything. */
static inline int64_t pace_longer_rest(int64_t rest_ns, int ranks)
{
    const int64_t quietest = ranks > 1 ? PACE_QUIET_NS : PACE_LONELY_NS;
    return rest_ns * 2 < quietest ? rest_ns * 2 : quietest;
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
