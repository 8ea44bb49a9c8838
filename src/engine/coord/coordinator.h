/* SPDX-License-Identifier: BSD-3-Clause */
/* Rank 0's part of a run: hands out chunks, keeps the run record, and says when the run is over.
 *
 * Thread: rank 0's driver. */
#ifndef ENGINE_COORD_COORDINATOR_H
#define ENGINE_COORD_COORDINATOR_H

#include "comm/mail.h"
#include "engine/coord/progress.h"
#include "engine/layout/placement.h"
#include "sched/pace.h"
#include "sched/pulse.h"
#include "space/job.h"
#include "store/store.h"

#include <stdbool.h>
#include <stddef.h>

typedef struct coordinator coordinator;

/* What it works with; all of it lives longer. */
typedef struct coordinator_setup {
    const job *job;
    store *store;
    mail *mail;
    const placement *placement;
    const run_options *options;
    pulse pulse;
} coordinator_setup;

/* Opens the run record, and the run's row in the file. */
weft_status coordinator_create(const coordinator_setup *setup, coordinator **out, error *e);

/* Prints the closing line. NULL is allowed. */
void coordinator_destroy(coordinator *c);

/* A message that an agent has sent. */
void coordinator_receive(coordinator *c, int rank, const void *bytes, size_t count);

/* What is due by the clock: ranks that wait for work, the run's row, and, of the `first` of the
 * runs that are under way, the progress line. */
void coordinator_step(coordinator *c, bool first, int64_t now_ns);

/* Whether a rank waits for what another may say. */
urgency coordinator_urgency(const coordinator *c);

#endif
