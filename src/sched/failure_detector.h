/* SPDX-License-Identifier: BSD-3-Clause */
/* Which ranks have been heard of lately, and which are presumed dead.
 *
 * Only time in which somebody listened counts: a process that was itself stopped, or kept from
 * looking, must not presume all others dead when it wakes up.
 *
 * Thread: the main thread. */
#ifndef ENGINE_LINK_FAILURE_DETECTOR_H
#define ENGINE_LINK_FAILURE_DETECTOR_H

#include "base/error.h"

#include <stdbool.h>
#include <stdint.h>

typedef struct failure_detector failure_detector;

/* How ranks assure each other that they are alive. */
typedef struct pulse {
    int64_t beat_ns;  /* the interval at which a rank reports that it is alive */
    int64_t limit_ns; /* a rank silent for this long is presumed dead; 0: none ever is */
    /* What follows from these two. */
    int64_t doubt_ns; /* a rank that has been silent for this long may well be dead */
    int64_t sure_ns;  /* for this long after it was heard, what a rank was given is surely still its
                         own */
} pulse;

/* The pulse of a job of `ranks` ranks: the coordinator must not be kept busy by beats alone. Ranks
 * whose main thread computes are silent meanwhile: with any of them one must wait far longer. */
pulse pulse_for(int64_t beat_ns, int64_t limit_ns, int ranks, bool busy);

/* All ranks have just been heard of. */
weft_status failure_detector_create(int ranks, int64_t limit_ns, int64_t now_ns,
                                    failure_detector **out, error *e);

/* NULL is allowed. */
void failure_detector_destroy(failure_detector *l);

/* Somebody listens; to be called at every look at the messages, after they have been read. */
void failure_detector_listen(failure_detector *l, int64_t now_ns);

/* A rank has been heard of: true if it had been presumed dead. */
bool failure_detector_hear(failure_detector *l, int rank);

/* The next rank to presume dead, from now on; -1 if there is none. */
int failure_detector_next_lost(failure_detector *l);

/* It has died for sure. */
void failure_detector_lose(failure_detector *l, int rank);

bool failure_detector_lost(const failure_detector *l, int rank);

/* How long somebody has listened since a rank was heard of. */
int64_t failure_detector_silence_ns(const failure_detector *l, int rank);

/* How many are presumed dead now. */
int failure_detector_lost_ranks(const failure_detector *l);

#endif
