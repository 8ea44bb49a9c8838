/* SPDX-License-Identifier: BSD-3-Clause */
/* A run from its beginning to its end, on all ranks. */
#ifndef ENGINE_RUN_H
#define ENGINE_RUN_H

#include "base/account.h"
#include "comm/comm.h"
#include "engine/liveness.h"
#include "engine/placement.h"
#include "engine/progress.h"
#include "range/job.h"
#include "range/technique.h"

#include <stdbool.h>
#include <weft/map.h>

/* What a user can choose about it. */
typedef struct run_choice {
    const char *path;
    technique technique;
    int64_t grain; /* 0: the file's, or else the map's */
    int64_t map_grain;
    uint64_t seed;
    double sync_s;
    int64_t deadline_ns;   /* when it must be over; 0: it takes the time it takes */
    int64_t beat_ns;       /* as in pulse_for() */
    int64_t dead_after_ns; /* its limit */
    bool retry_failed;
    bool fresh;
    bool later;            /* not the first of the session */
    bool isolate;          /* everything is computed in children of the workers */
    bool never_apart;      /* nothing is, whatever else is said */
    double item_timeout_s; /* and ended if it takes longer; 0: never */
    progress_mode progress;
    int64_t span_limit; /* items; 0: none */
    bool pure;
    const char *command;
} run_choice;

/* Adds the sizes of all that ranks send each other in a run to an account: ranks that were built
 * otherwise do not understand each other. */
void run_describe(account *a);

/* Settles the job, opens its result, computes what is missing. Collective: all ranks that live to
 * see the end return the same. */
weft_status run_map(comm *c, const placement *p, job *j, const run_choice *choice,
                    weft_kernel_fn kernel, void *context, error *e);

#endif
