/* SPDX-License-Identifier: BSD-3-Clause */
/* What the ranks know of each other's place, who shares whose cores, and how many workers follow
 * from that.
 *
 * Thread: the main thread. */
#ifndef ENGINE_LAYOUT_SEAT_H
#define ENGINE_LAYOUT_SEAT_H

#include "base/error.h"
#include "host/host.h"

#include <stdbool.h>
#include <stdint.h>

enum { SEAT_RUNS = 8, SEAT_RAGGED = -1 };

/* Cores first, first + step … last. */
typedef struct seat_run {
    uint16_t first;
    uint16_t last;
    uint16_t step;
} seat_run;

/* A rank's place: what each rank tells all others, so that it is short. */
typedef struct seat {
    char host[HOST_NAME_BYTES];
    double quota_cores;   /* as in quota.h */
    uint64_t quota_group; /* the same for ranks that share the quota */
    int32_t online;       /* cores of the whole host */
    int32_t cores;        /* those that the rank may use, and which they are; */
    int32_t runs;         /* SEAT_RAGGED: not a few runs of cores */
    seat_run run[SEAT_RUNS];
    int32_t named;  /* workers that OMP_NUM_THREADS says; 0: it does not */
    int32_t most;   /* that OpenMP allows */
    int32_t placed; /* OpenMP has been told where its threads go */
} seat;

/* Sets the seat's cores. */
void seat_set_cores(seat *s, const host_cores *cores);

/* What has decided a rank's number of workers. */
typedef enum seat_reason {
    SEAT_ASKED,
    SEAT_NAMED, /* OMP_NUM_THREADS */
    SEAT_CORES,
    SEAT_QUOTA,
    SEAT_LIMIT /* what OpenMP allows */
} seat_reason;

/* What follows for a rank from all seats. A rank that shares cores or a quota does so with itself,
 * too. */
typedef struct seat_share {
    int host; /* its number, in the order of the hosts' first ranks */
    int workers;
    seat_reason reason;
    int ranks;         /* that may use some of its cores */
    int threads;       /* that compute, in all of them */
    int first;         /* if equal: its own are numbered from here on, as they are on the others */
    bool equal;        /* all of them may use exactly the same cores */
    int quota_ranks;   /* that share its quota */
    int quota_threads; /* that compute, in all of them */
} seat_share;

typedef struct seating {
    int hosts;
    int *first;        /* of each host, its first rank, in this order … */
    int *host_cores;   /* … and how many cores any of its ranks may use */
    seat_share *share; /* of each rank */
} seating;

/* Threads that compute: the main one, if there are no workers. */
int seat_threads(int workers);

/* The workers that a quota is enough for. */
int seat_quota_workers(double cores);

/* Finds out who shares what, and settles the number of workers: as asked for, or, with -1, by each
 * seat. `all` are the cores of each rank, needed only where a seat is ragged. */
weft_status seating_create(const seat seats[], const host_cores all[], int ranks, int64_t asked,
                           seating **out, error *e);

/* NULL is allowed. */
void seating_destroy(seating *s);

#endif
