/* SPDX-License-Identifier: BSD-3-Clause */
/* The map's inside, for the public functions on it. */
#ifndef API_MAP_H
#define API_MAP_H

#include "api/service.h"
#include "api/session.h"
#include "base/account.h"
#include "engine/exec/each.h"
#include "engine/run/run.h"
#include "space/job.h"
#include "store/reader.h"

#include <stdatomic.h>
#include <weft/map.h>

/* What the ranks compare before they run a map: a call, or a description, and all that it says. */
typedef struct comparison {
    char call[WEFT_NAME_BYTES + 32];
    account account;
} comparison;

/* A map that has been started. It is set up by the main thread, belongs to who does the task from
 * service_give() to the end of the task, and then to the main thread again. */
typedef struct start {
    task task;
    int driver;     /* which does it */
    bool elsewhere; /* in a thread of the service */
    bool known;     /* the program has learned of its end */
    bool begun;
    comparison *compared; /* the map's own first */
    int comparisons;
    session_file *file;
    run_options options;
    weft_kernel_fn kernel;
    void *context;
    each_item item; /* what it calls, where it is weft's own */
    uintptr_t code; /* where the program's function is */
    lane_caller caller;
    run *run;
    atomic_bool cancelled; /* any thread */
    run_tally tally;
    weft_status status;
    error error;
    error refusal; /* why it does not begin */
    /* Guarded by the service: */
    int pending;   /* maps that this one needs, and that are not over */
    bool failed;   /* which keeps others from beginning until the program has learned of it */
    error earlier; /* of a map that was started before, and has failed */
} start;

/* A map that another one needs. */
typedef struct need {
    struct need *next;
    weft_map *earlier;
} need;

struct weft_map {
    weft_session *session;
    weft_map *next; /* that was described later */
    job *job;
    error fault; /* the first of its description, with which it cannot be run */
    char *path;
    char *file;         /* that it leads to, by its whole name */
    int64_t tiles;      /* as far as is known before it has begun */
    bool fixed;         /* it, or another one of its file, has been started: nothing can be added */
    int64_t grain;      /* proposed; 0: automatic */
    int64_t span_limit; /* items; 0: none */
    bool pure;
    weft_isolation isolation;
    weft_reduction work[WEFT_MAX_FIELDS]; /* of the job's reductions, with what they borrow */
    double *coordinates[WEFT_MAX_DIMS];   /* that rank 0 will write; NULL: none */
    unsigned char *values;                /* of the reductions; NULL: it has not run */
    bool valued;                          /* they are there */
    bool complete;
    metadata_layout layout; /* of what is complete, … */
    bool readable;          /* … if this rank can read all of it */
    reader *reader;         /* by which it does; NULL: it has not yet */
    need *needs;
    start start;
};

/* A call that describes the map has come to this status, and the session has its text: the map
 * keeps the first error. Returns the status; NULL is allowed. */
weft_status map_keep(weft_map *map, weft_status status);

#endif
