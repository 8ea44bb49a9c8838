/* SPDX-License-Identifier: BSD-3-Clause */
/* The hand-out of a run's tiles to its ranks: what is left, and what has been measured of ranks and
 * tiles; the size of each chunk is the technique's affair. */
#ifndef SCHED_SCHEDULE_H
#define SCHED_SCHEDULE_H

#include "base/error.h"
#include "sched/measured.h"
#include "sched/technique.h"

#include <stdint.h>

typedef struct schedule schedule;

typedef struct schedule_setup {
    technique technique;
    int64_t tiles;      /* to hand out, at least 0 */
    int64_t ranks;      /* at least 1 */
    const int *workers; /* per rank, fewer than one count as one; NULL: one each. Copied. */
    uint64_t seed;
} schedule_setup;

weft_status schedule_create(const schedule_setup *setup, schedule **out, error *e);

/* NULL is allowed. */
void schedule_destroy(schedule *s);

/* The size in tiles of the next chunk, which goes to that rank, and takes it off what remains; 0
 * when nothing does. The rank can use `want` tiles now; 0: it has not said. */
int64_t schedule_next(schedule *s, int64_t rank, int64_t want);

/* Tiles that were handed out and not computed are to do again. */
void schedule_return(schedule *s, int64_t tiles);

/* Tiles not handed out. */
int64_t schedule_remaining(const schedule *s);

/* What cannot be a measurement (no tiles, seconds that are negative or not a number) is ignored. */
void schedule_measure(schedule *s, int64_t rank, const measurement *m);

/* What a hand-out costs, in seconds; what has been measured last counts. */
void schedule_set_overhead(schedule *s, double seconds);

/* Seconds until the time limit; 0: there is none; below 0: it has passed. */
void schedule_set_time_left(schedule *s, double seconds);

/* Seconds per tile of a rank's whole team, recently; if the rank has not been measured that of all
 * ranks, by its number of workers; 0 if none has. */
double schedule_tile_seconds(const schedule *s, int64_t rank);

#endif
