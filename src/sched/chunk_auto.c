/* SPDX-License-Identifier: BSD-3-Clause */
/* The default technique: chunks by what has been measured, long enough for the coordinator and
 * short enough for the end, a kill and the time limit. Why, says technique.h. */
#include "sched/chunk.h"

#include <math.h>

/* Of what is left, for one chunk. */
static const double share_of_rest = 1.0 / 3;
static const double share_of_time_left = 1.0 / 4;

/* More is lost in a kill, and gains nothing. */
static const double longest_s = 1;

/* A coordinator that answers P ranks every c seconds is busy for P·h/c of the time. */
static const double overheads_per_chunk = 50;

/* A chunk may be longer than expected by this many standard deviations, and still not be too long.
 */
static const double deviations = 2;

/* Chunks of this size tell what tiles cost. */
static const int64_t most_to_probe = 4;

static int64_t probe(const outlook *o)
{
    const int64_t share = o->remaining / o->ranks / 2;
    return share < most_to_probe ? share : most_to_probe;
}

/* The c for which c + z·σ√k = limit, where k = c / tile is the number of tiles and σ = variation ·
 * tile: a quadratic equation in √c, solved without a difference that could cancel. */
static double likely_within(double limit, double tile, double variation)
{
    const double q = deviations * variation * sqrt(tile);
    const double twice = 2 * limit;
    return limit * (twice / (twice + q * q + q * sqrt(q * q + 2 * twice)));
}

int64_t chunk_auto(const outlook *o)
{
    const double cost = chunk_is_known(o->recent) ? o->recent : o->mean;
    if (!chunk_is_known(cost)) {
        return probe(o);
    }
    const double weight = chunk_is_known(o->weight) ? o->weight : 1;
    const double tile = chunk_is_known(o->rank_recent) ? o->rank_recent : cost / weight;
    const bool varies = chunk_is_known(o->deviation) && chunk_is_known(o->mean);
    const double variation = varies ? o->deviation / o->mean : 0;

    /* Nothing may take longer than this, not even to spare the coordinator: at the end a chunk that
     * is too long costs all ranks, a busy coordinator only those that ask just then. */
    double end = (double)o->remaining / (double)o->ranks * cost * share_of_rest;
    if (chunk_is_known(o->time_left)) {
        end = fmin(end, o->time_left * share_of_time_left);
    }
    double seconds = likely_within(fmin(end, longest_s), tile, variation);
    if (o->want > 0) {
        /* What is not handed out yet can go to whoever turns out to be quick. */
        seconds = fmin(seconds, (double)o->want * tile);
    }
    if (chunk_is_known(o->overhead)) {
        const double least = overheads_per_chunk * (double)o->ranks * o->overhead;
        seconds = fmax(seconds, fmin(least, end));
    }
    return chunk_round_down(seconds / tile, o->remaining);
}
