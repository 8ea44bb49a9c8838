/* SPDX-License-Identifier: BSD-3-Clause */
/* The loop of a rank's run: messages go to its agent, and on rank 0 to the coordinator, which never
 * see each other; in between the team computes.
 *
 * Thread: the main thread. */
#ifndef ENGINE_RUN_LOOP_H
#define ENGINE_RUN_LOOP_H

#include "comm/comm.h"
#include "engine/coord/coordinator.h"
#include "engine/flow/flow.h"
#include "engine/link/coordinator_link.h"
#include "engine/link/mail.h"
#include "team/team.h"

/* What it works with; all of it lives longer. */
typedef struct loop_setup {
    flow *flow;
    comm *comm;
    mail *mail;
    coordinator_link *link;
    coordinator *coordinator; /* rank 0; else NULL */
    team *team;               /* of the session */
    int workers;
    pulse pulse;
} loop_setup;

/* Takes part in the run until it is over; *why is the coordinator's last word, which is the same on
 * all ranks, or that the coordinator is dead. Where a rank has died, the communication is broken
 * from then on. A failure of this rank's own has been told to the coordinator. */
weft_status loop_run(const loop_setup *setup, error *why);

#endif
