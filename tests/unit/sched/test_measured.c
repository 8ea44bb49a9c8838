/* SPDX-License-Identifier: BSD-3-Clause */
/* Tests what becomes of the reports of ranks: means, deviations, weights, sums over ranks. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "sched/measured.h"

#include <math.h>

#define LENGTH(array) ((int)(sizeof(array) / sizeof(array)[0]))

static measured *create(int64_t ranks, const int *workers, bool elapsed)
{
    measured *m = measured_create(ranks, workers, elapsed);
    assert_non_null(m);
    return m;
}

static void check_near(double is, double want)
{
    if (!(fabs(is - want) <= 1e-9 * fabs(want))) {
        print_error("%.17g is not %.17g\n", is, want);
        fail();
    }
}

/* Reports tiles one by one as one run of tiles. */
static void add_tiles(measured *m, int64_t rank, const double *seconds, int tiles)
{
    measurement report = {.tiles = tiles};
    for (int i = 0; i < tiles; i++) {
        report.seconds += seconds[i];
        report.squares += seconds[i] * seconds[i];
    }
    measured_add(m, rank, &report);
}

#define ADD_TILES(m, rank, ...)           \
    do {                                  \
        const double s[] = {__VA_ARGS__}; \
        add_tiles(m, rank, s, LENGTH(s)); \
    } while (0)

/* So many tiles that all take the same. */
static void add_even(measured *m, int64_t rank, int64_t tiles, double each)
{
    const double number = (double)tiles;
    const measurement report = {
        .tiles = tiles, .seconds = number * each, .squares = number * each * each};
    measured_add(m, rank, &report);
}

static outlook look(const measured *m, int64_t rank)
{
    outlook o = {.ranks = 1};
    measured_look(m, rank, &o);
    return o;
}

static void test_nothing_is_known_at_first(void **state)
{
    (void)state;
    measured *m = create(3, NULL, false);
    const outlook o = look(m, 1);
    assert_true(o.mean == 0 && o.deviation == 0 && o.recent == 0 && o.adapted_weight == 0);
    assert_true(o.rank_mean == 0 && o.rank_deviation == 0 && o.rank_recent == 0);
    assert_true(o.spread == 0 && o.rate == 0 && o.weight == 1);
    assert_true(measured_tile_seconds(m, 2) == 0);
    measured_destroy(m);
    measured_destroy(NULL);
}

static void test_mean_and_deviation_over_all_tiles(void **state)
{
    (void)state;
    measured *m = create(2, NULL, false);
    /* 2 4 4 4 5 5 7 9: mean 5, sum of squares about it 32 */
    ADD_TILES(m, 0, 2, 4, 4);
    ADD_TILES(m, 1, 4);
    ADD_TILES(m, 0, 5, 5, 7, 9);
    const outlook o = look(m, 0);
    check_near(o.mean, 5);
    check_near(o.deviation, sqrt(32.0 / 7));
    /* The last report alone: mean 6.5, squares about it 2.25 · 2 + 0.25 + 6.25 */
    check_near(o.rank_mean, 6.5);
    check_near(o.rank_deviation, sqrt(11.0 / 3));
    assert_true(look(m, 1).rank_deviation == 0);
    measured_destroy(m);
}

static void test_time_is_that_of_the_team(void **state)
{
    (void)state;
    measured *m = create(2, (const int[]){4, 1}, false);
    ADD_TILES(m, 0, 8, 16);
    const outlook o = look(m, 0);
    check_near(o.mean, 3);
    check_near(o.rank_mean, 3);
    check_near(o.rank_deviation, sqrt(2));
    check_near(o.recent, 3);
    check_near(measured_tile_seconds(m, 0), 3);
    measured_destroy(m);
}

/* Tiles of an hour that differ by a millisecond, a billion times. */
static void test_deviation_survives_large_means(void **state)
{
    (void)state;
    measured *m = create(1, NULL, false);
    for (int i = 0; i < 100000; i++) {
        ADD_TILES(m, 0, 3600 + (i % 2 == 0 ? 1e-3 : -1e-3));
    }
    const outlook o = look(m, 0);
    check_near(o.mean, 3600);
    assert_true(fabs(o.deviation - 1e-3) < 1e-6);
    measured_destroy(m);
}

static void test_weights_by_workers(void **state)
{
    (void)state;
    measured *m = create(4, (const int[]){1, 2, 4, -7}, false);
    check_near(look(m, 0).weight, 0.5);
    check_near(look(m, 1).weight, 1);
    check_near(look(m, 2).weight, 2);
    /* Fewer than one count as one. */
    check_near(look(m, 3).weight, 0.5);
    measured_destroy(m);
}

static void test_adapted_weights(void **state)
{
    (void)state;
    measured *m = create(4, NULL, false);
    add_even(m, 0, 10, 1);
    check_near(look(m, 0).adapted_weight, 1);
    add_even(m, 1, 20, 1);
    add_even(m, 2, 10, 1);
    /* Those that are known have 1 on the average, as have those that are not. */
    check_near(look(m, 1).adapted_weight, 1);
    assert_true(look(m, 3).adapted_weight == 0);
    add_even(m, 3, 5, 2);
    check_near(look(m, 0).adapted_weight, 8.0 / 7);
    check_near(look(m, 3).adapted_weight, 4.0 / 7);
    /* π = (1 · 10 + 2 · 20 · 2)/(1 · 5 + 2 · 20) = 2: no change */
    add_even(m, 3, 20, 2);
    check_near(look(m, 3).adapted_weight, 4.0 / 7);
    /* π = (90 + 3 · 15 · 4)/(45 + 45) = 3: 1/π out of 3 + 1/3 */
    add_even(m, 3, 15, 4);
    check_near(look(m, 3).adapted_weight, 4.0 / 3 / (10.0 / 3));
    double sum = 0;
    for (int rank = 0; rank < 4; rank++) {
        sum += look(m, rank).adapted_weight;
    }
    check_near(sum, 4);
    measured_destroy(m);
}

static void test_weights_by_elapsed_time(void **state)
{
    (void)state;
    for (int elapsed = 0; elapsed < 2; elapsed++) {
        measured *m = create(2, (const int[]){2, 2}, elapsed != 0);
        measurement report = {.tiles = 10, .seconds = 20, .elapsed = 10};
        measured_add(m, 0, &report);
        report.elapsed = 30;
        measured_add(m, 1, &report);
        check_near(look(m, 0).adapted_weight, elapsed ? 1.5 : 1);
        check_near(look(m, 1).adapted_weight, elapsed ? 0.5 : 1);
        /* Means are of the work alone. */
        check_near(look(m, 1).rank_mean, 1);
        check_near(look(m, 1).mean, 1);
        measured_destroy(m);
    }
}

static void test_elapsed_time_that_cannot_be(void **state)
{
    (void)state;
    measured *m = create(1, NULL, true);
    const double absurd[] = {0, -1, (double)NAN, (double)INFINITY};
    for (int i = 0; i < LENGTH(absurd); i++) {
        const measurement report = {.tiles = 1, .seconds = 1, .elapsed = absurd[i]};
        measured_add(m, 0, &report);
        check_near(look(m, 0).adapted_weight, 1);
    }
    measured_destroy(m);
}

static void test_sums_over_ranks(void **state)
{
    (void)state;
    measured *m = create(4, NULL, false);
    /* µ = 2, σ² = 2 */
    ADD_TILES(m, 0, 1, 3);
    check_near(look(m, 1).rate, 4.0 / 2);
    check_near(look(m, 1).spread, 4.0);
    /* µ = 4, σ² = 8 */
    ADD_TILES(m, 1, 2, 6);
    check_near(look(m, 1).rate, 2 * (0.5 + 0.25));
    check_near(look(m, 1).spread, 2 * (1 + 2.0));
    /* The last report of a rank counts. */
    ADD_TILES(m, 0, 1);
    check_near(look(m, 1).rate, 2 * (1 + 0.25));
    check_near(look(m, 1).spread, 2 * 2.0);
    ADD_TILES(m, 2, 1, 1);
    ADD_TILES(m, 3, 0.5, 0.5);
    check_near(look(m, 1).rate, 1 + 0.25 + 1 + 2);
    check_near(look(m, 1).spread, 2);
    measured_destroy(m);
}

/* After reports of all magnitudes the sums are those of the last reports alone. */
static void test_sums_do_not_drift(void **state)
{
    (void)state;
    enum { RANKS = 10 };
    measured *m = create(RANKS, NULL, false);
    for (int i = 0; i < 1000; i++) {
        add_even(m, i * 7 % RANKS, 1 + i, ldexp(1 + 0.1 * (i % 7), i * 13 % 76 - 38));
    }
    for (int rank = 0; rank < RANKS; rank++) {
        add_even(m, rank, 2, 0.25);
    }
    for (int rank = 0; rank < RANKS; rank++) {
        add_even(m, rank, 2, 0.5);
    }
    check_near(look(m, 0).rate, RANKS / 0.5);
    assert_true(look(m, 0).spread == 0);
    measured_destroy(m);
}

static void test_recent_forgets(void **state)
{
    (void)state;
    measured *m = create(2, NULL, false);
    for (int i = 0; i < 1000; i++) {
        add_even(m, i % 2, 5, 1);
    }
    check_near(look(m, 0).recent, 1);
    for (int i = 0; i < 32; i++) {
        add_even(m, i % 2, 5, 2);
    }
    /* The window is of 32 reports: what was before has faded to 1/e of it. */
    const double recent = look(m, 0).recent;
    assert_true(recent > 2 - 0.38 && recent < 2 - 0.34);
    check_near(look(m, 0).mean, (1000 + 2 * 32) / 1032.0);
    measured_destroy(m);
}

/* Many ranks have a window of several reports each, however many tiles one of them reports. */
static void test_recent_is_of_all_ranks(void **state)
{
    (void)state;
    enum { RANKS = 100 };
    measured *m = create(RANKS, NULL, false);
    for (int i = 0; i < 20 * RANKS; i++) {
        add_even(m, i % RANKS, 1000, i % RANKS < RANKS / 2 ? 1 : 3);
    }
    assert_true(fabs(look(m, 0).recent - 2) < 0.1);
    measured_destroy(m);
}

static void test_recent_of_a_rank(void **state)
{
    (void)state;
    measured *m = create(2, (const int[]){1, 3}, false);
    add_even(m, 0, 60, 1);
    /* As rank 1 has not been measured: a third as long, by its workers; their mean has weight 1. */
    check_near(measured_tile_seconds(m, 0), 1);
    check_near(measured_tile_seconds(m, 1), 1 / 1.5);
    check_near(look(m, 1).rank_recent, 1 / 1.5);
    /* With four tiles at the mean of all, 1/½. */
    check_near(look(m, 0).rank_recent, (60 + 4 * 2.0) / 64);
    /* 4 of 64 tiles are new. */
    add_even(m, 0, 4, 3);
    check_near(measured_tile_seconds(m, 0), (60 + 12) / 64.0);
    /* 32 of 96: a third is forgotten. */
    add_even(m, 0, 32, 3);
    check_near(measured_tile_seconds(m, 0), (72 + 96) / 96.0);
    /* A long report counts as a whole. */
    add_even(m, 0, 6400, 5);
    assert_true(fabs(measured_tile_seconds(m, 0) - 5) < 0.05);
    /* And the next is not lost on it. */
    add_even(m, 0, 64, 1);
    assert_true(fabs(measured_tile_seconds(m, 0) - 3) < 0.05);
    measured_destroy(m);
}

static void test_frozen_until_the_next_time(void **state)
{
    (void)state;
    measured *m = create(2, NULL, false);
    measured_freeze(m);
    ADD_TILES(m, 0, 1, 3);
    ADD_TILES(m, 1, 1);
    assert_true(look(m, 0).mean == 0 && look(m, 0).deviation == 0);
    assert_true(look(m, 0).adapted_weight == 0);
    check_near(look(m, 0).rank_mean, 2);
    measured_freeze(m);
    ADD_TILES(m, 1, 7);
    check_near(look(m, 0).mean, 5.0 / 3);
    check_near(look(m, 0).adapted_weight, 2.0 / 3);
    check_near(look(m, 1).adapted_weight, 4.0 / 3);
    measured_destroy(m);
}

static void test_unsound_reports_are_ignored(void **state)
{
    (void)state;
    measured *m = create(1, NULL, false);
    add_even(m, 0, 4, 2);
    const measurement unsound[] = {
        {.tiles = 0, .seconds = 1},
        {.tiles = -3, .seconds = 1},
        {.tiles = 1, .seconds = -1},
        {.tiles = 1, .seconds = (double)NAN},
        {.tiles = 1, .seconds = (double)INFINITY},
    };
    for (int i = 0; i < LENGTH(unsound); i++) {
        measured_add(m, 0, &unsound[i]);
    }
    const outlook o = look(m, 0);
    assert_true(o.mean == 2 && o.deviation == 0 && o.recent == 2 && o.rank_mean == 2);
    measured_destroy(m);
}

static void check_finite(const outlook *o)
{
    const double all[] = {
        o->mean,           o->deviation,      o->recent,      o->weight, o->rank_mean,
        o->rank_deviation, o->adapted_weight, o->rank_recent, o->spread, o->rate};
    for (int i = 0; i < LENGTH(all); i++) {
        assert_true(all[i] >= 0 && isfinite(all[i]));
    }
}

static void test_absurd_reports_leave_finite_numbers(void **state)
{
    (void)state;
    const double values[] = {0,    1e-300, 1e300,       (double)NAN,
                             -1e5, 1e-3,   1.7976e+308, (double)INFINITY};
    const int64_t tiles[] = {1, 2, 1000, INT64_MAX};
    enum { VALUES = 8 };
    measured *m = create(3, (const int[]){1, 65535, 7}, true);
    for (int i = 0; i < 4 * VALUES * VALUES * VALUES; i++) {
        const measurement report = {.tiles = tiles[i % 4],
                                    .seconds = values[i / 4 % VALUES],
                                    .squares = values[i / 4 / VALUES % VALUES],
                                    .elapsed = values[i / 4 / VALUES / VALUES]};
        measured_add(m, i % 3, &report);
        if (i % 5 == 0) {
            measured_freeze(m);
        }
        for (int rank = 0; rank < 3; rank++) {
            const outlook o = look(m, rank);
            check_finite(&o);
        }
    }
    measured_destroy(m);
}

/* Between two recounts, quick ranks hide slow ones in the sums, and the difference is negative. */
static void test_sums_that_cancel(void **state)
{
    (void)state;
    measured *m = create(100, NULL, false);
    add_even(m, 0, 1, 1e-12);
    add_even(m, 1, 1, 1e6);
    add_even(m, 0, 1, 1e12);
    add_even(m, 1, 1, 1e12);
    for (int rank = 0; rank < 3; rank++) {
        const outlook o = look(m, rank);
        check_finite(&o);
        assert_true(o.adapted_weight <= 2);
    }
    measured_destroy(m);
}

static void test_too_many_ranks_for_the_memory(void **state)
{
    (void)state;
    assert_null(measured_create(INT64_MAX, NULL, false));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_nothing_is_known_at_first),
        cmocka_unit_test(test_mean_and_deviation_over_all_tiles),
        cmocka_unit_test(test_time_is_that_of_the_team),
        cmocka_unit_test(test_deviation_survives_large_means),
        cmocka_unit_test(test_weights_by_workers),
        cmocka_unit_test(test_adapted_weights),
        cmocka_unit_test(test_weights_by_elapsed_time),
        cmocka_unit_test(test_elapsed_time_that_cannot_be),
        cmocka_unit_test(test_sums_over_ranks),
        cmocka_unit_test(test_sums_do_not_drift),
        cmocka_unit_test(test_recent_forgets),
        cmocka_unit_test(test_recent_is_of_all_ranks),
        cmocka_unit_test(test_recent_of_a_rank),
        cmocka_unit_test(test_frozen_until_the_next_time),
        cmocka_unit_test(test_unsound_reports_are_ignored),
        cmocka_unit_test(test_absurd_reports_leave_finite_numbers),
        cmocka_unit_test(test_sums_that_cancel),
        cmocka_unit_test(test_too_many_ranks_for_the_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
