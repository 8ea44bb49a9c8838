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

/* NULL: out of memory. */
events *events_create(void);

/* NULL is allowed. */
void events_destroy(events *q);

/* False if there is no memory for it. */
bool events_add(events *q, const event *e);

/* The earliest event stays in the queue; false if there is none. */
bool events_peek(const events *q, event *e);

/* Takes the earliest event out; among equals the one that was added first. */
bool events_take(events *q, event *e);

int64_t events_count(const events *q);

#endif
