/* SPDX-License-Identifier: BSD-3-Clause */
/** @file
 * What a process of a run says of it: a line of JSON in the file "report", which weft-bench reads.
 */
#ifndef BENCH_REPORT_H
#define BENCH_REPORT_H

#include <stdbool.h>
#include <stdint.h>

/** Where a process was when the clock started. */
typedef struct report {
    double begin;
    double cpu;
    int64_t peak;
} report;

/** Seconds, on a clock that all processes of a machine share. */
double report_now(void);

/** Seconds of CPU time that this process and its children that have ended have taken. */
double report_cpu(void);

/** Seconds of CPU time that this thread has taken. */
double report_thread_cpu(void);

/** Starts the clock. */
void report_begin(report *r);

/**
 * Stops the clock and writes the line.
 *
 * @param items how many this process has computed; -1: not counted
 * @param all   how many all processes together should have
 * @param value what the run measured by itself; NaN: nothing
 * @return false if the line cannot be written
 */
bool report_end(const report *r, int rank, int64_t items, int64_t all, double value);

#endif
