/* SPDX-License-Identifier: BSD-3-Clause */
/* How ranks assure each other that they are alive, and the time that counts as silence. */
#ifndef SCHED_PULSE_H
#define SCHED_PULSE_H

#include <stdbool.h>
#include <stdint.h>

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

/* Silence is measured in time in which this process has listened: a process that was itself
 * stopped, or kept from looking, must not presume all others dead when it wakes up. Nor must one
 * that waits for a core: where many ranks share few cores, those that it listens to wait as long.
 */
typedef struct listening {
    int64_t longest_ns;  /* that may pass between two looks and still count */
    int64_t looked_ns;   /* the clock at the last look */
    int64_t listened_ns; /* in all */
} listening;

/* A rank that is silent for limit_ns is presumed dead. */
listening listening_begin(int64_t limit_ns, int64_t now_ns);

/* A look at the messages, after all of them have been read. */
void listening_look(listening *l, int64_t now_ns);

/* The same of a thread that knows how long it has worked since the last look, and meant to rest:
 * the time that has passed beyond that it has waited for a core. */
void listening_look_after(listening *l, int64_t now_ns, int64_t own_ns);

#endif
