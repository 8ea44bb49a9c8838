/* SPDX-License-Identifier: BSD-3-Clause */
/* The result of the store's sample job. */
#ifndef TEST_STORE_SAMPLE_RESULT_H
#define TEST_STORE_SAMPLE_RESULT_H

#include "store/sample.h"

#include "store/format/record.h"
#include "store/open.h"
#include "store/store.h"

/* Writes the sample's bytes of a tile, and its record. */
static inline void sample_put_tile(store *s, const job *j, int64_t tile, uint32_t failed)
{
    error e = {.status = WEFT_OK};
    const int64_t first = tiling_first(&j->tiles, tile);
    const int64_t items = tiling_items(&j->tiles, tile, 1);
    for (int i = 0; i < j->fields; i++) {
        unsigned char *bytes = sample_bytes(j, i, first, items);
        assert_int_equal(store_write(s, i, first, items, bytes, &e), WEFT_OK);
        free(bytes);
    }
    tile_record record = {.state = failed > 0 ? TILE_DONE_WITH_FAILURES : TILE_DONE,
                          .attempts = 1,
                          .failed = failed,
                          .rank = 2,
                          .worker = 1,
                          .run = tile_table_run(store_ledger(s)),
                          .start = 1.7e9,
                          .seconds = 0.5,
                          .checksum = sample_checksum(j, tile)};
    tile_record_seal(&record, tile);
    assert_int_equal(tile_table_put(store_ledger(s), tile, 1, &record, NULL, &e), WEFT_OK);
}

/* A complete file of that job. */
static inline void sample_make_file(const char *path, job *j)
{
    error e = {.status = WEFT_OK};
    store *s = NULL;
    assert_int_equal(open_alone(path, j, (store_policy){.fresh = false}, &s, &e), WEFT_OK);
    for (int64_t tile = 0; tile < j->tiles.tiles; tile++) {
        sample_put_tile(s, j, tile, 0);
    }
    const run_row row = {.start = 1.7e9,
                         .end = 1.7e9 + 5,
                         .ranks = 2,
                         .workers = 6,
                         .hosts = 1,
                         .items = j->items.count,
                         .busy = 0.5,
                         .outcome = "complete",
                         .host_names = "here",
                         .command = "a b"};
    assert_int_equal(tile_table_put_run(store_ledger(s), &row, &e), WEFT_OK);
    store_close(s);
}

#endif
