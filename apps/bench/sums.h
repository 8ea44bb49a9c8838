/* SPDX-License-Identifier: BSD-3-Clause */
/** @file
 * What it costs to add up doubles that lie in memory.
 */
#ifndef BENCH_SUMS_H
#define BENCH_SUMS_H

#include "work.h"

/** Adds up numbers. */
typedef double (*sums_fn)(int64_t n, const double x[]);

/**
 * Adds up the same numbers a few times, the first of which does not count.
 *
 * @param s   items= is how many there are; spread= their exponents, from -spread to spread
 * @param add how they are added up
 * @return nanoseconds per number, the least of all times; NaN if there is no memory
 */
double sums_measure(const settings *s, sums_fn add);

#endif
