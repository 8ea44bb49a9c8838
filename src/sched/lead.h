/* SPDX-License-Identifier: BSD-3-Clause */
/* What the coordinator decides: which rank gets which tiles, which ranks are presumed dead, and how
 * a run ends. It has no clock, messages or files of its own: messages and the time are handed in,
 * and what follows from them are effects, so that a run and its tests share it. */
#ifndef SCHED_LEAD_H
#define SCHED_LEAD_H

#include "sched/dispatch.h"
#include "sched/effects.h"
#include "sched/pulse.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct lead lead;

typedef struct lead_setup {
    effects outside;
    dispatch *dispatch; /* started; lives longer */
    int ranks;
    int64_t items;
    pulse pulse;
    bool pure;           /* tiles may be computed twice */
    int64_t deadline_ns; /* when the run must be over; 0: it takes the time it takes */
} lead_setup;

/* All ranks are there. */
weft_status lead_create(const lead_setup *setup, int64_t now_ns, lead **out, error *e);

/* NULL is allowed. */
void lead_destroy(lead *l);

/* Takes a message that a rank has sent. Returns how many orders have been given for it. */
int64_t lead_receive(lead *l, int rank, const void *bytes, size_t count, int64_t now_ns);

/* What is due by the clock; after all messages have been read. Returns how many orders have been
 * given. */
int64_t lead_step(lead *l, int64_t now_ns);

/* A rank's process is known to have ended. */
void lead_presume_dead(lead *l, int rank);

/* The run cannot go on. The first error counts. */
void lead_take_error(lead *l, const error *why, int64_t now_ns);

/* Whether a rank is presumed dead, or has had to go for that. */
bool lead_lost(const lead *l, int rank);

/* Whether a rank waits for what the lead has to say once messages have come. What waits for the
 * disk alone goes out when that is done. */
urgency lead_urgency(const lead *l);

/* The record is closed, or about to be: nothing that arrives counts any more. */
bool lead_closed(const lead *l);

/* All ranks have been told that the run is over. */
bool lead_over(const lead *l);

/* What the run has come to; before it is over, that it was stopped. */
weft_status lead_status(const lead *l);

#endif
