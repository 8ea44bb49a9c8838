/* SPDX-License-Identifier: BSD-3-Clause */
/* How often an agent looks up, what it does at once, and how many tiles a worker takes: what a run
 * and its simulation share. */
#ifndef SCHED_PACE_H
#define SCHED_PACE_H

#include <stdbool.h>
#include <stdint.h>

/* What a message may bring that a rank finds when it looks. */
typedef enum urgency {
    URGENCY_NONE,   /* workers have enough to compute, here and elsewhere */
    URGENCY_ANSWER, /* something that is late, or will be needed before long */
    URGENCY_HUNGER  /* what workers wait for, or the end of the run does */
} urgency;

/* Between two looks at the messages. MPI wakes nobody, so that a message waits until its rank
 * looks; and each look takes a core from a worker. Where workers have nothing to compute, the rank
 * looks often, but the less so the longer it has waited: a message comes late by a sixteenth of the
 * time that it took, and hardly anyone notices. Where an answer is late, it looks the more
 * rarely the longer the run has lasted, which a late message prolongs in proportion. Where it waits
 * for nothing, it rests as long as ranks ask ahead of their need (see granted.c), with much to
 * spare; at the beginning they do not know what that is, and have little. All that is different
 * where whoever sends a message that somebody waits for wakes its receiver, as can be done within a
 * machine: then a rank looks only for the rest. A rank without company is woken by its workers, and
 * looks for signals. */
enum {
    PACE_SHORTEST_NS = 50000,
    PACE_PATIENCE = 16, /* of the time in which there has been nothing to do; of a young run's */
    PACE_ANSWER_NS = 1000000,
    PACE_ANSWER_SHARE = 400, /* of the time that the run has lasted */
    PACE_LONGEST_NS = 10000000,
    PACE_LONELY_NS = 50000000
};

/* A sync pauses this many times its own length, so that the disk is left to others most of the
 * time. */
enum { PACE_SYNC_PAUSES = 5 };

/* How many spans a worker takes in one go if they are short: taking one costs more than an empty
 * kernel. */
enum { PACE_SPANS_AT_ONCE = 32 };

/* --sync, where it is not given: a number, and the same as text. */
#define PACE_SYNC_S 10
#define PACE_SYNC_TEXT PACE_TEXT(PACE_SYNC_S)
#define PACE_TEXT(number) PACE_TEXT_(number)
#define PACE_TEXT_(number) #number

/* A block this many times longer than it should be is cut. */
enum { PACE_TOO_LONG = 8 };

/* Who else takes part in a run. */
typedef enum company {
    COMPANY_NONE,  /* nobody */
    COMPANY_RINGS, /* ranks that wake this one, see message_rings() */
    COMPANY_SILENT /* ranks that do not */
} company;

static inline int64_t pace_longest_rest(company c)
{
    return c == COMPANY_NONE ? PACE_LONELY_NS : PACE_LONGEST_NS;
}

/* How long an agent rests that has had nothing to do for quiet_ns, elapsed_ns after the beginning.
 */
static inline int64_t pace_rest(urgency u, int64_t quiet_ns, company c, int64_t elapsed_ns)
{
    const int64_t longest_ns = pace_longest_rest(c);
    if (c == COMPANY_RINGS || (c == COMPANY_NONE && u != URGENCY_HUNGER)) {
        return longest_ns;
    }
    int64_t rest_ns = (u == URGENCY_HUNGER ? quiet_ns : elapsed_ns) / PACE_PATIENCE;
    if (u == URGENCY_ANSWER && rest_ns > PACE_ANSWER_NS) {
        const int64_t share_ns = elapsed_ns / PACE_ANSWER_SHARE;
        rest_ns = share_ns > PACE_ANSWER_NS ? share_ns : PACE_ANSWER_NS;
    }
    rest_ns = rest_ns > PACE_SHORTEST_NS ? rest_ns : PACE_SHORTEST_NS;
    return rest_ns < longest_ns ? rest_ns : longest_ns;
}

/* How many tiles a worker takes at once at most, if a call of the kernel gets at most `call_tiles`.
 */
static inline int64_t pace_span_limit(int64_t call_tiles)
{
    return call_tiles < INT64_MAX / PACE_SPANS_AT_ONCE ? PACE_SPANS_AT_ONCE * call_tiles
                                                       : INT64_MAX;
}

/* A span should take this long: far more than taking it costs, far less than anyone notices. At the
 * end of a block it is shorter, but never so short that taking it, a few tens of nanoseconds, would
 * be more than a hundredth of it. Shorter ones do not tell the whole team how long a tile takes. To
 * hand a coarse span over to a child, and to wait for it, costs tens of microseconds, and some
 * hundreds where other programs compute, too. */
enum {
    PACE_SPAN_NS = 500000,
    PACE_LEAST_SPAN_NS = 5000,
    PACE_COARSE_SPAN_NS = 20000000,
    PACE_LEAST_COARSE_SPAN_NS = 5000000
};

static inline int64_t pace_smaller(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

/* A span's length in tiles, at least 1: by time, by the limit, and so that the end of a block, of
 * which `left` tiles are left, is shared out as long as that is worth it. tile_ns is what the
 * worker has learnt; 0: nothing. The limit on calls is not that of coarse spans. */
static inline int64_t pace_span_tiles(int workers, int64_t span_limit, int64_t tile_ns,
                                      int64_t left, bool coarse)
{
    const int64_t span_ns = coarse ? PACE_COARSE_SPAN_NS : PACE_SPAN_NS;
    const int64_t least_ns = coarse ? PACE_LEAST_COARSE_SPAN_NS : PACE_LEAST_SPAN_NS;
    const int64_t by_time = tile_ns > 0 ? span_ns / tile_ns : 1;
    const int64_t least = tile_ns > 0 ? least_ns / tile_ns : 1;
    const int64_t share = left / (workers > 0 ? 2 * (int64_t)workers : 2);
    const int64_t tiles = pace_smaller(by_time, share > least ? share : pace_smaller(least, left));
    return tiles > 1 ? pace_smaller(tiles, coarse ? left : span_limit) : 1;
}

/* What a worker that knew tile_ns knows after a span of `tiles` tiles. */
static inline int64_t pace_learn(int64_t tile_ns, int64_t span_ns, int64_t tiles)
{
    const int64_t now_ns = span_ns / tiles + 1;
    return tile_ns == 0 ? now_ns : (3 * tile_ns + now_ns) / 4;
}

/* How many blocks are on offer or in work at a time. */
static inline int pace_blocks(int workers)
{
    return 2 * workers + 8;
}

#endif
