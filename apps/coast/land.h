/* SPDX-License-Identifier: BSD-3-Clause */
/** @file
 * Which cells of a grid lie inside the ocean's shoreline.
 *
 * The meridian of a column of cells is followed from the north pole, which is sea: every crossing
 * of the shoreline changes between sea and land. Crossings are decided in the whole numbers of the
 * data, and the shorelines are closed, so neither the seam at Greenwich nor a bin's border nor the
 * south pole needs any care.
 */
#ifndef COAST_LAND_H
#define COAST_LAND_H

#include "gshhg.h"

#include <stdbool.h>
#include <stdint.h>
#include <weft/status.h>

/** The crossings of every column's meridian. */
typedef struct land land;

/**
 * Finds the crossings.
 *
 * @param data    the shorelines
 * @param columns how many columns of cells the globe has, an even number; the first starts at 180°
 * W
 * @param out     out: the crossings
 * @retval WEFT_OK         done
 * @retval WEFT_ERR_MEMORY out of memory
 */
weft_status land_create(const gshhg *data, int64_t columns, land **out);

/** Frees crossings, or NULL. */
void land_destroy(land *l);

/** Whether a place on the middle of a column is land. */
bool land_at(const land *l, int64_t column, double lat);

#endif
