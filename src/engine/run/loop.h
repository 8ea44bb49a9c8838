/* SPDX-License-Identifier: BSD-3-Clause */
/* The loop of a rank's run: messages go to its agent, and on rank 0 to the coordinator, which never
 * see each other; in between the team computes.
 *
 * Thread: the driver. */
#ifndef ENGINE_RUN_LOOP_H
#define ENGINE_RUN_LOOP_H

#include "comm/comm.h"
#include "comm/mail.h"
#include "engine/coord/coordinator.h"
#include "engine/flow/flow.h"
#include "engine/link/coordinator_link.h"
#include "team/lane.h"

typedef struct loop loop;

/* What it works with; all of it lives longer. */
typedef struct loop_setup {
    flow *flow;
    comm *comm;
    mail *mail;
    coordinator_link *link;
    coordinator *coordinator; /* rank 0; else NULL */
    lane *lane;               /* of the rank's team */
    const lane_caller *caller;
    int workers;
    pulse pulse;
} loop_setup;

/* Memory for the loop, which a rank has before others begin to rely on it. */
weft_status loop_create(loop **out, error *e);

/* NULL is allowed. */
void loop_destroy(loop *l);

/* The run begins. A failure of this rank's own is told to the coordinator. */
void loop_begin(loop *l, const loop_setup *setup);

/* Takes part in the run until it is over, or the clock says until_ns: whether it is over. In the
 * latter case the others hear nothing of this rank until the next call. */
bool loop_run(loop *l, int64_t until_ns);

/* Once the run is over; *why is the coordinator's last word, which is the same on all ranks, or
 * that the coordinator is dead. Where a rank has died, the communication is broken from then on. */
weft_status loop_end(loop *l, error *why);

#endif
