/* SPDX-License-Identifier: BSD-3-Clause */
/* Techniques that hand out a part of what remains: factoring, weighted and adaptive, and tapering.
 */
#include "sched/chunk.h"

#include <math.h>

int64_t chunk_fac2(const outlook *o)
{
    return chunk_half_share(o->batch_remaining, o->ranks);
}

int64_t chunk_fac(const outlook *o)
{
    if (!chunk_is_known(o->mean) || !chunk_is_known(o->deviation)) {
        return chunk_fac2(o);
    }
    const double remaining = (double)o->batch_remaining;
    const double ranks = (double)o->ranks;
    const double v = ranks * (o->deviation / o->mean) / (2 * sqrt(remaining));
    const double part =
        o->step < o->ranks ? 1 + v * v + v * sqrt(v * v + 2) : 2 + v * v + v * sqrt(v * v + 4);
    return chunk_round_down(ceil(remaining / (part * ranks)), o->remaining);
}

/* A weight of 1 leaves the chunk as it is: exact beyond 2⁵³, where a double is not. */
static int64_t weigh(int64_t tiles, double weight, double round, int64_t most)
{
    if (!chunk_is_known(weight) || weight == 1) {
        return tiles;
    }
    return chunk_round_down(weight * (double)tiles + round, most);
}

int64_t chunk_wf(const outlook *o)
{
    return weigh(chunk_fac2(o), o->weight, 0, o->remaining);
}

int64_t chunk_awf_batch(const outlook *o)
{
    return weigh(chunk_fac2(o), o->adapted_weight, 0.55, o->remaining);
}

int64_t chunk_awf_chunk(const outlook *o)
{
    return weigh(chunk_half_share(o->remaining, o->ranks), o->adapted_weight, 0.55, o->remaining);
}

int64_t chunk_af(const outlook *o)
{
    if (!chunk_is_known(o->rank_mean) || !chunk_is_known(o->rate)) {
        return chunk_fac2(o);
    }
    const double spread = chunk_is_known(o->spread) ? o->spread : 0;
    const double remaining = (double)o->remaining;
    /* With A = 2TR the numerator is (E + A) − √((E + A)² − A²), which cancels where A is small
     * against E; it equals A² / ((E + A) + √(E² + 2EA)), which does not. */
    const double r = spread * o->rate / (2 * remaining);
    const double all = remaining / (o->rate * o->rank_mean);
    return chunk_round_down(all / (r + 1 + sqrt(r * (r + 2))) + 0.55, o->remaining);
}

int64_t chunk_tap(const outlook *o)
{
    if (!chunk_is_known(o->mean) || !chunk_is_known(o->deviation)) {
        return divide_up(o->remaining, o->ranks);
    }
    const double share = (double)o->remaining / (double)o->ranks;
    const double v = 1.3 * o->deviation / o->mean;
    return chunk_round_down(ceil(share + v * v / 2 - v * sqrt(2 * share + v * v / 4)),
                            o->remaining);
}
