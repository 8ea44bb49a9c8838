/* SPDX-License-Identifier: BSD-3-Clause */
/* The formulas of the techniques, a function each, and what they share. A formula may give any
 * number; technique_chunk() keeps it between 1 and R. */
#ifndef SCHED_CHUNK_H
#define SCHED_CHUNK_H

#include "sched/technique.h"
#include "space/divide.h"

#include <float.h>

/* Several techniques may have one function. */
#define CHUNK_FUNCTION(enumerator, name, function, text, source) int64_t function(const outlook *o);
TECHNIQUE_MAP(CHUNK_FUNCTION)
#undef CHUNK_FUNCTION

/* Whether a number of the outlook can be calculated with; written so that a NaN cannot. */
static inline bool chunk_is_known(double measured)
{
    return measured > 0 && measured <= DBL_MAX;
}

/* ⌈R / 2P⌉ = ⌈⌈R / 2⌉ / P⌉, and 2P cannot overflow this way. */
static inline int64_t chunk_half_share(int64_t tiles, int64_t ranks)
{
    return divide_up(divide_up(tiles, 2), ranks);
}

/* A chunk in whole tiles, whatever the number: what is not at least 1, or not a number, is 1. */
static inline int64_t chunk_round_down(double tiles, int64_t most)
{
    if (!(tiles >= 1)) {
        return 1;
    }
    return tiles < (double)most ? (int64_t)tiles : most;
}

#endif
