/* SPDX-License-Identifier: BSD-3-Clause */
/* Tests how many tiles a worker takes at once. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "sched/length.h"

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
            const int64_t tiles = length_span_tiles(workers, limit, times[i / 15], left);
            assert_in_range(tiles, 1, left);
            assert_true(tiles <= limit);
        }
    }
}

static void test_by_time_and_share(void **state)
{
    (void)state;
    assert_int_equal(length_span_tiles(4, INT64_MAX, 0, 1000), 1);
    assert_int_equal(length_span_tiles(4, INT64_MAX, 5000, 10000), 100);
    assert_int_equal(length_span_tiles(4, 30, 5000, 10000), 30);
    assert_int_equal(length_span_tiles(4, INT64_MAX, 5000, 80), 10);
    assert_int_equal(length_span_tiles(0, INT64_MAX, 5000, 80), 40);
    assert_int_equal(length_span_tiles(4, INT64_MAX, 600000, 80), 1);
}

/* Tiles that take next to nothing are not shared out one by one. */
static void test_not_too_short(void **state)
{
    (void)state;
    assert_int_equal(length_span_tiles(2, INT64_MAX, 50, 1000), 250);
    assert_int_equal(length_span_tiles(2, INT64_MAX, 50, 300), 100);
    assert_int_equal(length_span_tiles(2, INT64_MAX, 50, 60), 60);
    assert_int_equal(length_span_tiles(2, 32, 50, 60), 32);
    assert_int_equal(length_span_tiles(2, INT64_MAX, 2000, 4), 2);
    assert_int_equal(length_span_tiles(2, INT64_MAX, 6000, 3), 1);
}

static void test_learning(void **state)
{
    (void)state;
    assert_int_equal(length_learn(0, 1000, 10), 101);
    assert_int_equal(length_learn(0, 5, 10), 1);
    assert_int_equal(length_learn(101, 5000, 10), (3 * 101 + 501) / 4);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_bounds),
        cmocka_unit_test(test_by_time_and_share),
        cmocka_unit_test(test_not_too_short),
        cmocka_unit_test(test_learning),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
