/* SPDX-License-Identifier: BSD-3-Clause */
/** @file
 * A counter that all ranks share: self-scheduling as one writes it by hand, without a master.
 */
#ifndef BENCH_COUNTER_H
#define BENCH_COUNTER_H

#include <stdint.h>

typedef struct counter counter;

/** Makes a counter at 0, on rank 0's memory. Collective; NULL if memory ran out. */
counter *counter_create(void);

/** Adds to it, and gives what it was before. Any thread, one at a time. */
int64_t counter_add(counter *c, int64_t step);

/** Collective. */
void counter_destroy(counter *c);

#endif
