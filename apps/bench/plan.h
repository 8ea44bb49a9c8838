/* SPDX-License-Identifier: BSD-3-Clause */
/** @file
 * What is measured, each in a process of its own: MPI cannot be started twice in one, and the
 * number of workers is the session's.
 */
#ifndef BENCH_PLAN_H
#define BENCH_PLAN_H

#include "table.h"

/** How many measurements there are. */
int plan_count(void);

/** The name that a measurement is chosen by; consecutive ones may share it. */
const char *plan_name(int number);

/** Does a measurement in a new process, in the current folder; its rows go into the table. False if
 * it failed, and has said why. */
bool plan_start(int number, const plan_sizes *sizes, table *t);

/** The new process's part: does the measurement and gives the exit status. */
int plan_measure(int number, const plan_sizes *sizes, int pipe);

#endif
