/* SPDX-License-Identifier: BSD-3-Clause */
/* The end of a run: the values of its reductions, and its file is closed; and how long that, or its
 * beginning, may wait for a disk.
 *
 * Thread: the driver. */
#ifndef ENGINE_RUN_CLOSING_H
#define ENGINE_RUN_CLOSING_H

#include "comm/comm.h"
#include "engine/flow/flow.h"

/* A run that comes to its end. */
typedef struct closing {
    comm *comm;
    const job *job;
    const run_options *options;
    int hosts;
    int64_t deadline_ns; /* 0: there is none */
    store *store;        /* NULL: the result was not opened, or is closed */
} closing;

/* Whether what all ranks have written can be read by any of them once they have closed the file. */
bool closing_readable(const closing *c);

/* Collective, where no rank has been lost: rank 0 has the values of a map that is complete, and all
 * others get them. */
weft_status closing_share_values(closing *c, weft_status status, error *e);

/* Closes the result. Without --sync a file system may tell of errors only here: they are the run's,
 * on all ranks, unless there is one already. */
weft_status closing_end(closing *c, weft_status status, error *e);

#endif
