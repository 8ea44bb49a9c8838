/* SPDX-License-Identifier: BSD-3-Clause */
/** @file
 * What is measured, each in a process of its own, or in several under mpirun: MPI cannot be started
 * twice in one.
 */
#ifndef BENCH_PLAN_H
#define BENCH_PLAN_H

#include "measure.h"
#include "request.h"

/** A measurement. */
typedef struct job {
    const char *name; /**< what it is chosen by; several may share it */
    weft_status (*measure)(const bench *b);
    int ranks;            /**< 1: without mpirun */
    int workers;          /**< per rank */
    bool brief;           /**< takes tenths of a second, and so is repeated more often */
    bool sync;            /**< as weft does by default; else neither side forces anything to disk */
    const char *schedule; /**< or NULL */
    const char *workload; /**< or NULL */
    trouble trouble;
} job;

/** What there is to do. */
typedef struct plan {
    job *jobs;
    int count;
    bool short_of_memory;
} plan;

/** The names that --only takes, from 0; NULL after the last. */
const char *plan_name(int number);

/** What a request asks for, the same in every process; NULL if memory ran out. */
plan *plan_create(const request *wish);

/** Frees a plan, or NULL. */
void plan_destroy(plan *p);

#endif
