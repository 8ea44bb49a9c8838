/* SPDX-License-Identifier: BSD-3-Clause */
/* What all parts of a simulated run share: the setup, a clock, what is going to happen, messages on
 * their way, and what has come of it so far. */
#ifndef PLAN_WORLD_H
#define PLAN_WORLD_H

#include "plan/events.h"
#include "plan/simulation.h"
#include "sched/lead.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef enum event_kind {
    EVENT_LOOK,     /* an agent looks up */
    EVENT_READY,    /* a worker looks for a span */
    EVENT_COMPUTED, /* a worker has computed one */
    EVENT_WRITTEN,  /* a worker has written a block (data) */
    EVENT_SYNCED,   /* a rank's data are on disk */
    EVENT_ARRIVED,  /* a letter (data) has reached a rank */
    EVENT_POSTED,   /* a letter (data) has reached the coordinator */
    EVENT_SERVE     /* the coordinator looks up */
} event_kind;

/* A message on its way between a rank and the coordinator. */
typedef struct letter {
    struct letter *next;
    int rank; /* that is not the coordinator */
    size_t count;
    int64_t message[];
} letter;

/* The oldest first. */
typedef struct letters {
    letter *first;
    letter *last;
} letters;

typedef struct world {
    const simulation_setup *setup;
    double scale; /* simulated seconds per second */
    int64_t span_limit;
    const lead *lead;
    events *queue; /* in nanoseconds */
    double now_ns;
    bool failed; /* out of memory */
    simulation_result result;
} world;

/* The clock at 0, nothing to happen. */
weft_status world_create(const simulation_setup *setup, world *w, error *e);

/* What has not happened yet is dropped. */
void world_destroy(world *w);

static inline double ns(double seconds)
{
    return 1e9 * seconds;
}

/* How long a tile takes, on the scale. */
double world_tile_ns(const world *w, int64_t tile);

/* Something is going to happen. */
void world_add(world *w, double when_ns, event_kind kind, int rank, int worker, void *data);

/* A copy of a message is on its way from when it was sent, to arrive as an event of that kind. */
void world_send(world *w, event_kind kind, int rank, const void *bytes, size_t count,
                double sent_ns);

void letters_append(letters *l, letter *last);

/* The oldest letter is the caller's to free; NULL: there is none. */
letter *letters_take(letters *l);

#endif
