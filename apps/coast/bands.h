/* SPDX-License-Identifier: BSD-3-Clause */
/** @file
 * The second stage: what the distances say of the earth, by latitude band and as a histogram. A map
 * of its own, beside the first one in the same file, whose kernel reads what the first has
 * computed.
 */
#ifndef COAST_BANDS_H
#define COAST_BANDS_H

#include <stdint.h>
#include <weft/weft.h>

/** As many bands from north to south as this, or as there are rows of cells. */
#define BANDS_MOST 36

/** The histogram: bins of this width; the last one takes what is further, too. */
#define BANDS_BIN_KM 100
#define BANDS_BINS 28 /**< how many bins there are */

/** The first index of what is told of both sides of the shoreline. */
typedef enum bands_side { BANDS_SEA, BANDS_LAND, BANDS_SIDES } bands_side;

/** What the map has found. Areas are on a sphere with the area of the earth. */
typedef struct bands {
    int64_t count;                              /**< of bands */
    double land[BANDS_MOST];                    /**< the share of land of a band's area */
    double mean_km[BANDS_MOST][BANDS_SIDES];    /**< mean distance; NaN where there is none */
    double largest_km[BANDS_MOST][BANDS_SIDES]; /**< largest distance; NaN where there is none */
    double area_km2[BANDS_SIDES][BANDS_BINS];   /**< by distance */
} bands;

/**
 * Describes the map, an item of which is a band; what goes wrong stays with it.
 *
 * @param session the session
 * @param rows    how many rows of cells the first map has
 * @param map     out: the map
 */
void bands_describe(weft_session *session, int64_t rows, weft_map **map);

/**
 * Runs the map. The first map, in the same file, is complete, and none of its items has failed.
 *
 * @param map the map
 */
weft_status bands_run(weft_map *map);

/**
 * Reads what the map has found. Called on one rank.
 *
 * @param map   the map, which is complete
 * @param rows  how many rows of cells the first map has
 * @param found out: the numbers
 */
weft_status bands_read(weft_map *map, int64_t rows, bands *found);

/** Prints how much land there is, on standard output. */
void bands_print(const bands *found);

#endif
