/* SPDX-License-Identifier: BSD-3-Clause */
/* How long each tile of a job takes: as measured, or guessed from tiles around it; and what the
 * measured ones say of the workers. Pure arithmetic. */
#ifndef PLAN_WORKLOAD_H
#define PLAN_WORKLOAD_H

#include "base/error.h"
#include "space/tiling.h"

#include <stdbool.h>
#include <stdint.h>

/* What a tile record says. */
typedef struct workload_tile {
    double seconds; /* below 0: not computed */
    int run;
    int rank;
    int worker;
} workload_tile;

/* Zero-initialised: may be freed. */
typedef struct workload {
    const workload_tile *tile;
    int64_t tiles;
    int64_t count;   /* of those measured */
    int64_t *number; /* theirs, ascending */
    double *sum;     /* seconds of those before the i-th of them, 0 … count */
} workload;

/* The tiles stay the caller's, and live longer. */
weft_status workload_init(workload *w, const workload_tile tile[], int64_t tiles, error *e);

void workload_free(workload *w);

/* Seconds of all tiles, at least one of which has been computed. One that was not computed gets
 * what is usual there: the mean of the tiles measured before and behind it, interpolated by its
 * place, times what one of those, drawn at random, took in proportion. The same seed draws the
 * same. */
void workload_fill(const workload *w, uint64_t seed, double seconds[]);

/* The standard deviation of the workers' speeds, relative to their mean, from workers of one run
 * that computed neighbouring tiles; what the tiles themselves differ is taken off. 0: none can be
 * told. */
double workload_spread(const workload *w);

/* The tiles of a job of another size: the given ones in turn, over and over; several to a tile
 * where there would be too many. */
void workload_scale(const tiling *given, int64_t items, tiling *scaled);

/* Seconds of such a tile. sums[i]: seconds of the given tiles before i, 0 … given->tiles. */
double workload_seconds(const tiling *given, const double sums[], const tiling *scaled,
                        int64_t tile);

#endif
