/* SPDX-License-Identifier: BSD-3-Clause */
/* The items' random streams: Philox4x64-10 in the order in which NumPy gives its numbers. */
#include "random/stream.h"

#include <Random123/philox.h>

void weft_random_init(weft_random *random, uint64_t seed, uint64_t stream, uint64_t item)
{
    *random = stream_begin(seed, stream, item);
}

/* Like NumPy's, the counter is one number of 256 bits and moves on before the block is made, so
 * that the first block of a stream is block 1. */
void stream_fill(weft_random *random)
{
    for (int i = 0; i < 4; i++) {
        if (++random->counter[i] != 0) {
            break;
        }
    }
    /* Word by word, since a wide load of what has just been stored in words has to wait for it. */
    const uint64_t *from = random->counter;
    const philox4x64_key_t key = {{random->key[0], random->key[1]}};
    const philox4x64_ctr_t counter = {{from[0], from[1], from[2], from[3]}};
    const philox4x64_ctr_t block = philox4x64_R(10, counter, key);
    for (int i = 0; i < 4; i++) {
        random->block[i] = block.v[i];
    }
    random->next = 0;
}

uint64_t weft_random_u64(weft_random *random)
{
    return stream_next(random);
}

double weft_random_double(weft_random *random)
{
    return stream_next_double(random);
}

uint64_t weft_random_below(weft_random *random, uint64_t bound)
{
    /* Of the 128-bit product x · bound the high half is the result. The low halves below
     * 2⁶⁴ mod bound are what some results have one of too many. The remainder takes a division and
     * is seldom needed, since it is less than the bound. */
    uint64_t high;
    uint64_t low = mulhilo64(stream_next(random), bound, &high);
    if (low < bound) {
        uint64_t surplus = (0 - bound) % bound;
        while (low < surplus) {
            low = mulhilo64(stream_next(random), bound, &high);
        }
    }
    return high;
}
