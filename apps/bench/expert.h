/* SPDX-License-Identifier: BSD-3-Clause */
/** @file
 * A loop over a grid, and how an expert writes it by hand: OpenMP, arrays, and HDF5 at the end.
 */
#ifndef BENCH_EXPERT_H
#define BENCH_EXPERT_H

#include "measure.h"

#include <stdint.h>

/** The most fields that a loop has. */
#define LOOP_FIELDS 3

/** A result of the loop, per item. */
typedef struct loop_field {
    const char *name;
    weft_type type;
    int64_t elements; /**< how many of the type per item; 1 for a scalar */
} loop_field;

/** The loop. Both sides call the same function. */
typedef struct loop {
    const char *name;
    int64_t rows;
    int64_t columns;
    int64_t chunk; /**< items per iteration of the hand-written loop */
    int fields;
    loop_field field[LOOP_FIELDS];
    void (*compute)(const void *context, int64_t first, int64_t count,
                    void *const results[LOOP_FIELDS]);
    const void *context;
} loop;

/** Computes the loop and writes its results; gives the seconds. A side_fn, the context is a loop.
 */
weft_status expert_run(const bench *b, void *context, double *seconds);

#endif
