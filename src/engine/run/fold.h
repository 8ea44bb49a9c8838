/* SPDX-License-Identifier: BSD-3-Clause */
/* The values of a map's reductions: its accumulators are folded in the order of tiles.
 *
 * Thread: rank 0's driver. */
#ifndef ENGINE_RUN_FOLD_H
#define ENGINE_RUN_FOLD_H

#include "base/error.h"
#include "space/job.h"

/* Where the value of a reduction begins in memory of all of them; for the number of reductions,
 * where the last one ends. */
int64_t fold_place(const job *j, int reduction);

struct store;

/* Of a complete map: takes the values that the file has, and folds and writes the others. */
weft_status fold_values(struct store *s, const job *j, unsigned char *values, error *e);

#endif
