/* SPDX-License-Identifier: BSD-3-Clause */
/** @file
 * The workloads: loops of every shape, made of arithmetic, and two real ones.
 */
#ifndef BENCH_WORKLOAD_H
#define BENCH_WORKLOAD_H

#include "expert.h"

typedef struct workload workload;

/** The names, from 0; NULL after the last. */
const char *workload_name(int number);

/**
 * Prepares a workload of a size: 1 is what takes one core about a second.
 *
 * @param made out: the workload; on all ranks
 */
weft_status workload_open(const bench *b, const char *name, double size, workload **made);

/** Its loop. */
loop *workload_loop(workload *w);

/** Frees it, or NULL. */
void workload_close(workload *w);

/** How many core seconds the two real loops take as they are measured by themselves, about. */
#define MANDELBROT_CORE_S 3.5
#define COAST_CORE_S 3.0

#endif
