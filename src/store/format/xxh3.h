/* SPDX-License-Identifier: BSD-3-Clause */
/* XXH3-64, inlined into what includes this, with the vectors that it is compiled for: a tile may be
 * a few bytes, where a call costs as much as the hash. */
#ifndef STORE_FORMAT_XXH3_H
#define STORE_FORMAT_XXH3_H

#define XXH_INLINE_ALL 1
#include <xxhash.h>

static inline uint64_t xxh3_runs(int runs, const void *const bytes[], const size_t counts[])
{
    if (runs == 1) {
        return XXH3_64bits(bytes[0], counts[0]);
    }
    XXH3_state_t state;
    (void)XXH3_64bits_reset(&state);
    for (int i = 0; i < runs; i++) {
        (void)XXH3_64bits_update(&state, bytes[i], counts[i]);
    }
    return XXH3_64bits_digest(&state);
}

#endif
