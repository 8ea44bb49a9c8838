/* SPDX-License-Identifier: BSD-3-Clause */
/* What makes the ranks of a job alike: one build of weft, one program, and rank 0's options. */
#ifndef API_ALIKE_H
#define API_ALIKE_H

#include "api/options.h"
#include "base/error.h"
#include "comm/comm.h"
#include "host/launcher.h"

#include <weft/session.h>

/* Refuses a process that MPI takes for the only one, though its launcher has started several. */
weft_status alike_check_launcher(const launcher_claim *claim, error *e);

/* Refuses ranks with another weft, which could not understand each other; the first collective
 * call. */
weft_status alike_begin(comm *c, error *e);

/* After all ranks have read their options, or failed to, as `own` and `e` say: refuses ranks that
 * were started with another program or with other options of it, and gives all ranks rank 0's
 * choice. Its texts are allocated in *texts, which is the caller's to free. Collective. */
weft_status alike_settle(comm *c, const weft_program *program, weft_status own, options *chosen,
                         char **texts, error *e);

#endif
