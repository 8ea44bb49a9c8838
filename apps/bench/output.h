/* SPDX-License-Identifier: BSD-3-Clause */
/** @file
 * How an expert keeps results without a library: a plain file per field, in which every thread of
 * every process writes its own pieces at their final offset.
 */
#ifndef BENCH_OUTPUT_H
#define BENCH_OUTPUT_H

#include "work.h"

/** The files, shared by the threads of a process. */
typedef struct output {
    const work *w;
    int fd[WORK_FIELDS];
    int64_t step; /* items that are computed and written at once */
} output;

/** A thread's buffers. */
typedef struct output_buffers {
    void *results[WORK_FIELDS];
} output_buffers;

/** Opens the files, which are made unless they are there. */
bool output_open(output *out, const work *w);

/** Closes the files; false if one of them has not taken everything. */
bool output_close(const output *out);

/** Memory for the results of a step. */
bool output_allocate(const output *out, output_buffers *buffers);

/** Frees it. */
void output_free(output_buffers *buffers);

/** Computes items and writes their results. */
bool output_compute(const output *out, output_buffers *buffers, int64_t first, int64_t count);

#endif
