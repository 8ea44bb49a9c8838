/* SPDX-License-Identifier: BSD-3-Clause */
/* What the file of a job tells of its speed: how long tiles took, on what, and in which runs. */
#ifndef PLAN_EVIDENCE_H
#define PLAN_EVIDENCE_H

#include "base/error.h"
#include "plan/calibration.h"
#include "plan/workload.h"
#include "space/job.h"

#include <weft/result.h>

typedef struct evidence {
    weft_result *result;
    const job *job;
    workload_tile *tile; /* job->tiles.tiles of them, on a core of their own */
    weft_result_run *run;
    int runs;
    int ranks;   /* of the last run … */
    int workers; /* … and per rank */
    int cores;   /* of the last run that knows; 0: none does */
    double cpu_share;
} evidence;

/* Of a map of that name; NULL: the file's only one. To be closed in every case. */
weft_status evidence_open(const char *path, const char *map, evidence *ev, error *e);
void evidence_close(evidence *ev);

/* Simulates the complete runs, the newest of them, and learns from what they took. */
weft_status evidence_calibrate(const evidence *ev, calibration *c, error *e);

/* The share of a run's busy time that is left without waiting for cores that others had: for other
 * workers of this run, or other programs. */
double evidence_own_share(const weft_result_run *run);

#endif
