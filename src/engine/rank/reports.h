/* SPDX-License-Identifier: BSD-3-Clause */
/* What a rank's team has finished, on its way into the run record: forced to disk, then reported.
 */
#ifndef ENGINE_RANK_REPORTS_H
#define ENGINE_RANK_REPORTS_H

#include "engine/flow/block.h"
#include "engine/link/coordinator_link.h"
#include "team/team.h"

#include <stdbool.h>
#include <stdint.h>

typedef struct reports reports;

/* What it works with; all of it lives longer. */
typedef struct reports_setup {
    team *team;
    int workers;
    coordinator_link *link;
    const flow *flow;
} reports_setup;

weft_status reports_create(const reports_setup *setup, reports **out, error *e);

/* Frees the blocks, too. NULL is allowed. */
void reports_destroy(reports *d);

/* The rank begins to compute: its speed counts from here. */
void reports_begin(reports *d, int64_t now_ns);

/* A block that can be used again; NULL: there is none. */
block *reports_take_free(reports *d);

/* A block that nothing has become of. */
void reports_put_free(reports *d, block *b);

/* Takes over what the team has finished, and tells the coordinator how that went; so many tiles are
 * queued behind what the team has. What was not computed, or not written, goes back, in the rank's
 * epoch. False if there was nothing. */
bool reports_collect(reports *d, int64_t queued, int32_t epoch);

/* Reports what may be reported: everything, or what is on disk for sure. `hurry`: nothing more will
 * come that could share a sync. */
void reports_report(reports *d, int64_t now_ns, bool hurry);

/* Whether all that was collected has been reported. */
bool reports_done(const reports *d);

/* Whether the disk still is at what was given to it. */
bool reports_busy(const reports *d);

#endif
