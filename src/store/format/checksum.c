/* SPDX-License-Identifier: BSD-3-Clause */
/* Checksums: XXH3-64 over a tile's bytes, field after field. */
#include "store/format/checksum.h"

#define XXH_INLINE_ALL 1
#include <xxhash.h>

uint64_t checksum_runs(int runs, const void *const bytes[], const size_t counts[])
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
