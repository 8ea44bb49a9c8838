/* SPDX-License-Identifier: BSD-3-Clause */
/* What the workers of all ranks have spent on a run and are at, as ranks have said last.
 *
 * Thread: rank 0's driver. */
#ifndef ENGINE_COORD_EFFORTS_H
#define ENGINE_COORD_EFFORTS_H

#include "base/error.h"
#include "sched/message.h"

#include <stdbool.h>
#include <stdint.h>

typedef struct efforts efforts;

/* Of all ranks. */
typedef struct efforts_sum {
    double busy_s;
    double worst_s; /* of the busiest worker */
    double cpu_s;
    double wait_s;
    double state_s[WEFT_STATES];  /* workers times the time since the start of the run, in all */
    int32_t workers[WEFT_STATES]; /* that are in this state */
} efforts_sum;

/* Of `ranks` ranks with workers[rank] workers each, which lives longer. */
weft_status efforts_create(int ranks, const int workers[], efforts **out, error *e);

/* NULL is allowed. */
void efforts_destroy(efforts *f);

/* The run begins. */
void efforts_begin(efforts *f, int64_t now_ns);

/* Heeds what a rank's message says of its workers: a report's, a beat's, news', or that it has left
 * or waits for the disk alone; others say nothing of them. After the message has been recorded:
 * `undone` tiles of the job are not yet. */
void efforts_hear(efforts *f, int rank, const void *message, int64_t undone, int64_t now_ns);

/* A rank is presumed dead, until it is heard again. */
void efforts_lose(efforts *f, int rank);

/* From its last message on, a rank's workers are taken to have stayed in their states. */
efforts_sum efforts_sum_up(const efforts *f, int64_t now_ns);

#endif
