/* SPDX-License-Identifier: BSD-3-Clause */
/** @file
 * A map of the world, coloured by the distance to the shoreline.
 */
#ifndef COAST_CHART_H
#define COAST_CHART_H

#include "draw/picture.h"
#include "gshhg.h"

#include <stdbool.h>
#include <stdint.h>
#include <weft/status.h>

/** The finest grid that is drawn; of a finer one, cells are left out at equal steps. */
#define CHART_MAX_COLUMNS 4320

/** What is drawn: samples of the distance on a grid of rows × 2·rows cells. */
typedef struct chart {
    int64_t cell_rows; /**< rows of cells on the globe */
    int64_t stride;    /**< every which cell is sampled, both ways */
    int64_t rows;      /**< rows of samples */
    int64_t columns;   /**< columns of samples */
    float *height;     /**< distances in km, negative at sea, NaN where unknown; row by row */
} chart;

/** A place to be marked. */
typedef struct chart_mark {
    double lon;
    double lat;
} chart_mark;

/** Makes room for the samples of a grid; chart_free() in every case. */
weft_status chart_alloc(chart *c, int64_t cell_rows);

/** Frees the samples. */
void chart_free(chart *c);

/** The row of cells that a row of samples is taken from. Columns go the same way. */
int64_t chart_cell(const chart *c, int64_t sample);

/** The colour of a distance to the shoreline, on land or at sea. */
colour chart_colour(bool inland, double distance_km);

/**
 * Draws the map. The shoreline is drawn from the data, so that it is sharp on a coarse grid too.
 *
 * @return the picture; NULL if memory is short
 */
picture *chart_draw(const chart *c, const gshhg *data, const chart_mark *marks, int mark_count);

#endif
