/* SPDX-License-Identifier: BSD-3-Clause */
/** @file
 * What the ranks of a measurement say to each other besides weft: when to begin, and how long it
 * took. All calls are collective and the main thread's.
 */
#ifndef BENCH_RANKS_H
#define BENCH_RANKS_H

#include <stdbool.h>
#include <stddef.h>

/** Starts MPI, so that threads may call it one at a time. */
bool ranks_start(int *argc, char ***argv);

/** Ends MPI. */
void ranks_end(void);

/** Waits for the others, asleep and not spinning: another rank may be using this one's core. */
void ranks_meet(void);

/** Meets, and gives the time at which this rank went on. */
double ranks_begin(void);

/** The most seconds that any rank needed since its ranks_begin(); the same on every rank. */
double ranks_seconds(double begin);

/** The largest of the ranks' values, on every rank. */
double ranks_most(double value);

/** The smallest of the ranks' values, on every rank. */
double ranks_least(double value);

/** Rank 0's value, on every rank. */
double ranks_first(double value);

/** Brings together on rank 0 what each rank has a part of, and zeros elsewhere. */
void ranks_gather(void *bytes, size_t count);

#endif
