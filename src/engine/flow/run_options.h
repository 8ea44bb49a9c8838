/* SPDX-License-Identifier: BSD-3-Clause */
/* What the user, the program and its map have said about a run. */
#ifndef ENGINE_FLOW_RUN_OPTIONS_H
#define ENGINE_FLOW_RUN_OPTIONS_H

#include "sched/technique.h"

#include <stdbool.h>
#include <stdint.h>

/* Whether there is a progress line. */
typedef enum progress_mode { PROGRESS_AUTO, PROGRESS_ALWAYS, PROGRESS_NEVER } progress_mode;

typedef struct run_options {
    const char *path;
    technique technique;
    int64_t grain; /* 0: the file's, or else the map's */
    int64_t map_grain;
    uint64_t seed;
    double sync_s;
    int64_t deadline_ns;   /* when it must be over; 0: it takes the time it takes */
    int64_t beat_ns;       /* as in pulse_for() */
    int64_t dead_after_ns; /* its limit */
    bool retry_failed;
    bool fresh;
    bool later;            /* not the first of the session */
    bool isolate;          /* everything is computed in children of the workers */
    bool never_apart;      /* nothing is, whatever else is said */
    double item_timeout_s; /* and ended if it takes longer; 0: never */
    progress_mode progress;
    int64_t span_limit; /* items; 0: none */
    bool pure;
    const char *command;
} run_options;

#endif
