/* SPDX-License-Identifier: BSD-3-Clause */
/** @file
 * What people see of the measurements: a table, and the same as JSON for programs.
 */
#ifndef BENCH_TABLE_H
#define BENCH_TABLE_H

#include "measure.h"

#include <stdio.h>

/** The table, as it grows. */
typedef struct table {
    FILE *json; /**< NULL: none */
    int rows;
    int missed;
} table;

/** Prints the lines above the first row. */
void table_begin(table *t, int cores, const plan_sizes *sizes);

/** Prints a row. */
void table_add(table *t, const row *line);

/** Prints how many goals were missed. */
void table_end(const table *t);

#endif
