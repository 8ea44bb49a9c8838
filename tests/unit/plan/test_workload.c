/* SPDX-License-Identifier: BSD-3-Clause */
/* Tests what is made of measured tiles: times for those that are not, spread, other sizes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "plan/workload.h"

#include <math.h>
#include <string.h>
#include <weft/random.h>

enum { TILES = 4000 };

static workload make(const workload_tile tile[], int64_t tiles)
{
    error e = {.status = WEFT_OK};
    workload w;
    assert_int_equal(workload_init(&w, tile, tiles, &e), WEFT_OK);
    return w;
}

static double mean(const double seconds[], int first, int end)
{
    double sum = 0;
    for (int i = first; i < end; i++) {
        sum += seconds[i] / (end - first);
    }
    return sum;
}

static void test_measured_tiles_are_kept(void **state)
{
    (void)state;
    static workload_tile tile[TILES];
    static double seconds[TILES];
    for (int i = 0; i < TILES; i++) {
        tile[i].seconds = i % 5 == 2 ? -1 : i;
    }
    workload w = make(tile, TILES);
    assert_int_equal(w.count, TILES / 5 * 4);
    workload_fill(&w, 1, seconds);
    for (int i = 0; i < TILES; i++) {
        assert_true(i % 5 == 2 ? seconds[i] >= 0 : seconds[i] == tile[i].seconds);
    }
    workload_free(&w);
    workload_free(&w);
}

/* Costs that rise along the index, with every third stretch not computed: it rises there, too. */
static void test_drift(void **state)
{
    (void)state;
    static workload_tile tile[TILES];
    static double seconds[TILES];
    for (int i = 0; i < TILES; i++) {
        tile[i].seconds = i / 400 % 3 == 1 ? -1 : 1 + i * 1e-3;
    }
    workload w = make(tile, TILES);
    workload_fill(&w, 1, seconds);
    for (int i = 400; i < TILES - 400; i += 1200) {
        assert_true(fabs(mean(seconds, i, i + 400) / (1 + (i + 200) * 1e-3) - 1) < 0.1);
        assert_true(mean(seconds, i, i + 100) < mean(seconds, i + 300, i + 400));
    }
    workload_free(&w);
}

/* What was computed of the first half is rarely long: so it is in the other half. */
static void test_rare_long_tiles(void **state)
{
    (void)state;
    static workload_tile tile[TILES];
    static double seconds[TILES];
    for (int i = 0; i < TILES; i++) {
        tile[i].seconds = i >= TILES / 2 ? -1 : i % 40 == 7 ? 10 : 0.1;
    }
    workload w = make(tile, TILES);
    workload_fill(&w, 3, seconds);
    int longs = 0;
    for (int i = TILES / 2; i < TILES; i++) {
        assert_true(fabs(seconds[i] - 0.1) < 0.02 || fabs(seconds[i] - 10) < 2);
        longs += seconds[i] > 5;
    }
    assert_in_range(longs, 20, 90);
    workload_free(&w);
}

static void test_seeds(void **state)
{
    (void)state;
    static workload_tile tile[TILES];
    static double seconds[3][TILES];
    for (int i = 0; i < TILES; i++) {
        tile[i].seconds = i % 2 == 0 ? -1 : 1 + i % 13;
    }
    workload w = make(tile, TILES);
    workload_fill(&w, 1, seconds[0]);
    workload_fill(&w, 1, seconds[1]);
    workload_fill(&w, 2, seconds[2]);
    assert_memory_equal(seconds[0], seconds[1], sizeof seconds[0]);
    assert_memory_not_equal(seconds[0], seconds[2], sizeof seconds[0]);
    workload_free(&w);
}

static void test_few(void **state)
{
    (void)state;
    static const workload_tile tile[] = {{.seconds = -1}, {.seconds = 2}, {.seconds = -1}};
    static const workload_tile free_of_charge[] = {{.seconds = 0}, {.seconds = -1}};
    double seconds[3];
    workload w = make(tile, 3);
    workload_fill(&w, 1, seconds);
    assert_true(seconds[0] == 2 && seconds[1] == 2 && seconds[2] == 2);
    assert_true(workload_spread(&w) <= 0);
    workload_free(&w);
    w = make(free_of_charge, 2);
    workload_fill(&w, 1, seconds);
    assert_true(seconds[0] <= 0 && seconds[1] <= 0);
    workload_free(&w);
}

/* Workers take tiles in turn; `speed` of the odd ones is as given, and tiles differ by nature. */
static double spread(double speed, bool alike)
{
    static workload_tile tile[TILES];
    for (int i = 0; i < TILES; i++) {
        weft_random random;
        weft_random_init(&random, 7, 0, (uint64_t)i);
        const int worker = (int)weft_random_below(&random, 8);
        const double cost = alike ? 1 : weft_random_exponential(&random);
        tile[i] = (workload_tile){.seconds = cost / (worker % 2 == 1 ? speed : 1),
                                  .rank = worker / 4,
                                  .worker = worker % 4};
    }
    workload w = make(tile, TILES);
    const double found = workload_spread(&w);
    workload_free(&w);
    return found;
}

static void test_spread(void **state)
{
    (void)state;
    assert_true(spread(1, true) <= 1e-12);
    assert_true(spread(1, false) < 0.02);
    assert_true(spread(1.5, true) > 0.15 && spread(1.5, true) < 0.25);
    assert_true(spread(1.5, false) > 0.1 && spread(1.5, false) < 0.3);
    assert_true(spread(1000, true) <= 0.5);
}

static void test_scaling(void **state)
{
    (void)state;
    /* Tiles of 10, 10 and 5 items. */
    static const double sums[] = {0, 1, 3, 7};
    tiling given;
    tiling scaled;
    tiling_init(&given, 25, 10);
    workload_scale(&given, 25, &scaled);
    assert_int_equal(scaled.tiles, 3);
    workload_scale(&given, 100, &scaled);
    assert_int_equal(scaled.tiles, 10);
    double sum = 0;
    for (int64_t tile = 0; tile < scaled.tiles; tile++) {
        sum += workload_seconds(&given, sums, &scaled, tile);
    }
    assert_true(fabs(sum - 4 * 7) < 1e-9);
    assert_true(fabs(workload_seconds(&given, sums, &scaled, 0) - 1) < 1e-12);
    assert_true(fabs(workload_seconds(&given, sums, &scaled, 2) - 4.5) < 1e-12);
    workload_scale(&given, 7, &scaled);
    assert_int_equal(scaled.tiles, 1);
    assert_true(fabs(workload_seconds(&given, sums, &scaled, 0) - 0.7) < 1e-12);
}

/* A thousand million items of one item a tile: not more tiles than a job would have. */
static void test_scaling_far(void **state)
{
    (void)state;
    static double sums[101];
    tiling given;
    tiling scaled;
    for (int i = 0; i <= 100; i++) {
        sums[i] = i;
    }
    tiling_init(&given, 100, 1);
    workload_scale(&given, INT64_C(1000000000), &scaled);
    assert_true(scaled.tiles <= 1 << 20);
    assert_int_equal(scaled.grain, 954);
    assert_true(fabs(workload_seconds(&given, sums, &scaled, 5000) - 954) < 1e-3);
    tiling_init(&given, 100, 3);
    workload_scale(&given, INT64_C(1000000000), &scaled);
    assert_int_equal(scaled.grain, 954);
    tiling_init(&given, 100, 1);
    workload_scale(&given, INT64_MAX, &scaled);
    assert_true(scaled.tiles <= 1 << 20);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_measured_tiles_are_kept),
        cmocka_unit_test(test_drift),
        cmocka_unit_test(test_rare_long_tiles),
        cmocka_unit_test(test_seeds),
        cmocka_unit_test(test_few),
        cmocka_unit_test(test_spread),
        cmocka_unit_test(test_scaling),
        cmocka_unit_test(test_scaling_far),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
