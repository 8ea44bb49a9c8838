/* SPDX-License-Identifier: BSD-3-Clause */
/** @file
 * What a finished result tells: the poles of inaccessibility, and the samples of the map.
 */
#ifndef COAST_SURVEY_H
#define COAST_SURVEY_H

#include "chart.h"
#include "coast.h"

#include <stdbool.h>
#include <weft/weft.h>

/** The place that is furthest from the shoreline, among those on one side of it. */
typedef struct survey_pole {
    bool found;          /**< whether there is any cell on this side */
    int64_t row;         /**< the cell of the grid */
    int64_t column;      /**< the cell of the grid */
    double cell_km;      /**< how far that cell is from the shoreline */
    double lon;          /**< the pole itself, which lies in or near that cell */
    double lat;          /**< the pole itself */
    coast_point nearest; /**< the point of the shoreline nearest to it */
} survey_pole;

/** Both poles. */
typedef struct survey {
    survey_pole sea;
    survey_pole land;
} survey;

/**
 * Reads a result file from end to end. Called on one rank.
 *
 * @param session takes an error's text
 * @param path    the result
 * @param c       the shoreline that it was made with
 * @param map     takes the samples for the map; NULL if none is to be drawn
 * @param found   out: the poles
 */
weft_status survey_read(weft_session *session, const char *path, const coast *c, chart *map,
                        survey *found);

/** Prints the poles on standard output. */
void survey_print(const coast *c, const survey *found);

#endif
