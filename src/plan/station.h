/* SPDX-License-Identifier: BSD-3-Clause */
/* A rank of a simulated run: its agent, which is a real one's desk, and its workers, who take spans
 * from a real team's ring. */
#ifndef PLAN_STATION_H
#define PLAN_STATION_H

#include "plan/world.h"

typedef struct station station;

/* Its workers wait; its agent looks up at once. */
weft_status station_create(world *w, int rank, station **out, error *e);

/* NULL is allowed. */
void station_destroy(station *m);

/* What was going to happen in this rank happens. */
void station_handle(station *m, const event *e);

/* When its agent looks up first, from a time on, if it is not woken. */
double station_next_look(const station *m, double from_ns);

/* Its agent was the coordinator until then, and looks after its own rank now. */
void station_return(station *m, double until_ns, bool active);

/* When a worker has computed its last span; 0: none. */
double station_idle_ns(const station *m, int worker);

#endif
