/* SPDX-License-Identifier: BSD-3-Clause */
/** @file
 * What is drawn beside the map of the world: how much land each latitude has and how far it is to
 * the shore there, and below it how large the areas at each distance are, in the colours of the
 * map.
 */
#ifndef COAST_MARGIN_H
#define COAST_MARGIN_H

#include "bands.h"
#include "draw/picture.h"

/**
 * Puts a map into a larger picture.
 *
 * @param map   the map of the world
 * @param found what is drawn beside it
 * @return the picture; NULL if memory is short
 */
picture *margin_draw(const picture *map, const bands *found);

#endif
