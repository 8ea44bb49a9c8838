/* SPDX-License-Identifier: BSD-3-Clause */
/* Owns the decision between land and sea. */
#include "land.h"

#include <math.h>
#include <stdlib.h>

struct land {
    int64_t columns;
    int64_t *start; /* by column, eastwards from Greenwich; one more than there are columns */
    double *lat;    /* the crossings of a column, southwards from the north pole's end */
};

/* The x of a column's middle, in the units of the data; columns count from Greenwich. */
static double column_x(const gshhg *data, int64_t columns, int64_t column)
{
    const double turn = (double)data->columns * 65535;
    return (double)(2 * column + 1) * turn / (2 * (double)columns);
}

/* Visits every crossing of a line: counts it, and stores it at its column's next free place. */
static void cross(const gshhg *data, const gshhg_line *line, const land *l, int64_t *next,
                  double *lat)
{
    const double per_x = (double)l->columns / ((double)data->columns * 65535);
    for (int32_t p = line->first; p < line->first + line->count - 1; p++) {
        int32_t west = data->x[p] < data->x[p + 1] ? p : p + 1;
        int32_t east = west == p ? p + 1 : p;
        int64_t column = (int64_t)floor(data->x[west] * per_x - 0.5) - 1;
        for (column = column < 0 ? 0 : column; column < l->columns; column++) {
            double x = column_x(data, l->columns, column);
            if (x < data->x[west]) {
                continue;
            }
            /* An end that is shared by two runs belongs to the eastern one. */
            if (x >= data->x[east]) {
                break;
            }
            if (lat != NULL) {
                double share = (x - data->x[west]) / (data->x[east] - data->x[west]);
                double y = data->y[west] + share * (data->y[east] - data->y[west]);
                lat[next[column]] = gshhg_degrees(data, y) - 90;
            }
            next[column]++;
        }
    }
}

static void cross_all(const gshhg *data, const land *l, int64_t *next, double *lat)
{
    for (int64_t i = 0; i < data->line_count; i++) {
        if (data->lines[i].level == GSHHG_OCEAN) {
            cross(data, &data->lines[i], l, next, lat);
        }
    }
}

static int compare_southwards(const void *p, const void *q)
{
    const double first = *(const double *)p, second = *(const double *)q;
    return (first < second) - (first > second);
}

weft_status land_create(const gshhg *data, int64_t columns, land **out)
{
    land *l = calloc(1, sizeof *l);
    int64_t *next = calloc((size_t)columns, sizeof *next);
    if (l == NULL || next == NULL) {
        goto fail;
    }
    l->columns = columns;
    l->start = calloc((size_t)columns + 1, sizeof *l->start);
    if (l->start == NULL) {
        goto fail;
    }
    cross_all(data, l, next, NULL);
    for (int64_t i = 0; i < columns; i++) {
        l->start[i + 1] = l->start[i] + next[i];
        next[i] = l->start[i];
    }
    l->lat = malloc((size_t)(l->start[columns] + 1) * sizeof *l->lat);
    if (l->lat == NULL) {
        goto fail;
    }
    cross_all(data, l, next, l->lat);
    for (int64_t i = 0; i < columns; i++) {
        qsort(l->lat + l->start[i], (size_t)(l->start[i + 1] - l->start[i]), sizeof *l->lat,
              compare_southwards);
    }
    free(next);
    *out = l;
    return WEFT_OK;
fail:
    free(next);
    land_destroy(l);
    return WEFT_ERR_MEMORY;
}

void land_destroy(land *l)
{
    if (l == NULL) {
        return;
    }
    free(l->start);
    free(l->lat);
    free(l);
}

bool land_at(const land *l, int64_t column, double lat)
{
    const int64_t from_greenwich = (column + l->columns / 2) % l->columns;
    const int64_t first = l->start[from_greenwich];
    int64_t low = first, high = l->start[from_greenwich + 1];
    while (low < high) {
        int64_t half = low + (high - low) / 2;
        if (l->lat[half] > lat) {
            low = half + 1;
        } else {
            high = half;
        }
    }
    return (low - first) & 1;
}
