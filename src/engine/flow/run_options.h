/* SPDX-License-Identifier: BSD-3-Clause */
/* What the user, the program and its map have said about a run.
 *
 * Thread: any; the options do not change during a run. */
#ifndef ENGINE_FLOW_RUN_OPTIONS_H
#define ENGINE_FLOW_RUN_OPTIONS_H

#include "sched/technique.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <weft/state.h>

/* Whether there is a progress line. */
typedef enum progress_mode { PROGRESS_AUTO, PROGRESS_ALWAYS, PROGRESS_NEVER } progress_mode;

/* A file of the session. One that has several maps stays open from the first one's run on. */
typedef struct run_file {
    struct store_file *open; /* on rank 0 */
    atomic_bool made;        /* or found, with all its maps; any thread may look */
} run_file;

/* How far a run is, as its rank knows: on rank 0 at the moment, on others by what the coordinator
 * has said last. Written by who drives the run, read by any thread. */
typedef struct run_tally {
    _Atomic int64_t tiles; /* of the map */
    _Atomic int64_t leased;
    _Atomic int64_t undone; /* the leased ones included */
    _Atomic int64_t items;  /* done */
    _Atomic int64_t failed; /* of these */
    _Atomic int32_t workers[WEFT_STATES];
} run_tally;

typedef struct run_options {
    /* The user, on rank 0 for all: see api/options.h. */
    technique technique;
    int64_t grain; /* 0: the file's, or else what the map proposes */
    int64_t seed;
    double sync_s; /* data is forced to disk at least this often, before it is reported; 0: never */
    double heartbeat_s;  /* a rank says so often that it is there */
    double dead_after_s; /* a rank silent for this long is presumed dead; 0: none ever is */
    bool retry_failed;   /* tiles with failed items are not done */
    bool fresh;
    bool isolate;          /* everything is computed in children of the workers */
    double item_timeout_s; /* and ended if it takes longer; 0: never */
    progress_mode progress;
    /* The session, and the map. */
    int64_t deadline_ns; /* on rank 0, when the run must be over; 0: it takes the time it takes */
    const char *command;
    bool later; /* not the first of the session */
    const char *path;
    int maps;                /* that the file there holds … */
    struct job *const *jobs; /* … settled: needed to make or read it, as long as it is not open */
    run_file *file;
    /* For the values of a map with reductions, see fold_place(), and whether they are there. */
    unsigned char *values;
    bool *valued;
    /* For reading a complete map back: where it lies, and whether what all ranks have written can
     * be read by this one. */
    struct metadata_layout *layout;
    bool *readable;
    int64_t span_limit; /* items; 0: none */
    bool pure;
    bool never_apart;             /* nothing is computed in a child, however careful */
    const atomic_bool *cancelled; /* the run is to stop; NULL: it never is */
    run_tally *tally;             /* NULL: nobody asks */
} run_options;

#endif
