/* SPDX-License-Identifier: BSD-3-Clause */
/* Techniques whose chunks do not depend on what remains: equal ones, and random ones. */
#include "sched/chunk.h"

#include <math.h>

int64_t chunk_static(const outlook *o)
{
    return divide_up(o->total, o->ranks);
}

int64_t chunk_ss(const outlook *o)
{
    (void)o;
    return 1;
}

int64_t chunk_mfsc(const outlook *o)
{
    const int64_t share = divide_up(o->total, o->ranks);
    if (share <= 1) {
        return 1;
    }
    return chunk_round_down(0.55 + (double)share * log(2) / log((double)share), share);
}

int64_t chunk_fsc(const outlook *o)
{
    const int64_t share = divide_up(o->total, o->ranks);
    if (o->ranks == 1) {
        return share;
    }
    if (!chunk_is_known(o->deviation) || !chunk_is_known(o->overhead)) {
        return chunk_mfsc(o);
    }
    const double ranks = (double)o->ranks;
    const double ratio = o->overhead / o->deviation;
    const double base = sqrt(2) * (double)o->total * ratio / (ranks * sqrt(log(ranks)));
    return chunk_round_down(ceil(pow(base, 2.0 / 3)), share);
}

/* The finaliser of SplitMix64 (Steele, Lea & Flood 2014). */
static uint64_t scramble(uint64_t x)
{
    x = (x ^ (x >> 30)) * UINT64_C(0xBF58476D1CE4E5B9);
    x = (x ^ (x >> 27)) * UINT64_C(0x94D049BB133111EB);
    return x ^ (x >> 31);
}

int64_t chunk_rnd(const outlook *o)
{
    const uint64_t golden = UINT64_C(0x9E3779B97F4A7C15);
    const uint64_t most = (uint64_t)chunk_half_share(o->total, o->ranks);
    if (most <= 1) {
        return 1;
    }
    /* Of the 2⁶⁴ numbers the first few are left out, so that `most` divides how many there are. */
    const uint64_t left_out = (UINT64_MAX - most + 1) % most;
    uint64_t x = scramble(o->seed + golden) + golden * ((uint64_t)o->step + 1);
    do {
        x = scramble(x + golden);
    } while (x < left_out);
    return 1 + (int64_t)(x % most);
}
