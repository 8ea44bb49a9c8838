/* SPDX-License-Identifier: BSD-3-Clause */
/* Tests the costs of items: their means, their shapes, and that they are the item's alone. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "bench/cost.h"

#include <math.h>

static const cost_fn all[] = {cost_uniform,     cost_increasing, cost_decreasing,
                              cost_exponential, cost_bimodal,    cost_giant};

enum { KINDS = sizeof all / sizeof all[0], COUNT = 200000 };

static double mean_of(cost_fn cost, int64_t first, int64_t end, int64_t count)
{
    double sum = 0;
    for (int64_t i = first; i < end; ++i) {
        sum += cost(i, count);
    }
    return sum / (double)(end - first);
}

static void test_means_are_one(void **state)
{
    (void)state;
    for (int kind = 0; kind < KINDS; ++kind) {
        const double error = mean_of(all[kind], 0, COUNT, COUNT) - 1;
        assert_true(fabs(error) < 0.03);
        for (int64_t i = 0; i < COUNT; ++i) {
            assert_true(all[kind](i, COUNT) > 0);
        }
        assert_true(isfinite(all[kind](0, 1)) && all[kind](0, 1) > 0);
    }
}

static void test_slopes(void **state)
{
    (void)state;
    for (int64_t i = 1; i < 1000; ++i) {
        assert_true(cost_increasing(i, 1000) > cost_increasing(i - 1, 1000));
        assert_true(fabs(cost_decreasing(i, 1000) - cost_increasing(999 - i, 1000)) < 1e-12);
    }
    assert_true(cost_increasing(0, 1000) < 0.01 && cost_increasing(999, 1000) > 1.99);
}

/* Half of the items of an exponential distribution cost less than ln 2, and the deviation is the
 * mean; and neither depends on where one looks. */
static void test_exponential(void **state)
{
    (void)state;
    int64_t below = 0;
    double squares = 0;
    for (int64_t i = 0; i < COUNT; ++i) {
        const double cost = cost_exponential(i, COUNT);
        below += cost < log(2);
        squares += (cost - 1) * (cost - 1);
    }
    assert_true(fabs((double)below / COUNT - 0.5) < 0.01);
    assert_true(fabs(squares / COUNT - 1) < 0.05);
    for (int64_t part = 0; part < 10; ++part) {
        const int64_t first = part * COUNT / 10;
        assert_true(fabs(mean_of(cost_exponential, first, first + COUNT / 10, COUNT) - 1) < 0.05);
    }
}

static void test_bimodal(void **state)
{
    (void)state;
    int64_t longer = 0;
    for (int64_t i = 0; i < COUNT; ++i) {
        const double multiple = cost_bimodal(i, COUNT) * 1.99;
        assert_true(fabs(multiple - 1) < 1e-9 || fabs(multiple - 100) < 1e-9);
        longer += multiple > 50;
    }
    assert_true(fabs((double)longer / COUNT - 0.01) < 0.001);
}

static void test_giant(void **state)
{
    (void)state;
    int64_t giants = 0;
    for (int64_t i = 0; i < 1000; ++i) {
        giants += fabs(cost_giant(i, 1000) - 100) < 1e-9;
    }
    assert_int_equal(giants, 1);
    assert_true(fabs(cost_giant(750, 1000) - 100) < 1e-9);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_means_are_one), cmocka_unit_test(test_slopes),
        cmocka_unit_test(test_exponential),   cmocka_unit_test(test_bimodal),
        cmocka_unit_test(test_giant),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
