/* SPDX-License-Identifier: BSD-3-Clause */
/** @file
 * The ocean's shoreline as short straight pieces in space.
 *
 * Between two points of the data the shoreline is straight in longitude and latitude, as the data
 * was cut into bins; it is divided into pieces that leave the surface by less than half a metre.
 */
#ifndef COAST_SHORELINE_H
#define COAST_SHORELINE_H

#include "gshhg.h"

#include <weft/status.h>

/** The longest piece, in metres: a chord of this length is at most 0.5 m below the surface. */
#define SHORELINE_PIECE_M 5000.0

/** A piece, from a to b, in metres from the earth's centre. */
typedef struct piece {
    double a[3];
    double b[3];
} piece;

/**
 * Cuts the ocean's shoreline into pieces.
 *
 * @param data   the shorelines
 * @param pieces out: the pieces, to be freed by the caller
 * @param count  out: how many
 * @retval WEFT_OK         done
 * @retval WEFT_ERR_HDF5   there is no such shoreline
 * @retval WEFT_ERR_MEMORY out of memory
 */
weft_status shoreline_cut(const gshhg *data, piece **pieces, int64_t *count);

#endif
