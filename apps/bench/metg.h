/* SPDX-License-Identifier: BSD-3-Clause */
/** @file
 * The minimum effective task granularity, METG(50 %), as Task Bench defines it (Slaughter et al.,
 * SC20): the least average task duration, wall time times workers over tasks, at which half of the
 * peak rate is reached.
 */
#ifndef BENCH_METG_H
#define BENCH_METG_H

#include "work.h"

/** Computes a work of equal tasks; the seconds, or NaN on failure. */
typedef double (*metg_fn)(const work *w, void *context);

/**
 * Searches the size of a task.
 *
 * @param s  items= is the most tasks, step-ns= the peak rate of one worker, seconds= the length of
 *           a run
 * @return microseconds; NaN if a run fails, or no size of task reaches half of the peak, as on
 *         a busy machine
 */
double metg_search(const settings *s, int workers, metg_fn run, void *context);

#endif
