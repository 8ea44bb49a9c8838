/* SPDX-License-Identifier: BSD-3-Clause */
/* Tests the tile records: any flipped bit, any torn write, and a record of another tile are seen.
 */
#include "store/folder.h"

#include "store/format/checksum.h"
#include "store/format/record.h"
#include "store/format/xxh3.h"

static tile_record make_record(int64_t tile)
{
    tile_record record = {.state = TILE_DONE,
                          .attempts = 3,
                          .failed = 2,
                          .rank = 7,
                          .worker = 5,
                          .run = 1,
                          .start = 1.7e9,
                          .seconds = 0.25,
                          .checksum = UINT64_C(0x123456789ABCDEF0)};
    tile_record_seal(&record, tile);
    return record;
}

static void test_sealed_is_sound(void **state)
{
    (void)state;
    for (int64_t tile = 0; tile < 1000; tile += 37) {
        const tile_record record = make_record(tile);
        assert_true(tile_record_sound(&record, tile));
        assert_true(tile_record_done(&record));
    }
}

static void test_never_written_is_sound_and_not_done(void **state)
{
    (void)state;
    tile_record record;
    memset(&record, 0, sizeof record);
    assert_true(tile_record_sound(&record, 0));
    assert_true(tile_record_sound(&record, 1000000));
    assert_false(tile_record_done(&record));
}

static void test_every_flipped_bit_is_seen(void **state)
{
    (void)state;
    for (int64_t tile = 0; tile < 3; tile++) {
        tile_record record = make_record(tile);
        unsigned char *bytes = (unsigned char *)&record;
        for (size_t bit = 0; bit < 8 * sizeof record; bit++) {
            bytes[bit / 8] ^= (unsigned char)(1u << bit % 8);
            assert_false(tile_record_sound(&record, tile));
            bytes[bit / 8] ^= (unsigned char)(1u << bit % 8);
        }
        assert_true(tile_record_sound(&record, tile));
    }
}

/* A bit that a disk sets in a record that was never written. */
static void test_every_bit_set_in_an_empty_one_is_seen(void **state)
{
    (void)state;
    tile_record record;
    memset(&record, 0, sizeof record);
    unsigned char *bytes = (unsigned char *)&record;
    for (size_t bit = 0; bit < 8 * sizeof record; bit++) {
        bytes[bit / 8] ^= (unsigned char)(1u << bit % 8);
        assert_false(tile_record_sound(&record, 5));
        bytes[bit / 8] ^= (unsigned char)(1u << bit % 8);
    }
}

static void test_every_torn_write_is_seen(void **state)
{
    (void)state;
    const tile_record whole = make_record(4);
    tile_record older = whole;
    older.attempts++;
    older.checksum++;
    older.start += 1;
    tile_record_seal(&older, 4);
    tile_record empty;
    memset(&empty, 0, sizeof empty);
    for (size_t kept = 1; kept < sizeof whole; kept++) {
        tile_record torn = empty;
        memcpy(&torn, &whole, kept);
        assert_false(tile_record_sound(&torn, 4));
        torn = whole;
        memset(&torn, 0, kept);
        assert_false(tile_record_sound(&torn, 4));
        torn = older;
        memcpy(&torn, &whole, kept);
        const bool one_of_both =
            memcmp(&torn, &whole, sizeof torn) == 0 || memcmp(&torn, &older, sizeof torn) == 0;
        assert_int_equal(tile_record_sound(&torn, 4), one_of_both);
    }
}

static void test_record_of_another_tile_is_seen(void **state)
{
    (void)state;
    const tile_record record = make_record(4);
    for (int64_t tile = 0; tile < 1000; tile++) {
        assert_int_equal(tile_record_sound(&record, tile), tile == 4);
    }
}

/* A run's row is written now and then; what the tile records say is newer. */
static void test_a_row_is_counted_again(void **state)
{
    (void)state;
    enum { TILES = 5 };
    const tiling tiles = {.count = 18, .grain = 4, .tiles = TILES};
    tile_record records[TILES];
    memset(records, 0, sizeof records);
    for (int tile = 0; tile < TILES; tile++) {
        records[tile] = make_record(tile);
        records[tile].state = TILE_DONE_WITH_FAILURES;
        records[tile].run = tile == 1 ? 3 : 2;
        records[tile].failed = 1;
        records[tile].start = 100 + 10 * tile;
        records[tile].seconds = 2;
        tile_record_seal(&records[tile], tile);
    }
    records[3].failed = 2; /* torn */
    const run_row stale = {
        .start = 90, .end = 95, .items = 7, .busy = 3, .cpu = 1.5, .work_now = 2, .map = 1};
    for (int in_use = 0; in_use < 2; in_use++) {
        run_row rows[] = {stale, stale, stale};
        run_row *row = &rows[2];
        tables t = {.tile = records, .run = rows, .runs = 3};
        run_row_set_outcome(&rows[1], WEFT_OUTCOME_RUNNING);
        run_row_set_outcome(row, WEFT_OUTCOME_RUNNING);
        assert_true(tables_settle_runs(&t, 1, &tiles, in_use == 1));
        assert_int_equal(row->items, 4 + 4 + 2);
        assert_int_equal(row->failed, 3);
        assert_true(row->busy == 6 && row->cpu == 3 && row->wait == 0);
        assert_true(row->end == 142 && row->start == 90);
        assert_int_equal(run_row_outcome(&rows[0]), WEFT_OUTCOME_UNKNOWN);
        assert_int_equal(run_row_outcome(&rows[1]), WEFT_OUTCOME_KILLED);
        assert_int_equal(run_row_outcome(row),
                         in_use == 1 ? WEFT_OUTCOME_RUNNING : WEFT_OUTCOME_KILLED);
        assert_int_equal(row->work_now, in_use == 1 ? 2 : 0);
        /* A run that has closed its row knows best. */
        run_row_set_outcome(row, WEFT_OUTCOME_STOPPED);
        row->items = 7;
        assert_false(tables_settle_runs(&t, 1, &tiles, in_use == 1));
        assert_int_equal(row->items, 7);
    }
}

/* Another map's rows are left as they are; runs that are at two other maps have left this one. */
static void test_rows_of_several_maps(void **state)
{
    (void)state;
    tiling tiles;
    tiling_init(&tiles, 4, 4);
    tile_record record = {.state = TILE_DONE, .run = 0, .start = 100, .seconds = 2};
    tile_record_seal(&record, 0);
    run_row rows[] = {{.start = 90, .map = 3}, {.start = 91, .map = 0}, {.start = 80, .map = 5}};
    tables t = {.tile = &record, .run = rows, .runs = 3};
    assert_false(tables_any_may_run(&t));
    assert_int_equal(tables_last_run(&t, 3), 0);
    assert_int_equal(tables_last_run(&t, 0), 1);
    assert_int_equal(tables_last_run(&t, 2), -1);
    assert_int_equal(tables_new_run(&t, 2), 3);
    run_row_set_outcome(&rows[0], WEFT_OUTCOME_RUNNING);
    run_row_set_outcome(&rows[1], WEFT_OUTCOME_RUNNING);
    assert_true(tables_may_run(&t, 0));
    run_row_set_outcome(&rows[2], WEFT_OUTCOME_RUNNING);
    assert_false(tables_may_run(&t, 0));
    run_row_set_outcome(&rows[1], WEFT_OUTCOME_COMPLETE);
    assert_true(tables_may_run(&t, 0));
    run_row_set_outcome(&rows[1], WEFT_OUTCOME_RUNNING);
    assert_true(tables_may_run(&t, 1) && tables_any_may_run(&t));
    assert_true(tables_settle_runs(&t, 3, &tiles, true));
    assert_int_equal(run_row_outcome(&rows[0]), WEFT_OUTCOME_KILLED);
    assert_int_equal(rows[0].items, 4);
    assert_int_equal(run_row_outcome(&rows[1]), WEFT_OUTCOME_RUNNING);
    assert_int_equal(rows[1].items, 0);
    assert_false(tables_settle_runs(&t, 2, &tiles, true));
    /* A table that is full is no longer in order: a map takes its own last row again, or else the
     * oldest, which is no run's that is under way. */
    run_row_set_outcome(&rows[2], WEFT_OUTCOME_STOPPED);
    t.full = true;
    assert_true(tables_may_run(&t, 1) && !tables_may_run(&t, 2));
    assert_int_equal(tables_new_run(&t, 3), 0);
    assert_int_equal(tables_new_run(&t, 2), 2);
}

static void test_texts_of_outcomes(void **state)
{
    (void)state;
    run_row row;
    memset(row.outcome, 'x', sizeof row.outcome);
    assert_int_equal(run_row_outcome(&row), WEFT_OUTCOME_UNKNOWN);
    for (int i = 0; i < WEFT_OUTCOME_COUNT; i++) {
        run_row_set_outcome(&row, (weft_outcome)i);
        assert_string_equal(row.outcome, weft_outcome_text((weft_outcome)i));
        assert_int_equal(row.outcome[sizeof row.outcome - 1], 0);
        assert_int_equal(run_row_outcome(&row), i);
    }
    assert_string_equal(weft_outcome_text(WEFT_OUTCOME_FAILED_ITEMS), "failed items");
    assert_string_equal(weft_outcome_text(WEFT_OUTCOME_COUNT), "unknown");
    assert_int_equal(outcome_of(WEFT_OK), WEFT_OUTCOME_COMPLETE);
    assert_int_equal(outcome_of(WEFT_ITEMS_FAILED), WEFT_OUTCOME_FAILED_ITEMS);
    assert_int_equal(outcome_of(WEFT_STOPPED), WEFT_OUTCOME_STOPPED);
    assert_int_equal(outcome_of(WEFT_ERR_NO_SPACE), WEFT_OUTCOME_ERROR);
}

static void test_checksum_is_of_the_concatenation(void **state)
{
    (void)state;
    static const char text[] = "the quick brown fox jumps over the lazy dog";
    const void *whole[] = {text};
    const size_t whole_count[] = {sizeof text - 1};
    const uint64_t expected = checksum_runs(1, whole, whole_count);
    for (size_t a = 0; a < sizeof text - 1; a++) {
        for (size_t b = a; b < sizeof text - 1; b++) {
            const void *runs[] = {text, text + a, text + b};
            const size_t counts[] = {a, b - a, sizeof text - 1 - b};
            assert_true(checksum_runs(3, runs, counts) == expected);
        }
    }
}

/* With the vectors of this processor checksums are what they are without, whatever a tile's length,
 * and records that are made together are those that are made one by one. */
static void test_checksums_of_any_length(void **state)
{
    enum { TILES = 3, MOST = 3000 };
    (void)state;
    static unsigned char bytes[TILES * MOST];
    for (size_t i = 0; i < sizeof bytes; i++) {
        bytes[i] = (unsigned char)(i * i >> 3 ^ i);
    }
    for (size_t length = 1; length <= MOST; length += 1 + length / 50) {
        const tile_record common = make_record(7);
        tile_record made[TILES];
        tile_records_make(made, &common, 7, TILES, bytes, length);
        for (int i = 0; i < TILES; i++) {
            const unsigned char *tile = bytes + (size_t)i * length;
            const void *runs[] = {tile, tile + length / 3};
            const size_t counts[] = {length / 3, length - length / 3};
            tile_record expected = common;
            expected.checksum = XXH3_64bits(tile, length);
            tile_record_seal(&expected, 7 + i);
            assert_memory_equal(&made[i], &expected, sizeof expected);
            assert_true(checksum_runs(2, runs, counts) == expected.checksum);
            assert_true(tile_record_sound(&made[i], 7 + i));
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sealed_is_sound),
        cmocka_unit_test(test_never_written_is_sound_and_not_done),
        cmocka_unit_test(test_every_flipped_bit_is_seen),
        cmocka_unit_test(test_every_bit_set_in_an_empty_one_is_seen),
        cmocka_unit_test(test_every_torn_write_is_seen),
        cmocka_unit_test(test_record_of_another_tile_is_seen),
        cmocka_unit_test(test_texts_of_outcomes),
        cmocka_unit_test(test_a_row_is_counted_again),
        cmocka_unit_test(test_rows_of_several_maps),
        cmocka_unit_test(test_checksum_is_of_the_concatenation),
        cmocka_unit_test(test_checksums_of_any_length),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
