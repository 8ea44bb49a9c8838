/* SPDX-License-Identifier: BSD-3-Clause */
/** @file
 * How much longer one item of a workload takes than another: the distributions that the literature
 * on loop scheduling uses. A function of the item alone, the same in every process.
 */
#ifndef BENCH_COST_H
#define BENCH_COST_H

#include <stdint.h>

/** Cost of an item, 0 to count - 1, as a multiple of the mean over all items, or of its expectation
 * where it is random. */
typedef double (*cost_fn)(int64_t item, int64_t count);

/** All the same. */
double cost_uniform(int64_t item, int64_t count);

/** From nothing to twice the mean. */
double cost_increasing(int64_t item, int64_t count);

/** From twice the mean to nothing. */
double cost_decreasing(int64_t item, int64_t count);

/** Exponentially distributed. */
double cost_exponential(int64_t item, int64_t count);

/** One item in a hundred takes a hundred times as long as the others. */
double cost_bimodal(int64_t item, int64_t count);

/** One item, at three quarters of the way, is a tenth of the whole; the others are equal. */
double cost_giant(int64_t item, int64_t count);

#endif
