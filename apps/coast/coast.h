/* SPDX-License-Identifier: BSD-3-Clause */
/** @file
 * The answer for a cell of the grid: how far it is to the ocean's shoreline, where that is, and
 * whether the cell is land.
 */
#ifndef COAST_COAST_H
#define COAST_COAST_H

#include "gshhg.h"

#include <stdint.h>
#include <weft/status.h>

/** A shoreline made ready for a grid. It does not change, so all workers share one. */
typedef struct coast coast;

/** The nearest point of the shoreline. */
typedef struct coast_point {
    double distance_km; /**< along a WGS84 geodesic */
    double lon;         /**< in [-180, 180) */
    double lat;
} coast_point;

/**
 * Makes a shoreline ready for a grid of rows × 2·rows cells.
 *
 * @param data the shorelines; not needed any more afterwards
 * @param rows how many rows of cells there are from pole to pole, at least 1
 * @param out  out: the shoreline, to be freed with coast_destroy()
 * @retval WEFT_OK         done
 * @retval WEFT_ERR_HDF5   the data has no shoreline of the ocean
 * @retval WEFT_ERR_MEMORY out of memory
 */
weft_status coast_create(const gshhg *data, int64_t rows, coast **out);

/** Frees a shoreline, or NULL. */
void coast_destroy(coast *c);

/** The longitude of a column's middle; column 0 starts at 180° W. */
double coast_lon(const coast *c, int64_t column);

/** The latitude of a row's middle; row 0 is the northernmost. */
double coast_lat(const coast *c, int64_t row);

/**
 * Finds the nearest point of the shoreline.
 *
 * @param c       the shoreline
 * @param lon     from where, in degrees
 * @param lat     from where, in degrees
 * @param hint    in, out: -1 at first, then what the search before left there; it makes a search
 *                among neighbours faster and changes no bit of any answer
 * @param nearest out: the point; of several that are equally far, the westernmost, southernmost
 */
void coast_nearest(const coast *c, double lon, double lat, int64_t *hint, coast_point *nearest);

/**
 * Computes a run of cells.
 *
 * @param c        the shoreline
 * @param first    the first cell
 * @param count    how many
 * @param distance out: count distances, in km
 * @param nearest  out: count longitudes and latitudes, in turn
 * @param inside   out: count times 0 or 1
 */
void coast_cells(const coast *c, int64_t first, int64_t count, double *distance, double *nearest,
                 uint8_t *inside);

#endif
