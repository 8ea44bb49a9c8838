/* SPDX-License-Identifier: BSD-3-Clause */
/* What a person sees of a run: the progress line, and the closing line.
 *
 * Thread: rank 0's driver. */
#ifndef ENGINE_COORD_PROGRESS_H
#define ENGINE_COORD_PROGRESS_H

#include "engine/flow/run_options.h"

#include <stdbool.h>
#include <stdint.h>
#include <weft/state.h>
#include <weft/status.h>

typedef struct progress {
    bool live;   /* a line that overwrites itself */
    bool silent; /* none at all */
    int64_t start_ns;
    int64_t next_ns; /* when the next line is due */
    int64_t items;   /* of the job */
    int64_t before;  /* of these, done by earlier runs */
    const char *map; /* its name */
    const run_options *options;
} progress;

/* What the closing line tells. */
typedef struct progress_summary {
    weft_status status;
    bool cancelled;     /* if it has stopped: by the program */
    int64_t done;       /* items of the job that are done */
    int64_t failed;     /* of the job */
    int64_t duplicates; /* items computed more than once in this run */
    int lost;           /* ranks presumed dead … */
    int64_t lost_items; /* … and what was handed out again for that */
    int workers;
    double busy_s;               /* of all workers together */
    double state_s[WEFT_STATES]; /* what these have spent, in all */
    double worst_s;              /* of the busiest worker */
    double wait_s;               /* of all, how long they waited for a core that others had */
} progress_summary;

/* `map` is its name, which lives as long. */
void progress_begin(progress *p, const run_options *options, const char *map, int64_t items,
                    int64_t done);

/* Prints a line if one is due. */
void progress_update(progress *p, int64_t done, int64_t failed, int64_t now_ns);

/* Prints how the run ended: of which map, if the file has several. */
void progress_end(progress *p, const progress_summary *summary, int64_t now_ns);

#endif
