/* SPDX-License-Identifier: BSD-3-Clause */
/* What the ranks know of each other's place, and who shares whose cores. */
#ifndef ENGINE_SEAT_H
#define ENGINE_SEAT_H

#include "base/host.h"

#include <stdbool.h>

/* A rank's place. */
typedef struct seat {
    char host[HOST_NAME_BYTES];
    host_cores cores;
    int online; /* cores of the whole host */
    int workers;
} seat;

/* The ranks that may use some of a rank's cores, this one included. */
typedef struct seat_share {
    int ranks;
    int threads; /* that compute, in all of them */
    int first;   /* the rank's own are numbered from here on, as they are on the other ranks */
    bool equal;  /* all of them may use exactly the same cores */
} seat_share;

bool seat_same_host(const seat *a, const seat *b);

/* Threads that compute: the main one, if there are no workers. */
int seat_threads(const seat *s);

/* Of `ranks` seats, those that share the cores of seats[rank]. */
seat_share seat_find_share(const seat seats[], int ranks, int rank);

#endif
