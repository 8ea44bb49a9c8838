/* SPDX-License-Identifier: BSD-3-Clause */
/* What is going to happen in a simulation: events by time, the earliest first. */
#ifndef PLAN_EVENTS_H
#define PLAN_EVENTS_H

#include <stdbool.h>
#include <stdint.h>

typedef struct event {
    double when; /* in whatever unit the queue is used with */
    int kind;
    int rank;
    int worker;
    void *data; /* the user's */
} event;

typedef struct events events;

/* The events before any. What is added as work shares `cores` cores, of which each needs one for
 * `share` of the time, 0 … 1; cores 0: each has its own. NULL: out of memory. */
events *events_create(double cores, double share);

/* NULL is allowed. */
void events_destroy(events *q);

/* False if there is no memory for it. */
bool events_add(events *q, const event *e);

/* The same at the end of work that takes e->when from now on, on a core of its own. */
bool events_add_work(events *q, const event *e);

/* Takes the earliest event out, which is the time from then on; among equals work, and then the one
 * that was added first. False if there is none. */
bool events_take(events *q, event *e);

#endif
