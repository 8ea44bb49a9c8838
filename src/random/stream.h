/* SPDX-License-Identifier: BSD-3-Clause */
/* The items' random streams, where a number must not cost a call. */
#ifndef RANDOM_STREAM_H
#define RANDOM_STREAM_H

#include <stdint.h>
#include <weft/random.h>

/* The start of a stream. */
static inline weft_random stream_begin(uint64_t seed, uint64_t stream, uint64_t item)
{
    return (weft_random){.key = {seed, stream}, .counter = {0, item, 0, 0}, .next = 4};
}

/* Computes the next four numbers. */
void stream_fill(weft_random *random);

static inline uint64_t stream_next(weft_random *random)
{
    if (random->next == 4) {
        stream_fill(random);
    }
    return random->block[random->next++];
}

static inline double stream_next_double(weft_random *random)
{
    return (double)(int64_t)(stream_next(random) >> 11) * 0x1p-53;
}

#endif
