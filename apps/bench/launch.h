/* SPDX-License-Identifier: BSD-3-Clause */
/** @file
 * The processes that measure: how they are started, what comes back from them, and how they end.
 */
#ifndef BENCH_LAUNCH_H
#define BENCH_LAUNCH_H

#include "plan.h"
#include "table.h"

#include <signal.h>

/** Does a measurement in a new process, or in several under mpirun, in the current folder; its rows
 * go into the table. Ends it when the flag is set. False if it failed, and has said why. */
bool launch_job(const request *wish, const job *j, int number, table *t,
                const volatile sig_atomic_t *interrupted);

/** The new process's part: does the measurement and gives the exit status. */
int launch_measure(const request *wish, const job *j);

#endif
