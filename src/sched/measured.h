/* SPDX-License-Identifier: BSD-3-Clause */
/* What has been measured of ranks and tiles: the means, deviations and weights that techniques look
 * at. Each report costs the same, however many ranks there are. */
#ifndef SCHED_MEASURED_H
#define SCHED_MEASURED_H

#include "sched/technique.h"

#include <stdbool.h>
#include <stdint.h>

/* What a rank reports of a run of tiles that it has computed. */
typedef struct measurement {
    int64_t tiles;  /* at least 1 */
    double seconds; /* that its workers spent on them, added up */
    double squares; /* the sum of the squares of each tile's seconds */
    double elapsed; /* seconds of the rank from its last report, or from its first grant, to this
                       one: the overhead of the hand-out included */
} measurement;

typedef struct measured measured;

/* For ranks with `workers[rank]` workers each; NULL: one each. If `elapsed`, weights come from the
 * elapsed time of reports. Without memory NULL is returned. */
measured *measured_create(int64_t ranks, const int *workers, bool elapsed);

/* NULL is allowed. */
void measured_destroy(measured *m);

/* What cannot be a measurement is ignored. */
void measured_add(measured *m, int64_t rank, const measurement *report);

/* From now on measured_look() shows mean, deviation and adapted weights as they are now, until the
 * next call. */
void measured_freeze(measured *m);

/* Sets what has been measured for a rank that asks, and its weight. */
void measured_look(const measured *m, int64_t rank, outlook *o);

/* Seconds per tile of a rank's whole team, recently; if the rank has not been measured that of all
 * ranks, by its number of workers; 0 if none has. */
double measured_tile_seconds(const measured *m, int64_t rank);

#endif
