/* SPDX-License-Identifier: BSD-3-Clause */
/* The rows of /weft/tiles, /weft/failures and /weft/runs, as they lie on disk. */
#include "store/record.h"

#include "store/checksum.h"

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
