/* SPDX-License-Identifier: BSD-3-Clause */
/* What a team and its lanes share. */
#ifndef TEAM_INTERNALS_H
#define TEAM_INTERNALS_H

#include "host/usage.h"
#include "team/lane.h"
#include "team/ring.h"

#include <pthread.h>
#include <stdatomic.h>

enum { TEAM_LINE_BYTES = 64 };

/* A worker; a cache line each. */
typedef struct worker {
    _Alignas(TEAM_LINE_BYTES) int64_t now_ns; /* when it finished its last span; 0 after a rest */
    lane *lane;  /* at whose run it is, NULL: it rests; changed under the mutex */
    int64_t run; /* as whose caller it computes */
    usage usage;
    int64_t cpu_ns; /* the thread's, when it was noted last */
    int64_t wait_ns;
    int64_t next_wait_ns; /* when to look at it again */
} worker;

/* A block of which nothing is left to compute, and which is to be handed to the hook. */
typedef struct leftover {
    lane *lane;
    ring_span span;
} leftover;

struct team {
    int workers;
    host_cores *pin;          /* one per worker; NULL: none is pinned */
    pthread_mutex_t starting; /* for … */
    region *region;           /* NULL: no worker has been needed yet */
    worker *worker;
    lane *lane[TEAM_LANES];
    pthread_mutex_t mutex;  /* for all that follows, and what a lane says */
    pthread_cond_t offered; /* for workers */
    atomic_int waiting;     /* workers that sleep, or are not there yet */
    _Atomic(lane *) first;  /* whose run began first */
    int64_t runs;           /* that have begun */
    leftover *finished;     /* which a worker does before anything else */
    atomic_int finished_count;
    bool shutdown;
};

/* A driver: creates the threads, unless they are there. */
weft_status team_open(team *t, const region_icv *icv, error *e);

/* The system's counts of the calling thread, as a worker, are noted from here on. */
void team_open_usage(worker *w);

/* Whether the agents have left anything for workers to finish. */
static inline bool team_any_finished(team *t)
{
    return atomic_load_explicit(&t->finished_count, memory_order_relaxed) > 0;
}

weft_status lane_create(team *t, int blocks, lane **out, error *e);
void lane_destroy(lane *l);

/* A worker, under the mutex: whether there is anything to compute. */
bool lane_has_work(lane *l, int number);

/* A worker: does what there is to do, as long as there is any, and this is the lane of the run that
 * began first; if it is not, some of it. False if there was nothing. */
bool lane_work(lane *l, int number);

/* A worker has done some of the lane's run: its usage since the last time is the run's. System
 * calls: once per block, rest and change of lanes, not per span; and the dearer one not even so
 * often. */
void lane_note_usage(lane *l, int number, int64_t now_ns);

/* A worker, under the mutex: it begins to rest, which the lane's agent learns. */
void lane_tell_rest(lane *l, int number, int64_t now_ns);

#endif
