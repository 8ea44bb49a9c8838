/* SPDX-License-Identifier: BSD-3-Clause */
/** @file
 * Many equal tasks, handed out one at a time, in every way there is to do it. A result is a number
 * per task, in one file at the end. All are side_fn; the context is a tasks, the value seconds from
 * the moment at which all ranks begin until the last of them is done.
 */
#ifndef BENCH_TASKS_H
#define BENCH_TASKS_H

#include "measure.h"

#include <stdint.h>

/** The tasks. */
typedef struct tasks {
    int64_t count;
    int64_t steps;   /**< of the arithmetic in each */
    double *results; /**< for those who do it by hand: room for all */
} tasks;

/** With weft: a tile per task, a span per task. */
weft_status tasks_weft(const bench *b, void *context, double *seconds);

/** By hand in one rank: OpenMP's schedule(dynamic, 1). */
weft_status tasks_openmp(const bench *b, void *context, double *seconds);

/** By hand over ranks: each takes the next number with MPI_Fetch_and_op. */
weft_status tasks_counter(const bench *b, void *context, double *seconds);

/** By hand over ranks: rank 0 only answers the others, with MPI_Recv and MPI_Send. */
weft_status tasks_master(const bench *b, void *context, double *seconds);

/** No tasks at all: every worker does its share of the steps at once. What the others could reach
 * if handing out cost nothing. */
weft_status tasks_bare(const bench *b, void *context, double *seconds);

/** What rank 0 does with all results: one file, one write. */
weft_status tasks_keep(const bench *b, const tasks *t);

/** Goes back to before the first task; done before the clock starts. */
void tasks_clear(const tasks *t);

#endif
