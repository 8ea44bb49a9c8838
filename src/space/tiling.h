/* SPDX-License-Identifier: BSD-3-Clause */
/** @file
 * The tiling: how the items are cut into tiles, and the grain that is taken when nobody asks for
 * one. Both depend on the map alone, never on ranks, threads or timing.
 */
#ifndef SPACE_TILING_H
#define SPACE_TILING_H

#include <stdint.h>

/* The tile records of 2²⁰ tiles take 64 MiB, which is what a run should have to read at its start:
 * the automatic grain makes no more. */
#define TILING_MOST_TILES (INT64_C(1) << 20)

/** Items 0 … count - 1 in tiles of `grain` items; the last tile may be shorter. */
typedef struct tiling {
    int64_t count; /**< items */
    int64_t grain; /**< items per tile, at least 1 */
    int64_t tiles; /**< ⌈count / grain⌉ */
} tiling;

/** Cuts count >= 0 items into tiles of grain >= 1. */
void tiling_init(tiling *t, int64_t count, int64_t grain);

/** The first item of a tile, 0 <= tile <= tiles; for tile = tiles the end of the items. */
static inline int64_t tiling_first(const tiling *t, int64_t tile)
{
    /* The last tile may end beyond INT64_MAX where it is not cut off. */
    return tile < t->tiles ? tile * t->grain : t->count;
}

/** How many items the tiles tile_first … tile_first + tiles - 1 have. */
static inline int64_t tiling_items(const tiling *t, int64_t tile_first, int64_t tiles)
{
    return tiling_first(t, tile_first + tiles) - tiling_first(t, tile_first);
}

/**
 * The grain for a result of `count` items whose fields take item_bytes[0 … fields - 1] bytes per
 * item. At least 1; at most 2²⁰ tiles; a tile has at most 4 MiB over all fields unless that
 * would make more than 2²⁰ tiles or one item alone is larger. Large results get tiles of whole
 * pages, others up to 65536 tiles so that the work spreads; where items have less than 16 bytes, no
 * more than make tiles of 16, or 512 of them. Where a tile has accumulator_bytes as well, there are
 * no more tiles than make 256 MiB of them, or 256; and none of a result that are larger than what
 * else the tile has, but for 512 tiles.
 */
int64_t tiling_auto_grain(int64_t count, int fields, const int64_t item_bytes[],
                          int64_t accumulator_bytes);

#endif
