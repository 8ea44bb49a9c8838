/* SPDX-License-Identifier: BSD-3-Clause */
/** @file
 * What people see of the measurements: a table, and the same as JSON for programs.
 *
 * The JSON is one object: what the machine and the sizes are, and `rows`, an object per line of the
 * table. Each row has
 *   measurement   the name that --only knows it by
 *   what, unit    what was measured, and the unit of the next two
 *   weft, alternative   medians; null where there is no alternative
 *   ratio, min, max     weft's value over the alternative's, pair by pair: median, least, most;
 *                       without an alternative ratio is null, and min and max are weft's values
 *   goal          null, or what it is set for: "weft", "ratio", or "ratio and to_best"
 *   at_most or at_least, met   the goal, where there is one
 *   ranks, workers   the processes, and weft's workers in each
 * and those of these that it has a value for:
 *   workload, technique        what was computed, and how it was shared out
 *   to_best       median ratio to the best technique on that workload
 *   imbalance     from the first rank that goes idle to the last, as a share of the makespan
 *   efficiency, efficiency_alternative   of the workers, against one thread without weft
 */
#ifndef BENCH_TABLE_H
#define BENCH_TABLE_H

#include "grid.h"
#include "request.h"

#include <stdio.h>

/** The table, as it grows. */
typedef struct table {
    FILE *json;              /**< NULL: none */
    const char *measurement; /**< whose rows come next */
    char section[24];        /**< the workload above whose rows there is a heading already */
    grid overview;           /**< of all techniques so far */
    int rows;
    int goals;
    int missed;
} table;

/** Prints the lines above the first row. */
void table_begin(table *t, int cores, const request *wish);

/** Prints a row. */
void table_add(table *t, const row *line);

/** Prints how many goals were missed. */
void table_end(const table *t);

#endif
