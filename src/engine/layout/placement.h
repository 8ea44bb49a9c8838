/* SPDX-License-Identifier: BSD-3-Clause */
/* Where the ranks are: hosts, cores, workers, and a warning if they are in each other's way.
 *
 * Thread: the main thread. */
#ifndef ENGINE_LAYOUT_PLACEMENT_H
#define ENGINE_LAYOUT_PLACEMENT_H

#include "base/error.h"
#include "comm/comm.h"
#include "host/host.h"

typedef struct host_label {
    char name[HOST_NAME_BYTES];
} host_label;

typedef struct placement {
    int ranks;
    int hosts;
    int workers;            /* of this rank; 0: its main thread computes */
    int total_workers;      /* of all ranks, those main threads included */
    bool idle_main_threads; /* every rank has workers */
    int cores;              /* that ranks may use, over all hosts */
    char host_names[96];
    host_label *host;  /* of each rank; NULL, but on rank 0 */
    int *threads;      /* of each rank: its workers, or its main thread; NULL, but on rank 0 */
    struct team *team; /* of this rank; its workers begin when there is something to compute */
} placement;

/* Settles the number of workers, which can all be created: as asked for; -1 for OMP_NUM_THREADS, or
 * else an equal share of the cores that the rank may use and of its CPU quota, and no more than
 * OpenMP allows; and where they stay. More than OpenMP allows is WEFT_ERR_USAGE where they were
 * asked for. Rank 0 prints the layout, and what is wrong with it. Collective; a failure may be this
 * rank's alone. */
weft_status placement_settle(comm *c, int64_t asked, placement *p, error *e);

/* Gives back what placement_settle() has made; the team's workers end. */
void placement_clear(placement *p);

#endif
