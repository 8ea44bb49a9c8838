/* SPDX-License-Identifier: BSD-3-Clause */
/* Values at the items of a plane, or a row, gathered into no more cells than a picture can show. */
#ifndef DRAW_GRID_H
#define DRAW_GRID_H

#include <stdbool.h>
#include <stdint.h>

/* What there is of the items of a cell. */
typedef struct grid_cell {
    double sum; /* of the values … */
    double low;
    double high;
    int64_t values; /* … and how many these are */
    int64_t failed; /* items without one */
    int64_t undone; /* items that there are not yet */
} grid_cell;

typedef struct grid {
    int64_t width;
    int64_t height;
    int columns; /* as many as the width, or fewer */
    int rows;
    grid_cell *cell; /* row after row; owned */
} grid;

/* What is known of all cells. */
typedef struct grid_range {
    double low; /* the least and the largest mean of a cell; above `high` if there are no values */
    double high;
    double middle; /* half of the cells are below */
    bool failed;   /* there are such items */
    bool undone;
} grid_range;

/* NULL: no memory. */
grid *grid_create(int64_t width, int64_t height, int most_columns, int most_rows);

/* NULL is allowed. */
void grid_destroy(grid *g);

/* The cell of an item. */
grid_cell *grid_find(const grid *g, int64_t x, int64_t y);

void grid_add(grid_cell *cell, double value);

/* The mean of a cell that has values. */
double grid_mean(const grid_cell *cell);

grid_range grid_measure(const grid *g);

#endif
