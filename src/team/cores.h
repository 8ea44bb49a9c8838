/* SPDX-License-Identifier: BSD-3-Clause */
/* Which cores the workers of a rank are pinned to. Sole owner of hwloc.
 *
 * Thread: the main thread. */
#ifndef TEAM_CORES_H
#define TEAM_CORES_H

#include "host/host.h"

#include <stdbool.h>

/* How the machine groups the cores that a rank may use. */
typedef struct core_groups core_groups;

/* What a rank's workers are bound to. */
typedef enum cores_binding {
    CORES_FREE, /* all that the rank may use: the system moves them as it likes */
    CORES_NODE, /* a NUMA node each */
    CORES_OWN   /* a core each, or a hardware thread of one, that no other worker is given */
} cores_binding;

/* The cores that OpenMP's threads may use. With OMP_PROC_BIND or OMP_PLACES those are more than the
 * main thread's, which the OpenMP of gcc has bound to a single place before main() begins. */
void cores_get_allowed(host_cores *allowed);

/* Whether the user has told OpenMP where its threads go: then weft does not decide that. */
bool cores_user_decides(void);

/* Whether OpenMP binds its threads to places. */
bool cores_openmp_binds(void);

/* Looks at the machine. NULL: the machine does not know all of these cores, or memory is out. */
core_groups *cores_look(const host_cores *allowed);

/* NULL is allowed. */
void cores_destroy(core_groups *c);

/* Cores, each with all of its hardware threads, and NUMA nodes that they belong to. */
int cores_count(const core_groups *c);
int cores_nodes(const core_groups *c);

/* Where workers go if, of `threads` busy threads that share these cores, those from number `first`
 * on are this rank's `workers`; threads are numbered alike on all ranks that share the cores, so
 * that no two are given the same. Fills pin, one entry per worker, unless they are free; *nodes is
 * the number of NUMA nodes over which they are spread, 0 if there are more threads than cores. */
cores_binding cores_assign(const core_groups *c, int threads, int first, int workers,
                           host_cores pin[], int *nodes);

#endif
