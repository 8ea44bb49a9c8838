/* SPDX-License-Identifier: BSD-3-Clause */
/* The rows of /weft/tiles, /weft/failures and /weft/runs, as they lie on disk. */
#include "store/format/record.h"

#include "store/format/checksum.h"

#include <stddef.h>
#include <string.h>

static uint64_t check_of(const tile_record *record, int64_t tile)
{
    return checksum_seeded(record, offsetof(tile_record, check), (uint64_t)tile + 1);
}

void tile_record_seal(tile_record *record, int64_t tile)
{
    record->check = check_of(record, tile);
}

bool tile_record_sound(const tile_record *record, int64_t tile)
{
    static const unsigned char empty[sizeof *record];
    const unsigned char *bytes = (const unsigned char *)record;
    return memcmp(bytes, empty, sizeof empty) == 0 || record->check == check_of(record, tile);
}

bool tile_record_done(const tile_record *record)
{
    return record->state != TILE_EMPTY;
}

void run_row_recount(run_row *row, int32_t run, const tile_record records[], const tiling *tiles)
{
    const double before = row->busy;
    row->items = 0;
    row->failed = 0;
    row->busy = 0;
    for (int64_t tile = 0; tile < tiles->tiles; tile++) {
        const tile_record *record = &records[tile];
        if (record->run == run && tile_record_done(record) && tile_record_sound(record, tile)) {
            const double end = record->start + record->seconds;
            row->items += tiling_items(tiles, tile, 1);
            row->failed += record->failed;
            row->busy += record->seconds;
            row->end = end > row->end ? end : row->end;
        }
    }
    row->cpu *= before > 0 ? row->busy / before : 0;
    row->wait *= before > 0 ? row->busy / before : 0;
}
