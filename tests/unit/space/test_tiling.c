/* SPDX-License-Identifier: BSD-3-Clause */
/* Tests the tiling: how items are cut into tiles, and the promises of the automatic grain. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "space/tiling.h"

#define MIB (INT64_C(1) << 20)
#define ENOUGH_TILES INT64_C(65536)
#define LENGTH(array) ((int)(sizeof(array) / sizeof(array)[0]))

static void test_last_tile_is_short(void **state)
{
    (void)state;
    tiling t;
    tiling_init(&t, 10, 3);
    assert_int_equal(t.count, 10);
    assert_int_equal(t.grain, 3);
    assert_int_equal(t.tiles, 4);
    assert_int_equal(tiling_first(&t, 0), 0);
    assert_int_equal(tiling_first(&t, 3), 9);
    assert_int_equal(tiling_first(&t, 4), 10);
    assert_int_equal(tiling_items(&t, 0, 1), 3);
    assert_int_equal(tiling_items(&t, 3, 1), 1);
    assert_int_equal(tiling_items(&t, 1, 2), 6);
    assert_int_equal(tiling_items(&t, 2, 2), 4);
    assert_int_equal(tiling_items(&t, 0, 4), 10);
    assert_int_equal(tiling_items(&t, 2, 0), 0);
    assert_int_equal(tiling_items(&t, 4, 0), 0);
}

static void test_even_cut(void **state)
{
    (void)state;
    tiling t;
    tiling_init(&t, 12, 3);
    assert_int_equal(t.tiles, 4);
    assert_int_equal(tiling_items(&t, 3, 1), 3);
    assert_int_equal(tiling_first(&t, 4), 12);
}

static void test_no_items_no_tiles(void **state)
{
    (void)state;
    tiling t;
    tiling_init(&t, 0, 5);
    assert_int_equal(t.tiles, 0);
    assert_int_equal(tiling_first(&t, 0), 0);
    assert_int_equal(tiling_items(&t, 0, 0), 0);
}

static void test_grain_beyond_count(void **state)
{
    (void)state;
    tiling t;
    tiling_init(&t, 5, INT64_MAX);
    assert_int_equal(t.tiles, 1);
    assert_int_equal(tiling_items(&t, 0, 1), 5);
}

static void test_nothing_overflows(void **state)
{
    (void)state;
    tiling t;
    tiling_init(&t, INT64_MAX, 1);
    assert_int_equal(t.tiles, INT64_MAX);
    assert_int_equal(tiling_first(&t, INT64_MAX - 1), INT64_MAX - 1);
    tiling_init(&t, INT64_MAX, INT64_MAX - 1);
    assert_int_equal(t.tiles, 2);
    assert_int_equal(tiling_first(&t, 1), INT64_MAX - 1);
    assert_int_equal(tiling_first(&t, 2), INT64_MAX);
    assert_int_equal(tiling_items(&t, 1, 1), 1);
    assert_int_equal(tiling_items(&t, 0, 2), INT64_MAX);
}

static void test_every_item_is_in_one_tile(void **state)
{
    (void)state;
    for (int64_t count = 0; count < 40; count++) {
        for (int64_t grain = 1; grain < 45; grain++) {
            tiling t;
            tiling_init(&t, count, grain);
            int64_t end = 0;
            for (int64_t tile = 0; tile < t.tiles; tile++) {
                assert_int_equal(tiling_first(&t, tile), end);
                assert_in_range(tiling_items(&t, tile, 1), 1, grain);
                end += tiling_items(&t, tile, 1);
            }
            assert_int_equal(end, count);
        }
    }
}

static int64_t grain_of(int64_t count, int64_t item_bytes)
{
    return tiling_auto_grain(count, 1, &item_bytes, 0);
}

static void test_auto_grain_of_small_jobs(void **state)
{
    (void)state;
    assert_int_equal(grain_of(0, 8), 1);
    assert_int_equal(grain_of(1, 8), 1);
    assert_int_equal(grain_of(512, 8), 1);
    assert_int_equal(grain_of(513, 8), 2);
    assert_int_equal(grain_of(1000, 8), 2);
    assert_int_equal(grain_of(1000, 16), 1);
    assert_int_equal(grain_of(1000, 1), 2);
    assert_int_equal(grain_of(100000, 1), 16);
    assert_int_equal(grain_of(100000, 7), 3);
    assert_int_equal(grain_of(ENOUGH_TILES, 16), 1);
    assert_int_equal(grain_of(ENOUGH_TILES + 1, 16), 2);
    assert_int_equal(grain_of(ENOUGH_TILES * 2, 8), 2);
    assert_int_equal(grain_of(ENOUGH_TILES * 2 + 1, 8), 3);
    assert_int_equal(grain_of(1000000, 8), 16);
    /* The last count before whole pages are enough, and the first. */
    assert_int_equal(grain_of(ENOUGH_TILES * 512 - 1, 8), 512);
    assert_int_equal(grain_of(ENOUGH_TILES * 512, 8), 512);
    assert_int_equal(grain_of(ENOUGH_TILES * 512 + 511, 8), 512);
}

static void test_auto_grain_of_whole_pages(void **state)
{
    (void)state;
    assert_int_equal(grain_of(100000000, 8), 512);
    assert_int_equal(grain_of(1000000000, 8), 1024); /* 954 for 2²⁰ tiles */
    assert_int_equal(grain_of(100000000, 4096), 96);
    assert_int_equal(grain_of(1000000, MIB), 1);
    assert_int_equal(tiling_auto_grain(MIB << 9, 3, (int64_t[]){8, 24, 1}, 0), 4096);
    assert_int_equal(tiling_auto_grain(MIB << 9, 3, (int64_t[]){1, 24, 8}, 0), 4096);
}

static void test_auto_grain_of_large_items(void **state)
{
    (void)state;
    assert_int_equal(grain_of(100, 4 * MIB + 1), 1);
    assert_int_equal(grain_of(ENOUGH_TILES * 4, MIB), 1);
    assert_int_equal(grain_of(1000, INT64_MAX), 1);
    assert_int_equal(tiling_auto_grain(1000, 2, (int64_t[]){INT64_MAX, INT64_MAX}, 0), 1);
    /* A page of these is 4096 items, 16 MiB: the limit holds, and the whole page is given up. */
    assert_int_equal(grain_of(ENOUGH_TILES * 2000, 4097), 1023);
    /* Likewise 512 items, which the first field would have asked for alone. */
    assert_int_equal(tiling_auto_grain(MIB * 100, 2, (int64_t[]){8, 8192}, 0), 511);
    /* 600 items for 2²⁰ tiles, pages of 512 items, 701 in 4 MiB: no whole pages in between. */
    assert_int_equal(grain_of(MIB * 600, 5976), 701);
    assert_int_equal(grain_of(MIB * 701, 5976), 701);
    assert_int_equal(grain_of(MIB * 701 + 1, 5976), 1024);
}

static void test_auto_grain_beyond_4_tib(void **state)
{
    (void)state;
    /* 953675 items for 2²⁰ tiles, rounded up to pages of 512. */
    assert_int_equal(grain_of(INT64_C(1000000000000), 8), 953856);
    assert_int_equal(grain_of(INT64_C(5000000), 4 * MIB), 5);
    /* Pages of 4096 items would make tiles of 4 GiB. */
    assert_int_equal(grain_of(INT64_C(5000000), MIB + 1), 5);
}

static void test_auto_grain_without_bytes(void **state)
{
    (void)state;
    assert_int_equal(tiling_auto_grain(0, 0, NULL, 0), 1);
    assert_int_equal(tiling_auto_grain(1000, 0, NULL, 0), 1);
    assert_int_equal(grain_of(1000, 0), 1);
    assert_int_equal(grain_of(MIB * 3, 0), 3);
}

static int64_t page_of(int fields, const int64_t item_bytes[])
{
    for (int64_t items = 1;; items++) {
        int whole = 0;
        for (int f = 0; f < fields; f++) {
            whole += items * (item_bytes[f] % 4096) % 4096 == 0;
        }
        if (whole == fields) {
            return items;
        }
    }
}

static void check_promises(int64_t count, int fields, const int64_t item_bytes[], int64_t page)
{
    int64_t record = 0;
    for (int f = 0; f < fields; f++) {
        record += item_bytes[f];
    }
    tiling t;
    tiling_init(&t, count, tiling_auto_grain(count, fields, item_bytes, 0));
    int64_t least = count / MIB + (count % MIB != 0);
    int64_t limit = record >= 4 * MIB ? 1 : 4 * MIB / record;
    int64_t paged = (least + page - 1) / page * page;

    assert_true(t.tiles <= MIB);
    assert_true(t.grain <= limit || least > limit);
    const int64_t small = record < 16 ? (16 + record - 1) / record : 1; /* items of a small tile */
    assert_true(t.tiles >= 32768 || t.tiles == count || t.grain == limit ||
                (t.tiles > 256 && t.grain <= small));
    assert_true(t.tiles <= 512 || t.grain >= small);
    if (count / page >= ENOUGH_TILES && paged <= limit) {
        assert_int_equal(t.grain, paged);
    }
}

static void test_auto_grain_keeps_its_promises(void **state)
{
    (void)state;
    static const int64_t sizes[] = {1,     2,    3,       8,     12,        24,
                                    100,   1000, 4095,    4096,  4097,      8192,
                                    24576, MIB,  MIB + 1, 99999, 4 * MIB,   4 * MIB + 1,
                                    65536, 5992, 1500000, 40960, 100 * MIB, 5 * MIB};
    for (int a = 0; a < LENGTH(sizes); a++) {
        for (int b = 0; b < LENGTH(sizes); b++) {
            const int64_t item_bytes[] = {sizes[a], sizes[b]};
            const int fields = 1 + (b > 0);
            const int64_t page = page_of(fields, item_bytes);
            for (int bits = 0; bits < 62; bits++) {
                int64_t count = INT64_C(1) << bits;
                check_promises(count - 1, fields, item_bytes, page);
                check_promises(count, fields, item_bytes, page);
                check_promises(count + count / 3, fields, item_bytes, page);
            }
            check_promises(INT64_MAX, fields, item_bytes, page);
        }
    }
}

static int64_t tiles_with(int64_t count, int64_t item_bytes, int64_t accumulator_bytes)
{
    tiling t;
    tiling_init(&t, count,
                tiling_auto_grain(count, item_bytes > 0, &item_bytes, accumulator_bytes));
    return t.tiles;
}

static void test_accumulators_make_fewer_tiles(void **state)
{
    (void)state;
    /* Maps that have nothing else. */
    assert_int_equal(tiles_with(100, 0, 64), 100);
    assert_int_equal(tiles_with(16384, 0, 64), 16384);
    assert_int_equal(tiles_with(16385, 0, 64), 8193);
    assert_int_equal(tiles_with(10000000, 0, 64), 38911); /* of 257 */
    assert_true(tiles_with(100000000, 0, 64) > 65000);
    assert_true(tiles_with(INT64_C(1) << 40, 0, 64) <= 65536);
    assert_true(tiles_with(100000000, 0, 65536) <= 4096);
    assert_true(tiles_with(100000000, 0, 65536) > 4000);
    assert_true(tiles_with(100000000, 0, INT64_C(1) << 26) <= 256);
    /* No more of them than there is else, where that is small. */
    assert_true(tiles_with(1000000, 8, 576) <= 1000000 / (576 / 8));
    assert_true(tiles_with(1000000, 8, 576) > 13000);
    assert_int_equal(tiles_with(1000000, 8, 576000), 466);
    /* Large fields have tiles of whole pages still. */
    assert_int_equal(tiling_auto_grain(MIB << 10, 1, (int64_t[]){8}, 576) % 512, 0);
    assert_int_equal(tiling_auto_grain(MIB, 1, (int64_t[]){4096}, 64),
                     tiling_auto_grain(MIB, 1, (int64_t[]){4096}, 0));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_last_tile_is_short),
        cmocka_unit_test(test_even_cut),
        cmocka_unit_test(test_no_items_no_tiles),
        cmocka_unit_test(test_grain_beyond_count),
        cmocka_unit_test(test_nothing_overflows),
        cmocka_unit_test(test_every_item_is_in_one_tile),
        cmocka_unit_test(test_auto_grain_of_small_jobs),
        cmocka_unit_test(test_auto_grain_of_whole_pages),
        cmocka_unit_test(test_auto_grain_of_large_items),
        cmocka_unit_test(test_auto_grain_beyond_4_tib),
        cmocka_unit_test(test_auto_grain_without_bytes),
        cmocka_unit_test(test_auto_grain_keeps_its_promises),
        cmocka_unit_test(test_accumulators_make_fewer_tiles),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
