/* SPDX-License-Identifier: BSD-3-Clause */
/* How often an agent looks up, and what it does at once: what a run and its simulation share. */
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
 * spare; at the beginning they do not know what that is, and have little. A rank without company is
 * woken by its workers, and looks for signals. */
enum {
    PACE_SHORTEST_NS = 100000,
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

static inline int64_t pace_longest_rest(int ranks)
{
    return ranks == 1 ? PACE_LONELY_NS : PACE_LONGEST_NS;
}

/* How long an agent rests that has had nothing to do for quiet_ns, elapsed_ns after the beginning.
 */
static inline int64_t pace_rest(urgency u, int64_t quiet_ns, int ranks, int64_t elapsed_ns)
{
    const int64_t longest_ns = pace_longest_rest(ranks);
    if (u != URGENCY_HUNGER && ranks == 1) {
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

/* How many blocks are on offer or in work at a time. */
static inline int pace_blocks(int workers)
{
    return 2 * workers + 8;
}

#endif
