/* SPDX-License-Identifier: BSD-3-Clause */
/* The agent of a rank: what its desk decides is done here with blocks, team, disk and messages.
 *
 * Thread: the driver. */
#ifndef ENGINE_RANK_AGENT_H
#define ENGINE_RANK_AGENT_H

#include "base/error.h"
#include "engine/flow/flow.h"
#include "engine/link/coordinator_link.h"
#include "sched/desk.h"
#include "team/lane.h"

#include <stdbool.h>
#include <stdint.h>

typedef struct agent agent;

/* What it works with; all of it lives longer. */
typedef struct agent_setup {
    flow *flow;
    lane *lane;
    coordinator_link *link;
    int ranks;
    int workers;
    pulse pulse;
} agent_setup;

weft_status agent_create(const agent_setup *setup, agent **out, error *e);

/* NULL is allowed. */
void agent_destroy(agent *a);

/* Collects what workers have finished, and reports it; true if there was anything. */
bool agent_collect(agent *a, int64_t now_ns);

/* A message from the coordinator. */
void agent_receive(agent *a, const void *bytes, int64_t now_ns);

/* Everything else that is due: keeps workers in work, or ends. The store is still being written to
 * by others of this process if `writing`. */
desk_state agent_step(agent *a, bool writing, int64_t now_ns);

/* What the workers of an agent have done so far, and are at. */
rank_effort agent_effort(const void *about);

/* As desk_urgency(). */
urgency agent_urgency(const agent *a, int64_t now_ns);

#endif
