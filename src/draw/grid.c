/* SPDX-License-Identifier: BSD-3-Clause */
/* Values at the items of a plane, gathered into no more cells than a picture can show. */
#include "draw/grid.h"

#include <math.h>
#include <stdlib.h>

grid *grid_create(int64_t width, int64_t height, int most_columns, int most_rows)
{
    grid *g = malloc(sizeof *g);
    const int columns = width < most_columns ? (int)width : most_columns;
    const int rows = height < most_rows ? (int)height : most_rows;
    grid_cell *cell = calloc((size_t)columns * (size_t)rows + 1, sizeof *cell);
    if (g == NULL || cell == NULL) {
        free(cell);
        free(g);
        return NULL;
    }
    *g = (grid){.width = width, .height = height, .columns = columns, .rows = rows, .cell = cell};
    return g;
}

void grid_destroy(grid *g)
{
    if (g != NULL) {
        free(g->cell);
        free(g);
    }
}

/* Without a product that could overflow. */
static int place(int64_t at, int64_t count, int cells)
{
    return count <= cells ? (int)at : (int)((double)at / (double)count * cells);
}

grid_cell *grid_find(const grid *g, int64_t x, int64_t y)
{
    const int column = place(x, g->width, g->columns);
    const int row = place(y, g->height, g->rows);
    return &g->cell[(size_t)row * (size_t)g->columns + (size_t)column];
}

void grid_add(grid_cell *cell, double value)
{
    cell->low = cell->values == 0 || value < cell->low ? value : cell->low;
    cell->high = cell->values == 0 || value > cell->high ? value : cell->high;
    cell->sum += value;
    cell->values++;
}

/* A sum may overflow where none of its numbers has. */
double grid_mean(const grid_cell *cell)
{
    const double mean = cell->sum / (double)cell->values;
    return isfinite(mean) ? fmin(fmax(mean, cell->low), cell->high)
                          : cell->low / 2 + cell->high / 2;
}

static int compare(const void *one, const void *other)
{
    const double a = *(const double *)one;
    const double b = *(const double *)other;
    return (a > b) - (a < b);
}

grid_range grid_measure(const grid *g)
{
    const size_t cells = (size_t)g->columns * (size_t)g->rows;
    grid_range r = {.low = (double)INFINITY, .high = -(double)INFINITY};
    double *means = malloc((cells + 1) * sizeof *means);
    size_t count = 0;
    for (size_t i = 0; i < cells; i++) {
        const grid_cell *cell = &g->cell[i];
        r.failed = r.failed || cell->failed > 0;
        r.undone = r.undone || cell->undone > 0;
        if (cell->values > 0) {
            const double mean = grid_mean(cell);
            r.low = fmin(r.low, mean);
            r.high = fmax(r.high, mean);
            if (means != NULL) {
                means[count++] = mean;
            }
        }
    }
    r.middle = r.low / 2 + r.high / 2;
    if (count > 0) {
        qsort(means, count, sizeof *means, compare);
        r.middle = means[count / 2];
    }
    free(means);
    return r;
}
