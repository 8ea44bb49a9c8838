/* SPDX-License-Identifier: BSD-3-Clause */
/** @file
 * A loop as weft runs it.
 */
#ifndef BENCH_RUN_H
#define BENCH_RUN_H

#include "expert.h"

/** How a run went, the same on every rank. */
typedef struct run_times {
    double seconds;   /**< until all ranks are done, the results in the file */
    double imbalance; /**< from the first rank that goes idle to the last, over the seconds */
} run_times;

/** Runs the loop in a session, and removes the file. The error is in that session. */
weft_status run_loop(weft_session *session, loop *l, run_times *times);

#endif
