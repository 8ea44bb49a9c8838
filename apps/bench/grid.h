/* SPDX-License-Identifier: BSD-3-Clause */
/** @file
 * Techniques and workloads, and how near each technique came to the best one: as a table and as a
 * picture.
 */
#ifndef BENCH_GRID_H
#define BENCH_GRID_H

#include "measure.h"

#include "draw/picture.h"

/** The most there is room for; what is beyond is left out. */
#define GRID_LINES 64
#define GRID_COLUMNS 32

/** A line per technique, and one more for the loop by hand; a column per workload. Starts as zeros.
 */
typedef struct grid {
    int lines;
    int columns;
    char line[GRID_LINES][16];
    char column[GRID_COLUMNS][24];
    double ratio[GRID_LINES][GRID_COLUMNS]; /**< to the best of weft's; 0: not measured */
} grid;

/** Takes a row in, if it is of a technique. */
void grid_add(grid *g, const row *line);

/** Prints the table; nothing if it is empty. */
void grid_print(const grid *g);

/** Draws it; NULL if memory is short. */
picture *grid_draw(const grid *g);

#endif
