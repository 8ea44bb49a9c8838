/* SPDX-License-Identifier: BSD-3-Clause */
/** @file
 * A loop over a grid: as weft runs it, and how an expert writes it by hand with OpenMP, arrays, and
 * HDF5 at the end.
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
    int64_t grain; /**< items per tile of weft; 0: automatic */
    int fields;
    loop_field field[LOOP_FIELDS];
    void (*compute)(const void *context, int64_t first, int64_t count,
                    void *const results[LOOP_FIELDS]);
    const void *context;
    double imbalance; /**< of weft's last run: from the first rank that goes idle to the last, as a
                         share of the makespan */
} loop;

/** Runs the loop with weft, and removes the file; the seconds until all ranks are done, the results
 * in the file, are the same on every rank. A side_fn, as those below: the context is a loop. */
weft_status run_loop(const bench *b, void *context, double *seconds);

/** Computes the loop and writes its results; gives the seconds. */
weft_status expert_run(const bench *b, void *context, double *seconds);

/** The same for a loop that weft runs over several ranks: with some threads in rank 0, while the
 * others sleep. The seconds are the same on every rank. */
weft_status expert_run_alone(const bench *b, int threads, void *context, double *seconds);

/** By hand over ranks: their workers take chunks from a shared counter; the results are brought
 * together on rank 0, and written there. */
weft_status expert_share(const bench *b, void *context, double *seconds);

/** Arrays for the results of a loop, zeroed if asked for. Free them in any case. */
bool expert_allocate(const loop *l, bool zeroed, void *data[LOOP_FIELDS]);

/** Computes a chunk into the arrays. */
void expert_compute(const loop *l, int64_t first, void *const data[LOOP_FIELDS]);

/** Writes the arrays to a file, and to disk if asked for. */
weft_status expert_write(const bench *b, const loop *l, const char *path,
                         void *const data[LOOP_FIELDS]);

/** Frees arrays. */
void expert_free(const loop *l, void *data[LOOP_FIELDS]);

/** Bytes of an array. */
size_t expert_bytes(const loop *l, int field);

#endif
