/* SPDX-License-Identifier: BSD-3-Clause */
/* The tiling: how the items are cut into tiles, and the grain that is taken when nobody asks for
 * one. */
#include "space/tiling.h"

#include "space/divide.h"

#include <assert.h>

/* This many tiles are enough to balance any load, and more would only cost records. */
#define ENOUGH_TILES INT64_C(65536)

/* Of a small result, the records take no more than four times what the results do; but so few tiles
 * are never too many. */
#define FEW_TILES INT64_C(512)
#define LEAST_TILE_BYTES 16

#define MAX_TILE_BYTES (INT64_C(4) << 20)
#define PAGE_BYTES INT64_C(4096)

/* Accumulators take no more than this, or than so few tiles need. */
#define MOST_ACCUMULATOR_BYTES (INT64_C(256) << 20)
#define FEW_ACCUMULATORS INT64_C(256)

/* Where nothing is kept of an item it may be as short as a random number: beyond the first number
 * of tiles, they have the second number of items. */
#define TILES_OF_ANY_SIZE INT64_C(16384)
#define WORTH_ITEMS 256

static int64_t min_i64(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

static int64_t max_i64(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

void tiling_init(tiling *t, int64_t count, int64_t grain)
{
    assert(count >= 0 && grain >= 1);
    *t = (tiling){.count = count, .grain = grain, .tiles = divide_up(count, grain)};
}

/* The smallest number of items whose bytes are whole pages in every field. For one field that is
 * PAGE_BYTES over its common divisor with the size, a power of two, so that the common multiple of
 * all fields is the largest of them and never above PAGE_BYTES. */
static int64_t items_per_page(int fields, const int64_t item_bytes[])
{
    int64_t items = 1;
    for (int f = 0; f < fields; f++) {
        while (items * (item_bytes[f] % PAGE_BYTES) % PAGE_BYTES != 0) {
            items *= 2;
        }
    }
    return items;
}

/* As many tiles as are worth their records. */
static int64_t enough_tiles(int64_t count, int fields, const int64_t item_bytes[])
{
    int64_t record = 0;
    for (int f = 0; f < fields; f++) {
        record += min_i64(item_bytes[f], MAX_TILE_BYTES);
    }
    if (record == 0 || record >= LEAST_TILE_BYTES) {
        return ENOUGH_TILES;
    }
    const int64_t items = divide_up(LEAST_TILE_BYTES, record);
    return min_i64(ENOUGH_TILES, max_i64(FEW_TILES, divide_up(count, items)));
}

/* How many items fit into the largest tile, but at least one. */
static int64_t items_per_largest_tile(int fields, const int64_t item_bytes[])
{
    int64_t record = 0;
    for (int f = 0; f < fields; f++) {
        record += min_i64(item_bytes[f], MAX_TILE_BYTES);
    }
    return max_i64(MAX_TILE_BYTES / max_i64(record, 1), 1);
}

static int64_t grain_for_fields(int64_t count, int fields, const int64_t item_bytes[])
{
    int64_t page = items_per_page(fields, item_bytes);
    int64_t limit = items_per_largest_tile(fields, item_bytes);
    int64_t least = max_i64(divide_up(count, TILING_MOST_TILES), 1);

    /* Tiles of whole pages where there are enough of them. A smaller job is split further all the
     * same: a page shared by two ranks costs less than idle workers. */
    int64_t grain = count / page >= ENOUGH_TILES
                        ? divide_up(least, page) * page
                        : max_i64(divide_up(count, enough_tiles(count, fields, item_bytes)), 1);
    if (grain <= limit) {
        return grain;
    }
    /* No whole number of pages lies between the least grain and the limit. */
    if (least <= limit) {
        return limit;
    }
    /* Over 4 TiB there is no way to keep to the limit. */
    return page <= limit ? divide_up(least, page) * page : least;
}

/* As many tiles as are worth their accumulators, of which a small result has no more than it has
 * itself. */
static int64_t worth_accumulators(int64_t count, int64_t record_bytes, int64_t accumulator_bytes)
{
    const int64_t most = max_i64(FEW_ACCUMULATORS, MOST_ACCUMULATOR_BYTES / accumulator_bytes);
    if (record_bytes == 0) {
        const int64_t tiles = max_i64(TILES_OF_ANY_SIZE, count / WORTH_ITEMS);
        return min_i64(most, min_i64(tiles, ENOUGH_TILES));
    }
    if (record_bytes >= accumulator_bytes) {
        return most;
    }
    return min_i64(most, max_i64(FEW_TILES, count / (accumulator_bytes / record_bytes)));
}

int64_t tiling_auto_grain(int64_t count, int fields, const int64_t item_bytes[],
                          int64_t accumulator_bytes)
{
    const int64_t grain = grain_for_fields(count, fields, item_bytes);
    int64_t record = 0;
    for (int f = 0; f < fields; f++) {
        record += min_i64(item_bytes[f], MAX_TILE_BYTES);
    }
    if (accumulator_bytes == 0) {
        return grain;
    }
    const int64_t least = divide_up(count, worth_accumulators(count, record, accumulator_bytes));
    if (least <= grain) {
        return grain;
    }
    const int64_t page = items_per_page(fields, item_bytes);
    return count / page >= ENOUGH_TILES ? divide_up(least, page) * page : least;
}
