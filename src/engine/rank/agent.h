/* SPDX-License-Identifier: BSD-3-Clause */
/* The agent of a rank: gets chunks, offers them to the team as blocks, and reports what is written.
 */
#ifndef ENGINE_RANK_AGENT_H
#define ENGINE_RANK_AGENT_H

#include "base/error.h"
#include "engine/flow/flow.h"
#include "engine/link/coordinator_link.h"
#include "sched/message.h"
#include "team/team.h"

#include <stdbool.h>
#include <stdint.h>

typedef struct agent agent;

/* What it works with; all of it lives longer. */
typedef struct agent_setup {
    flow *flow;
    team *team;
    coordinator_link *link;
    int ranks;
    int workers;
    pulse pulse;
} agent_setup;

/* How the agent's rank takes part in the run. */
typedef enum agent_state {
    AGENT_WORKS,
    AGENT_ENDS,     /* the run is over, and what is under way here comes to its end */
    AGENT_IS_DONE,  /* so has that */
    AGENT_GIVES_UP, /* others have done what a kernel is still at, or the run has to end at once */
    AGENT_LEAVES_DISK /* the disk has not answered in time */
} agent_state;

weft_status agent_create(const agent_setup *setup, agent **out, error *e);

/* NULL is allowed. */
void agent_destroy(agent *a);

/* Collects what workers have finished, and reports it; true if there was anything. */
bool agent_collect(agent *a, int64_t now_ns);

/* A message from the coordinator. */
void agent_receive(agent *a, const void *bytes, int64_t now_ns);

/* The coordinator does not answer any more: the run is over for this rank. */
void agent_lose_coordinator(agent *a, const error *why, int64_t now_ns);

/* Everything else that is due: keeps workers in work, or ends. The store is still being written to
 * by others of this process if `writing`. */
agent_state agent_step(agent *a, bool writing, int64_t now_ns);

/* Whether workers have nothing left to begin, so that every moment counts. */
bool agent_is_hungry(const agent *a);

/* Whether the run is over, and how. */
bool agent_has_ended(const agent *a);
const message_end *agent_end(const agent *a);

#endif
