/* SPDX-License-Identifier: BSD-3-Clause */
/** @file
 * Trouble for one process, made by another: what a rank goes through on a node that it shares.
 */
#ifndef BENCH_DISTURB_H
#define BENCH_DISTURB_H

#include "measure.h"

typedef struct disturber disturber;

/** Starts the process that can disturb this one; before MPI and before any thread. NULL if that
 * fails. It ends by itself when this process does, which it never leaves stopped. */
disturber *disturber_create(void);

/** Keeps this process to its share of the cores. */
void disturber_pin(int rank, int ranks);

/** Begins. */
void disturber_begin(const disturber *d, trouble kind);

/** Ends, and waits until it has. */
void disturber_end(const disturber *d);

/** Ends the process; takes NULL. */
void disturber_destroy(disturber *d);

#endif
