/* SPDX-License-Identifier: BSD-3-Clause */
/* Tests what is learnt from runs that were measured and simulated. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "plan/calibration.h"

#include <math.h>

static void assert_near(double value, double expected)
{
    if (fabs(value - expected) > 1e-9) {
        fail_msg("%.12g is not %.12g", value, expected);
    }
}

static void test_nothing_measured(void **state)
{
    (void)state;
    calibration c;
    double low = 0;
    double high = 0;
    calibration_fit(NULL, 0, &c);
    assert_int_equal(c.runs, 0);
    assert_near(calibration_apply(&c, 100, &low, &high), 100);
    assert_near(low, 100 * (1 - 0.05));
    assert_near(high, 100 * (1 + 0.05));
}

/* One run does not tell a cost from a factor: the interval has both. */
static void test_one_run(void **state)
{
    (void)state;
    const calibration_point point = {.measured_s = 10.5, .simulated_s = 10};
    calibration c;
    double low = 0;
    double high = 0;
    calibration_fit(&point, 1, &c);
    assert_near(c.cost_s, 0.5);
    assert_near(c.factor, 1);
    assert_near(c.misfit, 0);
    assert_near(calibration_apply(&c, 2, &low, &high), 2.5);
    assert_near(low, 2.1);
    assert_near(high, 2.5);
    assert_near(calibration_apply(&c, 100, &low, &high), 100.5);
    assert_near(low, 100.5);
    assert_near(high, 105);
}

static void test_one_run_that_was_faster(void **state)
{
    (void)state;
    const calibration_point point = {.measured_s = 9, .simulated_s = 10};
    calibration c;
    calibration_fit(&point, 1, &c);
    assert_near(c.cost_s, 0);
    assert_near(c.factor, 0.9);
}

/* What no cost or factor can explain is not believed, but said. */
static void test_bounds(void **state)
{
    (void)state;
    const calibration_point slow = {.measured_s = 40, .simulated_s = 10};
    const calibration_point fast = {.measured_s = 1, .simulated_s = 10};
    calibration c;
    calibration_fit(&slow, 1, &c);
    assert_near(c.cost_s, 1);
    assert_near(c.factor, 1.25);
    assert_near(c.misfit, 1 - 13.5 / 40);
    calibration_fit(&fast, 1, &c);
    assert_near(c.factor, 0.8);
    assert_near(c.misfit, 7);
    double low = 0;
    double high = 0;
    (void)calibration_apply(&c, 10, &low, &high);
    assert_near(low, 0);
}

static void test_two_runs(void **state)
{
    (void)state;
    const calibration_point apart[] = {{.measured_s = 11.2, .simulated_s = 10},
                                       {.measured_s = 110.2, .simulated_s = 100}};
    calibration c;
    calibration_fit(apart, 2, &c);
    assert_int_equal(c.runs, 2);
    assert_near(c.cost_s, 0.2);
    assert_near(c.factor, 1.1);
    assert_near(c.misfit, 0);
    const calibration_point close[] = {{.measured_s = 10.1, .simulated_s = 10},
                                       {.measured_s = 10.3, .simulated_s = 10}};
    calibration_fit(close, 2, &c);
    assert_true(c.cost_s > 0.19 && c.cost_s < 0.21);
    assert_true(c.misfit > 0.009 && c.misfit < 0.011);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_nothing_measured),
        cmocka_unit_test(test_one_run),
        cmocka_unit_test(test_one_run_that_was_faster),
        cmocka_unit_test(test_bounds),
        cmocka_unit_test(test_two_runs),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
