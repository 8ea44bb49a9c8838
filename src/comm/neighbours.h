/* SPDX-License-Identifier: BSD-3-Clause */
/* Neighbours: the ranks of this machine, whose processes can be seen. All of them watch rank 0, if
 * it is here, and each the next one in a ring; once that has died, the one after it. So a death is
 * noticed by a neighbour as long as there is one. */
#ifndef COMM_NEIGHBOURS_H
#define COMM_NEIGHBOURS_H

#include "base/error.h"
#include "host/host.h"

#include <stdint.h>

typedef struct neighbours neighbours;

/* All ranks' processes. */
weft_status neighbours_create(const host_process of[], int ranks, int rank, neighbours **out,
                              error *e);

/* NULL is allowed. */
void neighbours_destroy(neighbours *n);

/* A neighbour that is dead, reported once by each rank that watches it; -1 if there is none. Cheap
 * enough to be asked at every turn. NULL has no neighbours. */
int neighbours_next_dead(neighbours *n, int64_t now_ns);

#endif
