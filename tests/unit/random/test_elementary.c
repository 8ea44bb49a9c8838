/* SPDX-License-Identifier: BSD-3-Clause */
/* Tests the logarithm and the exponential against those of libm, in long double. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "random/elementary.h"

#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <weft/random.h>

/* In units in the last place of a number just above the value. */
static bool is_close(double value, long double want, double x)
{
    const double unit = nextafter(fabs(value), HUGE_VAL) - fabs(value);
    if (fabsl((long double)value - want) <= (long double)unit) {
        return true;
    }
    (void)fprintf(stderr, "of %a: %a instead of %La\n", x, value, want);
    return false;
}

static void test_log1p_is_close(void **state)
{
    (void)state;
    weft_random random;
    weft_random_init(&random, 1, 2, 3);
    for (int i = 0; i < 200000; i++) {
        const double u = ldexp(weft_random_double(&random), -(i % 50));
        assert_true(is_close(elementary_log1p(-u), log1pl((long double)-u), -u));
    }
    assert_true(is_close(elementary_log1p(-1 + 0x1p-53), -53 * logl(2.0L), -1 + 0x1p-53));
    assert_true(is_close(elementary_log1p(-0.5), -logl(2.0L), -0.5));
    assert_true(elementary_log1p(-0.0) == 0);
}

static void test_exp_is_close(void **state)
{
    (void)state;
    weft_random random;
    weft_random_init(&random, 1, 2, 4);
    for (int i = 0; i < 200000; i++) {
        const double x = -8 * weft_random_double(&random);
        assert_true(is_close(elementary_exp(x), expl((long double)x), x));
    }
    assert_true(elementary_exp(0) == 1);
    assert_true(is_close(elementary_exp(-690), expl(-690.0L), -690));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_log1p_is_close),
        cmocka_unit_test(test_exp_is_close),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
