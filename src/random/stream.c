/* SPDX-License-Identifier: BSD-3-Clause */
/* The items' random streams: Philox4x64-10 in the order in which NumPy gives its numbers, and the
 * distributions that rest on it. */
#include <math.h>
#include <Random123/philox.h>
#include <string.h>
#include <weft/random.h>

void weft_random_init(weft_random *random, uint64_t seed, uint64_t stream, uint64_t item)
{
    *random = (weft_random){.key = {seed, stream}, .counter = {0, item, 0, 0}, .next = 4};
}

/* Computes the next four numbers. Like NumPy, the counter is one number of 256 bits and moves on
 * before the block is made, so that the first block of a stream is block 1. */
static void next_block(weft_random *random)
{
    for (int i = 0; i < 4; i++) {
        if (++random->counter[i] != 0) {
            break;
        }
    }
    philox4x64_key_t key;
    philox4x64_ctr_t counter;
    memcpy(key.v, random->key, sizeof random->key);
    memcpy(counter.v, random->counter, sizeof random->counter);
    philox4x64_ctr_t block = philox4x64_R(10, counter, key);
    memcpy(random->block, block.v, sizeof random->block);
    random->next = 0;
}

uint64_t weft_random_u64(weft_random *random)
{
    if (random->next == 4) {
        next_block(random);
    }
    return random->block[random->next++];
}

double weft_random_double(weft_random *random)
{
    return (double)(weft_random_u64(random) >> 11) * 0x1p-53;
}

uint64_t weft_random_below(weft_random *random, uint64_t bound)
{
    /* Of the 128-bit product x · bound the high half is the result. The low halves below
     * 2⁶⁴ mod bound are what some results have one of too many. The remainder takes a division and
     * is seldom needed, since it is less than the bound. */
    uint64_t high;
    uint64_t low = mulhilo64(weft_random_u64(random), bound, &high);
    if (low < bound) {
        uint64_t surplus = (0 - bound) % bound;
        while (low < surplus) {
            low = mulhilo64(weft_random_u64(random), bound, &high);
        }
    }
    return high;
}

double weft_random_normal(weft_random *random)
{
    static const double two_pi = 6.283185307179586;
    /* The logarithm is of 1 - u, which is never 0. */
    double radius = sqrt(2 * weft_random_exponential(random));
    return radius * cos(two_pi * weft_random_double(random));
}

double weft_random_exponential(weft_random *random)
{
    return -log1p(-weft_random_double(random));
}
