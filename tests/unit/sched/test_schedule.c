/* SPDX-License-Identifier: BSD-3-Clause */
/* Tests the hand-out of a whole run: no technique ever loses or repeats a tile, whatever is
 * measured and given back, and those that learn give a slow rank less. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "sched/schedule.h"

#include <math.h>

#define LENGTH(array) ((int)(sizeof(array) / sizeof(array)[0]))

static schedule *create(technique t, int64_t tiles, int64_t ranks, const int *workers)
{
    const schedule_setup setup = {
        .technique = t, .tiles = tiles, .ranks = ranks, .workers = workers, .seed = 1};
    error e = {.status = WEFT_OK};
    schedule *s = NULL;
    assert_int_equal(schedule_create(&setup, &s, &e), WEFT_OK);
    assert_int_equal(schedule_remaining(s), tiles);
    return s;
}

/* Ranks ask in turn. */
static void check_chunks(technique t, int64_t tiles, int64_t ranks, const int *workers,
                         const int64_t *want, int count)
{
    schedule *s = create(t, tiles, ranks, workers);
    for (int i = 0; i < count; i++) {
        assert_int_equal(schedule_next(s, i % ranks, 0), want[i]);
    }
    assert_int_equal(schedule_remaining(s), 0);
    assert_int_equal(schedule_next(s, 0, 0), 0);
    assert_int_equal(schedule_next(s, ranks - 1, 0), 0);
    schedule_destroy(s);
}

#define CHECK_CHUNKS(t, tiles, ranks, workers, ...)                 \
    do {                                                            \
        const int64_t want[] = {__VA_ARGS__};                       \
        check_chunks(t, tiles, ranks, workers, want, LENGTH(want)); \
    } while (0)

static void test_chunks(void **state)
{
    (void)state;
    CHECK_CHUNKS(TECHNIQUE_GSS, 1000, 4, NULL, 250, 188, 141, 106, 79, 59, 45, 33, 25, 19, 14, 11,
                 8, 6, 4, 3, 3, 2, 1, 1, 1, 1);
    CHECK_CHUNKS(TECHNIQUE_FAC2, 1000, 4, NULL, 125, 125, 125, 125, 63, 63, 63, 63, 31, 31, 31, 31,
                 16, 16, 16, 16, 8, 8, 8, 8, 4, 4, 4, 4, 2, 2, 2, 2, 1, 1, 1, 1);
    CHECK_CHUNKS(TECHNIQUE_TSS, 1000, 4, NULL, 125, 117, 109, 101, 93, 85, 77, 69, 61, 53, 45, 37,
                 28);
    CHECK_CHUNKS(TECHNIQUE_RND, 1000, 4, NULL, 97, 3, 124, 113, 11, 75, 125, 125, 84, 113, 108, 22);
    /* Weights 0.5, 0.5, 1, 2 */
    CHECK_CHUNKS(TECHNIQUE_WF, 1000, 4, ((const int[]){1, 1, 2, 4}), 62, 62, 125, 250, 31, 31, 63,
                 126, 16, 16, 32, 64, 8, 8, 16, 32, 4, 4, 8, 16, 2, 2, 4, 8, 1, 1, 2, 4, 1, 1);
    CHECK_CHUNKS(TECHNIQUE_AUTO, 64, 4, NULL, 4, 4, 4, 4, 4, 4, 4, 4, 4, 3, 3, 2, 2, 2, 2, 1, 1, 1,
                 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1);
    CHECK_CHUNKS(TECHNIQUE_STATIC, 0, 4, NULL, 0);
}

static void test_tiles_come_back(void **state)
{
    (void)state;
    schedule *s = create(TECHNIQUE_GSS, 1000, 4, NULL);
    assert_int_equal(schedule_next(s, 0, 0), 250);
    schedule_return(s, 250);
    assert_int_equal(schedule_remaining(s), 1000);
    assert_int_equal(schedule_next(s, 1, 0), 250);
    schedule_return(s, 0);
    assert_int_equal(schedule_remaining(s), 750);
    int64_t sum = 250;
    for (int64_t chunk = schedule_next(s, 2, 0); chunk > 0; chunk = schedule_next(s, 2, 0)) {
        sum += chunk;
    }
    assert_int_equal(sum, 1000);
    schedule_return(s, 3);
    assert_int_equal(schedule_next(s, 2, 0), 1);
    assert_int_equal(schedule_remaining(s), 2);
    schedule_destroy(s);
    schedule_destroy(NULL);
}

/* A run of tiles that all take the rank as long. */
static void measure(schedule *s, int64_t rank, int64_t tiles, double each)
{
    const double number = (double)tiles;
    const measurement m = {.tiles = tiles,
                           .seconds = number * each,
                           .squares = number * each * each,
                           .elapsed = number * each};
    schedule_measure(s, rank, &m);
}

static void test_slow_rank_gets_half(void **state)
{
    (void)state;
    static const technique learning[] = {TECHNIQUE_AWF_B, TECHNIQUE_AWF_C, TECHNIQUE_AWF_D,
                                         TECHNIQUE_AWF_E, TECHNIQUE_AF,    TECHNIQUE_AUTO};
    enum { RANKS = 4, SLOW = 2 };
    for (int i = 0; i < LENGTH(learning); i++) {
        schedule *s = create(learning[i], 1000000, RANKS, NULL);
        int64_t chunk[RANKS];
        for (int round = 0; round < 3; round++) {
            for (int rank = 0; rank < RANKS; rank++) {
                chunk[rank] = schedule_next(s, rank, 0);
                assert_in_range(chunk[rank], 1, 1000000);
            }
            for (int rank = 0; rank < RANKS; rank++) {
                measure(s, rank, 1000, rank == SLOW ? 2e-3 : 1e-3);
            }
        }
        /* Against the mean of those who asked just before and just after. */
        const double others = sqrt((double)chunk[SLOW - 1] * (double)chunk[SLOW + 1]);
        const double ratio = (double)chunk[SLOW] / others;
        assert_true(ratio > 0.4 && ratio < 0.6);
        schedule_destroy(s);
    }
}

/* By batch: what is measured counts from the next batch on. By chunk: at once. */
static void test_when_weights_count(void **state)
{
    (void)state;
    schedule *batch = create(TECHNIQUE_AWF_B, 800, 2, NULL);
    schedule *chunk = create(TECHNIQUE_AWF_C, 800, 2, NULL);
    schedule *both[] = {batch, chunk};
    for (int i = 0; i < 2; i++) {
        assert_int_equal(schedule_next(both[i], 0, 0), 200);
        measure(both[i], 0, 200, 1);
        measure(both[i], 1, 200, 3);
    }
    assert_int_equal(schedule_next(batch, 1, 0), 200);
    assert_int_equal(schedule_next(batch, 0, 0), 150);
    assert_int_equal(schedule_next(batch, 1, 0), 50);
    /* ½ · ⌈600/4⌉, then 3/2 · ⌈525/4⌉ = 198 */
    assert_int_equal(schedule_next(chunk, 1, 0), 75);
    assert_int_equal(schedule_next(chunk, 0, 0), 198);
    schedule_destroy(batch);
    schedule_destroy(chunk);
}

static void test_elapsed_time_counts_for_awf_d_and_e(void **state)
{
    (void)state;
    static const technique tried[] = {TECHNIQUE_AWF_B, TECHNIQUE_AWF_C, TECHNIQUE_AWF_D,
                                      TECHNIQUE_AWF_E};
    for (int i = 0; i < LENGTH(tried); i++) {
        schedule *s = create(tried[i], 800, 2, NULL);
        measurement m = {.tiles = 10, .seconds = 10, .squares = 10, .elapsed = 10};
        schedule_measure(s, 0, &m);
        m.elapsed = 30;
        schedule_measure(s, 1, &m);
        /* Weights 1 and 1, or 3/2 and ½ */
        assert_int_equal(schedule_next(s, 0, 0), i < 2 ? 200 : 300);
        schedule_destroy(s);
    }
}

/* All chunks of a batch are equal, even if a deviation is measured meanwhile. */
static void test_fac_keeps_its_batch(void **state)
{
    (void)state;
    schedule *s = create(TECHNIQUE_FAC, 1000, 4, NULL);
    assert_int_equal(schedule_next(s, 0, 0), 125);
    const measurement m = {.tiles = 2, .seconds = 4, .squares = 16};
    schedule_measure(s, 0, &m);
    for (int rank = 1; rank < 4; rank++) {
        assert_int_equal(schedule_next(s, rank, 0), 125);
    }
    /* µ = 2, σ² = 8: v = 4 √2 / (2 √500) = 0.1265, x = 2 + 0.016 + 0.1265 √4.016 = 2.2695 */
    for (int rank = 0; rank < 4; rank++) {
        assert_int_equal(schedule_next(s, rank, 0), 56);
        measure(s, rank, 1000, 2);
    }
    schedule_destroy(s);
}

static void test_overhead_and_time_limit(void **state)
{
    (void)state;
    schedule *s = create(TECHNIQUE_AUTO, 100000000, 4, NULL);
    for (int rank = 0; rank < 4; rank++) {
        measure(s, rank, 4096, 1.0 / 1024);
    }
    assert_int_equal(schedule_next(s, 0, 0), 1024);
    schedule_set_overhead(s, 0.01);
    assert_int_equal(schedule_next(s, 0, 0), 2048);
    schedule_set_overhead(s, -1);
    schedule_set_overhead(s, (double)NAN);
    schedule_set_overhead(s, (double)INFINITY);
    assert_int_equal(schedule_next(s, 0, 0), 2048);
    schedule_set_overhead(s, 0);
    assert_int_equal(schedule_next(s, 0, 0), 1024);
    schedule_set_time_left(s, 2);
    assert_int_equal(schedule_next(s, 0, 0), 512);
    schedule_set_time_left(s, -5);
    assert_int_equal(schedule_next(s, 0, 0), 1);
    schedule_set_time_left(s, 0);
    assert_int_equal(schedule_next(s, 0, 0), 1024);
    assert_true(schedule_tile_seconds(s, 3) == 1.0 / 1024);
    schedule_destroy(s);
}

static void test_too_many_ranks_for_the_memory(void **state)
{
    (void)state;
    const schedule_setup setup = {.tiles = 10, .ranks = INT64_MAX};
    error e = {.status = WEFT_OK};
    schedule *s = NULL;
    assert_int_equal(schedule_create(&setup, &s, &e), WEFT_ERR_MEMORY);
    assert_null(s);
}

static uint64_t draw(uint64_t *seed)
{
    *seed = *seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return *seed >> 33;
}

static double draw_seconds(uint64_t *seed)
{
    const double absurd[] = {0, 1e-300, 1e300, (double)NAN, (double)INFINITY, -1, 1e-9, 5e-324};
    const uint64_t options = draw(seed) % 24;
    return options < 8 ? absurd[options] : (double)draw(seed) * 1e-6;
}

/* What a simulated rank does besides asking. */
static int64_t disturb(schedule *s, int64_t ranks, int64_t handed_out, uint64_t *seed)
{
    const measurement m = {.tiles = (int64_t)(draw(seed) % 100),
                           .seconds = draw_seconds(seed),
                           .squares = draw_seconds(seed),
                           .elapsed = draw_seconds(seed)};
    schedule_measure(s, (int64_t)(draw(seed) % (uint64_t)ranks), &m);
    schedule_set_overhead(s, draw_seconds(seed));
    schedule_set_time_left(s, draw_seconds(seed));
    const bool returns = draw(seed) % 8 == 0 && handed_out > 0;
    const int64_t back = returns ? (int64_t)(draw(seed) % (uint64_t)handed_out) : 0;
    schedule_return(s, back);
    return back;
}

/* Hands out everything, or as much as so many steps do, with all sorts of reports between. Returns
 * false at the first chunk that breaks a promise; the chunks are summed up in *print. */
static bool covers_exactly(technique t, int64_t tiles, int64_t ranks, uint64_t seed, int steps,
                           uint64_t *print)
{
    const schedule_setup setup = {.technique = t, .tiles = tiles, .ranks = ranks, .seed = seed};
    error e = {.status = WEFT_OK};
    schedule *s = NULL;
    if (schedule_create(&setup, &s, &e) != WEFT_OK) {
        return false;
    }
    int64_t handed_out = 0;
    bool good = true;
    for (int i = 0; i < steps && good && handed_out < tiles; i++) {
        if (seed > 0 && i < steps / 2) {
            handed_out -= disturb(s, ranks, handed_out, &seed);
        }
        const int64_t chunk = schedule_next(s, (int64_t)(draw(&seed) % (uint64_t)ranks),
                                            (int64_t)(draw(&seed) % 3) * 7);
        good = chunk >= 1 && chunk <= tiles - handed_out;
        handed_out += chunk;
        good = good && schedule_remaining(s) == tiles - handed_out;
        *print = *print * 31 + (uint64_t)chunk;
    }
    if (good && handed_out == tiles) {
        /* Late askers get nothing, as often as they ask. */
        good = schedule_next(s, 0, 0) == 0 && schedule_next(s, ranks - 1, 0) == 0;
    }
    schedule_destroy(s);
    return good && (handed_out == tiles || steps <= tiles);
}

/* With nothing measured, and with measurements that differ and are often absurd; each twice. */
static void check_cover(int64_t tiles, int64_t ranks, int steps)
{
    for (int t = 0; t < TECHNIQUE_COUNT; t++) {
        for (uint64_t seed = 0; seed < 3; seed++) {
            uint64_t first = 0;
            uint64_t second = 0;
            assert_true(covers_exactly((technique)t, tiles, ranks, seed, steps, &first));
            assert_true(covers_exactly((technique)t, tiles, ranks, seed, steps, &second));
            assert_true(first == second);
        }
    }
}

static void test_small_totals_are_covered_exactly(void **state)
{
    (void)state;
    static const int64_t totals[] = {0,  1,  2,  3,  4,  5,  6,   7,   8,    9,
                                     10, 11, 13, 32, 64, 97, 255, 999, 1000, 4001};
    static const int64_t ranks[] = {1, 2, 3, 4, 7, 1000};
    for (int n = 0; n < LENGTH(totals); n++) {
        for (int p = 0; p < LENGTH(ranks); p++) {
            check_cover(totals[n], ranks[p], 10000);
        }
    }
}

static void test_no_loss_up_to_as_many_tiles_as_ranks(void **state)
{
    (void)state;
    for (int64_t ranks = 1; ranks <= 20; ranks++) {
        for (int64_t tiles = 0; tiles <= ranks; tiles++) {
            check_cover(tiles, ranks, 200);
        }
    }
}

static void test_large_totals(void **state)
{
    (void)state;
    static const int64_t totals[] = {100000,
                                     (INT64_C(1) << 31) - 1,
                                     (INT64_C(1) << 31) + 1,
                                     INT64_C(1000000000000),
                                     (INT64_C(1) << 62) - 1,
                                     INT64_MAX};
    static const int64_t ranks[] = {1, 2, 3, 1000};
    for (int n = 0; n < LENGTH(totals); n++) {
        for (int p = 0; p < LENGTH(ranks); p++) {
            check_cover(totals[n], ranks[p], 2000);
        }
    }
}

/* To the last tile, where the chunks are long enough for that. */
static void test_large_totals_to_the_end(void **state)
{
    (void)state;
    static const technique coarse[] = {
        TECHNIQUE_STATIC, TECHNIQUE_GSS, TECHNIQUE_TSS,   TECHNIQUE_FAC,   TECHNIQUE_FAC2,
        TECHNIQUE_WF,     TECHNIQUE_TAP, TECHNIQUE_TFSS,  TECHNIQUE_FISS,  TECHNIQUE_VISS,
        TECHNIQUE_PLS,    TECHNIQUE_RND, TECHNIQUE_AWF_B, TECHNIQUE_AWF_E, TECHNIQUE_AF};
    static const int64_t totals[] = {(INT64_C(1) << 31) + 1, (INT64_C(1) << 62) - 1, INT64_MAX};
    for (int i = 0; i < LENGTH(coarse); i++) {
        for (int n = 0; n < LENGTH(totals); n++) {
            for (int64_t ranks = 1; ranks <= 100; ranks = 3 * ranks + 1) {
                schedule *s = create(coarse[i], totals[n], ranks, NULL);
                int64_t sum = 0;
                int steps = 0;
                for (int64_t k = schedule_next(s, 0, 0); k > 0;
                     k = schedule_next(s, steps % ranks, 0)) {
                    assert_true(k <= totals[n] - sum);
                    sum += k;
                    steps++;
                    assert_true(steps < 100000);
                }
                assert_true(sum == totals[n]);
                schedule_destroy(s);
            }
        }
    }
}

static void test_a_million_ranks(void **state)
{
    (void)state;
    static const int64_t totals[] = {1, 999999, 1000001, INT64_MAX};
    for (int n = 0; n < LENGTH(totals); n++) {
        for (int t = 0; t < TECHNIQUE_COUNT; t++) {
            uint64_t print = 0;
            assert_true(covers_exactly((technique)t, totals[n], 1000000, 1, 1000, &print));
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_chunks),
        cmocka_unit_test(test_tiles_come_back),
        cmocka_unit_test(test_slow_rank_gets_half),
        cmocka_unit_test(test_when_weights_count),
        cmocka_unit_test(test_elapsed_time_counts_for_awf_d_and_e),
        cmocka_unit_test(test_fac_keeps_its_batch),
        cmocka_unit_test(test_overhead_and_time_limit),
        cmocka_unit_test(test_too_many_ranks_for_the_memory),
        cmocka_unit_test(test_small_totals_are_covered_exactly),
        cmocka_unit_test(test_no_loss_up_to_as_many_tiles_as_ranks),
        cmocka_unit_test(test_large_totals),
        cmocka_unit_test(test_large_totals_to_the_end),
        cmocka_unit_test(test_a_million_ranks),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
