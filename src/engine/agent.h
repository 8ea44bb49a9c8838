/* SPDX-License-Identifier: BSD-3-Clause */
/* The agent of a rank: gets chunks, offers them to the team as blocks, and reports what is written.
 */
#ifndef ENGINE_AGENT_H
#define ENGINE_AGENT_H

#include "base/host.h"
#include "engine/contact.h"
#include "engine/coordinator.h"
#include "engine/mail.h"
#include "engine/work.h"

/* What it works with; all of it lives longer. */
typedef struct agent_setup {
    work *work;
    comm *comm;
    mail *mail;
    contact *contact;
    coordinator *coordinator; /* rank 0; else NULL */
    int workers;
    const host_cores *pin; /* where they stay; NULL: anywhere */
    pulse pulse;
    double sync_s; /* data is forced to disk at least this often, before it is reported; 0: never */
} agent_setup;

/* Takes part in the run until it is over; *why is the coordinator's last word, which is the same on
 * all ranks, or that the coordinator is dead. Where a rank has died, the communication is broken
 * from then on. A failure of this rank's own has been told to the coordinator. */
weft_status agent_run(const agent_setup *setup, error *why);

#endif
