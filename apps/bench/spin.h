/* SPDX-License-Identifier: BSD-3-Clause */
/** @file
 * Work of a chosen length: a chain of multiplications and additions, each waiting for the last.
 */
#ifndef BENCH_SPIN_H
#define BENCH_SPIN_H

#include <stdint.h>

/** Does some steps, and gives a number that depends on all of them. */
double spin_steps(int64_t start, int64_t steps);

/** Measures how many seconds a step takes when nothing else gets in between. */
double spin_step_s(void);

#endif
