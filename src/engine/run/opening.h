/* SPDX-License-Identifier: BSD-3-Clause */
/* The opening of a run's result: rank 0 opens or makes the file, and tells the others of it.
 *
 * Thread: the driver. */
#ifndef ENGINE_RUN_OPENING_H
#define ENGINE_RUN_OPENING_H

#include "comm/comm.h"
#include "engine/flow/flow.h"

/* What rank 0 tells the others of the file it has opened. */
typedef struct opening {
    weft_status status; /* WEFT_OK, or there is no file, and nothing else is said */
    metadata_layout layout;
    int64_t grain;
    int64_t retry_count;
    int64_t left_ns; /* of the time limit; 0: there is none */
    int run;
    bool complete;  /* nothing is to be computed, … */
    int64_t failed; /* … though this is how many items have failed */
} opening;

/* Collective: rank 0 opens the file, unless it is open, and the map in it, with the items to retry,
 * and tells the others. */
weft_status opening_on_first(comm *c, job *j, const run_options *options, store **s, opening *o,
                             retry_item **retry, error *e);

/* Opens it on any other rank, as rank 0 says, with room for the items to retry. */
weft_status opening_on_other(job *j, const run_options *options, const opening *o, store **s,
                             retry_item **retry, error *e);

#endif
