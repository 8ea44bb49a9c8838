/* SPDX-License-Identifier: BSD-3-Clause */
/** @file
 * Random streams: one per item, never one per worker, so that no two items share numbers and no
 * result depends on the layout.
 *
 * The generator is Philox4x64-10 (Salmon, Moraes, Dror, Shaw: Parallel random numbers: as easy as
 * 1, 2, 3; SC11), with the same numbers in the same order as
 * `numpy.random.Philox(key=[seed, stream], counter=[0, item, 0, 0])`.
 */
#ifndef WEFT_RANDOM_H
#define WEFT_RANDOM_H

#include <stdint.h>
#include <weft/macros.h>
#include <weft/span.h>

WEFT_BEGIN_DECLS

/** A position in one stream. Plain data: copy it to fork the stream. Set with weft_random_init().
 */
typedef struct weft_random {
    uint64_t key[2];     /**< seed, stream */
    uint64_t counter[4]; /**< block, item, 0, 0 */
    uint64_t block[4];   /**< the numbers of the present block */
    int next;            /**< which of them comes next; 4: none is left */
} weft_random;

/**
 * Goes to the start of a stream.
 *
 * @local Any thread.
 * @param random out: the stream
 * @param seed   the job's seed
 * @param stream which of an item's streams
 * @param item   the item's number
 */
WEFT_API void weft_random_init(weft_random *random, uint64_t seed, uint64_t stream, uint64_t item);

/**
 * Goes to the start of an item's stream 0, or another, with the job's seed: what a kernel calls.
 *
 * @local The worker that the kernel runs on.
 * @param span   the kernel's span
 * @param item   the item's number
 * @param stream which of the item's streams
 * @return the stream
 */
WEFT_API weft_random weft_span_random(const weft_span *span, int64_t item, uint64_t stream);

/**
 * 64 random bits.
 *
 * @local Any thread, one at a time for one stream.
 * @param random the stream; moves on by one number
 * @return uniform over all values
 */
WEFT_API uint64_t weft_random_u64(weft_random *random);

/**
 * A number in [0, 1): (weft_random_u64() >> 11) · 2⁻⁵³, as NumPy's `Generator.random()`.
 *
 * @local Any thread, one at a time for one stream.
 * @param random the stream; moves on by one number
 * @return uniform over the multiples of 2⁻⁵³
 */
WEFT_API double weft_random_double(weft_random *random);

/**
 * A whole number below a bound, without bias (Lemire: Fast random integer generation in an
 * interval, 2019).
 *
 * @local Any thread, one at a time for one stream.
 * @param random the stream; moves on by one number, seldom more
 * @param bound  the bound, at least 1; 0 gives 0
 * @return uniform over 0 … bound - 1
 */
WEFT_API uint64_t weft_random_below(weft_random *random, uint64_t bound);

/**
 * A standard normal deviate, as NumPy's `Generator.standard_normal()`, by the ziggurat method
 * (Marsaglia and Tsang, 2000). No function of libm takes part, so that the bits are the same on
 * every processor.
 *
 * @local Any thread, one at a time for one stream.
 * @param random the stream; moves on by one number, seldom more
 * @return mean 0, standard deviation 1
 */
WEFT_API double weft_random_normal(weft_random *random);

/**
 * An exponential deviate, as NumPy's `Generator.standard_exponential()`, by the same method and
 * with the same bits everywhere.
 *
 * @local Any thread, one at a time for one stream.
 * @param random the stream; moves on by one number, seldom more
 * @return mean 1
 */
WEFT_API double weft_random_exponential(weft_random *random);

WEFT_END_DECLS

#endif
