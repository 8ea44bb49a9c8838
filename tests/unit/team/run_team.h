/* SPDX-License-Identifier: BSD-3-Clause */
/* For tests of a team: a whole run in a lane. */
#ifndef UNIT_TEAM_RUN_TEAM_H
#define UNIT_TEAM_RUN_TEAM_H

#include "base/clock.h"
#include "team/lane.h"

/* Blocks that a team has room for, and the workers of the largest. */
enum { ROOM = 4, MOST_WORKERS = 3 };

/* When a run has taken too long. */
static inline int64_t limit_ns(void)
{
    return clock_now_ns() + INT64_C(600000000000);
}

/* A whole run, of this thread's. */
static inline void run_lane(lane *l, const lane_hooks *hooks, void *context, int64_t span_limit)
{
    lane_caller caller;
    lane_note_caller(&caller);
    lane_begin(l, hooks, context, span_limit, &caller, NULL);
    lane_run(l);
    lane_end(l);
}

#endif
