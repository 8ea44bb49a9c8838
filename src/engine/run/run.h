/* SPDX-License-Identifier: BSD-3-Clause */
/* A run from its beginning to its end, on all ranks.
 *
 * Thread: the driver. */
#ifndef ENGINE_RUN_RUN_H
#define ENGINE_RUN_RUN_H

#include "base/account.h"
#include "comm/comm.h"
#include "engine/flow/run_options.h"
#include "engine/layout/placement.h"
#include "space/job.h"
#include "team/lane.h"

#include <weft/span.h>

/* Adds the sizes of all that ranks send each other in a run to an account: ranks that were built
 * otherwise do not understand each other. */
void run_describe(account *a);

/* Before a run has begun: what may wait for a disk, or for ranks that do, ends the process in good
 * order at the deadline (0: none), or a moment after it has been told to stop. */
void run_watch(int64_t deadline_ns);
void run_end_watch(void);

typedef struct run run;

/* What a run works with; all of it lives longer, but for the options. */
typedef struct run_setup {
    comm *comm;
    const placement *placement;
    job *job; /* settled; its grain may be changed */
    const run_options *options;
    weft_kernel_fn kernel;
    void *context;
    lane *lane;                /* of the rank's team: its own */
    const lane_caller *caller; /* who wants it */
} run_setup;

/* Memory for a run, which a rank has before others begin to rely on it. */
weft_status run_create(run **out, error *e);

/* NULL is allowed. Not between run_begin() and run_end(). */
void run_destroy(run *r);

/* Opens the result, and begins to compute what is missing. What goes wrong, run_end() tells.
 * Collective. */
void run_begin(run *r, const run_setup *setup);

/* Goes on until the run is over, or the clock says until_ns, or a moment longer: whether it is
 * over. The others hear nothing of this rank in between two calls. */
bool run_continue(run *r, int64_t until_ns);

/* Once it is over. Collective: all ranks that live to see the end return the same. */
weft_status run_end(run *r, error *e);

/* Closes a file of the session, if it is open. */
void run_close_file(run_file *file);

#endif
