/* SPDX-License-Identifier: BSD-3-Clause */
/* Tests how often an agent looks up, counted by a clock of the test's own, and how many tiles a
 * worker takes at once. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "sched/pace.h"

static const int64_t second_ns = INT64_C(1000000000);

/* The looks in a time that begins with the last thing that there was to do. Where workers wait,
 * each rest is in proportion to what a message may come late by. */
static int64_t count_looks(urgency u, int64_t for_ns, company c, int64_t elapsed_ns)
{
    int64_t looks = 0;
    int64_t quiet_ns = 0;
    while (quiet_ns < for_ns) {
        const int64_t rest_ns = pace_rest(u, quiet_ns, c, elapsed_ns + quiet_ns);
        assert_in_range(rest_ns, PACE_SHORTEST_NS, pace_longest_rest(c));
        if (u == URGENCY_HUNGER) {
            assert_true(rest_ns <= PACE_SHORTEST_NS + quiet_ns / PACE_PATIENCE);
        }
        quiet_ns += rest_ns;
        looks++;
    }
    return looks;
}

/* A look costs 15 to 25 us: 400 of them are 1 % of a core. */
static void test_a_long_rest(void **state)
{
    (void)state;
    static const int64_t elapsed_ns[] = {0, 100000000, 1000000000, 60000000000};
    for (int i = 0; i < 4; i++) {
        assert_in_range(count_looks(URGENCY_NONE, 3 * second_ns, COMPANY_SILENT, elapsed_ns[i]),
                        300, 390);
        assert_in_range(count_looks(URGENCY_HUNGER, 3 * second_ns, COMPANY_SILENT, elapsed_ns[i]),
                        290, 600);
        assert_int_equal(count_looks(URGENCY_NONE, 3 * second_ns, COMPANY_NONE, elapsed_ns[i]), 60);
        assert_int_equal(count_looks(URGENCY_ANSWER, 3 * second_ns, COMPANY_NONE, elapsed_ns[i]),
                         60);
        assert_in_range(count_looks(URGENCY_HUNGER, 3 * second_ns, COMPANY_NONE, elapsed_ns[i]), 55,
                        200);
    }
    assert_in_range(count_looks(URGENCY_HUNGER, 3600 * second_ns, COMPANY_SILENT, 0), 360000,
                    361000);
}

/* Where workers wait, an answer that comes at once is seen at once. One that is late is looked for
 * as often as is noticed in so young a run, and where nobody waits for any, the rest is long, but
 * for the beginning, when ranks have little. */
static void test_short_rests(void **state)
{
    (void)state;
    assert_in_range(count_looks(URGENCY_HUNGER, second_ns / 1000, COMPANY_SILENT, 0), 18, 20);
    for (urgency u = URGENCY_NONE; u <= URGENCY_ANSWER; u++) {
        assert_int_equal(pace_rest(u, 0, COMPANY_SILENT, 0), PACE_SHORTEST_NS);
        assert_int_equal(pace_rest(u, 0, COMPANY_SILENT, PACE_PATIENCE * PACE_ANSWER_NS),
                         PACE_ANSWER_NS);
        assert_int_equal(pace_rest(u, 0, COMPANY_SILENT, 100 * second_ns), PACE_LONGEST_NS);
    }
    assert_int_equal(pace_rest(URGENCY_NONE, 0, COMPANY_SILENT, second_ns / 5), PACE_LONGEST_NS);
    assert_int_equal(pace_rest(URGENCY_HUNGER, 0, COMPANY_RINGS, 0), PACE_LONGEST_NS);
    assert_int_equal(pace_rest(URGENCY_ANSWER, 0, COMPANY_SILENT, second_ns / 5), PACE_ANSWER_NS);
    assert_int_equal(pace_rest(URGENCY_ANSWER, 0, COMPANY_SILENT, second_ns),
                     second_ns / PACE_ANSWER_SHARE);
}

static void test_bounds(void **state)
{
    (void)state;
    static const int64_t times[] = {0, 1, 1000, 500000, 500001, INT64_C(1000000000)};
    static const int64_t lefts[] = {1, 2, 3, 100, 1 << 20};
    static const int64_t limits[] = {1, 7, INT64_MAX};
    for (int workers = 0; workers < 5; workers++) {
        for (int i = 0; i < 6 * 5 * 3; i++) {
            const int64_t limit = limits[i % 3];
            const int64_t left = lefts[i / 3 % 5];
            const int64_t tiles = pace_span_tiles(workers, limit, times[i / 15], left, false);
            assert_in_range(tiles, 1, left);
            assert_true(tiles <= limit);
        }
    }
}

static void test_by_time_and_share(void **state)
{
    (void)state;
    assert_int_equal(pace_span_tiles(4, INT64_MAX, 0, 1000, false), 1);
    assert_int_equal(pace_span_tiles(4, INT64_MAX, 5000, 10000, false), 100);
    assert_int_equal(pace_span_tiles(4, 30, 5000, 10000, false), 30);
    assert_int_equal(pace_span_tiles(4, INT64_MAX, 5000, 80, false), 10);
    assert_int_equal(pace_span_tiles(0, INT64_MAX, 5000, 80, false), 40);
    assert_int_equal(pace_span_tiles(4, INT64_MAX, 600000, 80, false), 1);
}

/* Tiles that take next to nothing are not shared out one by one. */
static void test_not_too_short(void **state)
{
    (void)state;
    assert_int_equal(pace_span_tiles(2, INT64_MAX, 50, 1000, false), 250);
    assert_int_equal(pace_span_tiles(2, INT64_MAX, 50, 300, false), 100);
    assert_int_equal(pace_span_tiles(2, INT64_MAX, 50, 60, false), 60);
    assert_int_equal(pace_span_tiles(2, 32, 50, 60, false), 32);
    assert_int_equal(pace_span_tiles(2, INT64_MAX, 2000, 4, false), 2);
    assert_int_equal(pace_span_tiles(2, INT64_MAX, 6000, 3, false), 1);
}

/* In so many spans a block of `ns` of work is handed over to children, one after the other. */
static int64_t count_coarse(int workers, int64_t ns, int64_t tile_ns)
{
    int64_t spans = 0;
    for (int64_t left = ns / tile_ns; left > 0; spans++) {
        const int64_t tiles = pace_span_tiles(workers, 1, tile_ns, left, true);
        assert_in_range(tiles, 1, left);
        assert_true(tiles == 1 || tiles * tile_ns <= 20000000);
        left -= tiles;
    }
    return spans;
}

/* Each costs some 50 microseconds, or a few times that, which shall be a few percent of a block at
 * most: a block is 25 ms for each worker, or less where there is no more. The limit on calls is not
 * theirs. */
static void test_coarse_spans(void **state)
{
    (void)state;
    static const int64_t times[] = {50, 1000, 20000, 300000, 2500000};
    for (int workers = 1; workers <= 64; workers *= 2) {
        for (int i = 0; i < 5; i++) {
            assert_true(count_coarse(workers, workers * INT64_C(25000000), times[i]) <=
                        6 * workers);
            assert_true(count_coarse(workers, 1000000, times[i]) <= 1);
        }
    }
    assert_int_equal(pace_span_tiles(2, INT64_MAX, 0, 100, true), 1);
}

static void test_learning(void **state)
{
    (void)state;
    assert_int_equal(pace_learn(0, 1000, 10), 101);
    assert_int_equal(pace_learn(0, 5, 10), 1);
    assert_int_equal(pace_learn(101, 5000, 10), (3 * 101 + 501) / 4);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_long_rest),   cmocka_unit_test(test_short_rests),
        cmocka_unit_test(test_bounds),        cmocka_unit_test(test_by_time_and_share),
        cmocka_unit_test(test_not_too_short), cmocka_unit_test(test_coarse_spans),
        cmocka_unit_test(test_learning),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
