/* SPDX-License-Identifier: BSD-3-Clause */
/* A run from its beginning to its end, on all ranks.
 *
 * Thread: the main thread. */
#ifndef ENGINE_RUN_RUN_H
#define ENGINE_RUN_RUN_H

#include "base/account.h"
#include "comm/comm.h"
#include "engine/flow/run_options.h"
#include "engine/layout/placement.h"
#include "space/job.h"

#include <weft/span.h>

/* Adds the sizes of all that ranks send each other in a run to an account: ranks that were built
 * otherwise do not understand each other. */
void run_describe(account *a);

/* Opens the result of a settled job, computes what is missing; where nothing is, that is all. The
 * job's grain may be changed. Collective: all ranks that live to see the end return the same. */
weft_status run_map(comm *c, const placement *p, job *j, const run_options *options,
                    weft_kernel_fn kernel, void *context, error *e);

/* Closes a file of the session, if it is open. */
void run_close_file(run_file *file);

#endif
