/* SPDX-License-Identifier: BSD-3-Clause */
/* A run without a cluster: the decisions of coordinator, agents and teams by a clock of its own, in
 * which tiles take as long as the caller says. */
#ifndef PLAN_SIMULATION_H
#define PLAN_SIMULATION_H

#include "base/error.h"
#include "sched/technique.h"
#include "space/job.h"

#include <stdbool.h>
#include <stdint.h>

/* What everything but computing takes, in seconds. */
typedef struct simulation_costs {
    double latency_s; /* a message, one way */
    double message_s; /* the coordinator, per message taken or sent */
    double record_s;  /* the coordinator, per report … */
    double tile_s;    /* … and per tile in it */
    double block_s;   /* a worker, to write a block … */
    double byte_s;    /* … and per byte of it */
    double wake_s;    /* a thread that sleeps, to wake up */
    double sync_s;    /* a sync of the file; 0: results are not forced to disk */
} simulation_costs;

/* As measured, or as found out of what is usual: see simulation.c. */
extern const simulation_costs simulation_usual_costs;

typedef struct simulation_setup {
    const job *job;     /* for the size of its items; its tiles are those below */
    int64_t tiles;      /* 0 … tiles - 1 */
    const bool *done;   /* per tile, what an earlier run has done; NULL: nothing */
    int64_t call_tiles; /* that one call of the kernel gets at most; 0: no limit */
    double (*tile_ns)(const void *context, int64_t tile); /* at least 0 */
    const void *context;
    int ranks;
    int workers;         /* per rank, at least 1 */
    const double *speed; /* per worker, rank by rank: 2 computes twice as fast; NULL: 1 for all */
    technique technique;
    uint64_t seed;
    bool pure;
    double cores;     /* that the workers share; 0: each has its own */
    double cpu_share; /* of a tile's time in which it needs a core, 0 … 1 */
    simulation_costs costs;
} simulation_setup;

typedef struct simulation_result {
    double makespan_s;
    double work_s;       /* of all tiles to do, each once, at speed 1 on a core of its own */
    double busy_s;       /* that workers spent in the kernel, duplicates included */
    double longest_s;    /* the longest tile to do */
    double first_idle_s; /* when the first worker had nothing more to do … */
    double last_idle_s;  /* … and the last */
    double coordinator;  /* share of the makespan that the coordinator had messages to see to */
    int64_t tiles;       /* to do */
    int64_t computed;    /* tiles, duplicates included; those dropped at the end are not */
    int64_t duplicates;  /* tiles computed again */
    int64_t chunks;
    int64_t messages; /* to and from the coordinator */
} simulation_result;

/* WEFT_ERR_MEMORY is the only error, but for those of our own. */
weft_status simulate(const simulation_setup *setup, simulation_result *result, error *e);

#endif
