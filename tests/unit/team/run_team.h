/* SPDX-License-Identifier: BSD-3-Clause */
/* For tests of a team: a whole run of it. */
#ifndef UNIT_TEAM_RUN_TEAM_H
#define UNIT_TEAM_RUN_TEAM_H

#include "base/clock.h"
#include "team/team.h"

/* Blocks that a team has room for, and the workers of the largest. */
enum { ROOM = 4, MOST_WORKERS = 3 };

/* When a run has taken too long. */
static inline int64_t limit_ns(void)
{
    return clock_now_ns() + INT64_C(600000000000);
}

/* A whole run, of this thread's. */
static inline void run_team(team *t, const team_hooks *hooks, void *context, int64_t span_limit)
{
    team_caller caller;
    team_note_caller(&caller);
    team_begin(t, hooks, context, span_limit, &caller);
    team_run(t);
    team_end(t);
}

#endif
