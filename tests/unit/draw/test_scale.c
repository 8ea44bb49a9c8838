/* SPDX-License-Identifier: BSD-3-Clause */
/* Tests scales: their marks are round numbers in their places, whatever the ends. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "draw/scale.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static void check(double low, double high, bool logarithmic, bool degrees, const char *expected)
{
    draw_scale s;
    char text[DRAW_SCALE_TICKS * (DRAW_SCALE_TEXT_BYTES + 1)] = "";
    draw_scale_init(&s, low, high, logarithmic, degrees, 8);
    for (int i = 0; i < s.ticks; i++) {
        strcat(text, i > 0 ? " " : "");
        strcat(text, s.tick[i].text);
        /* Each mark is where its number is. */
        assert_true(fabs(draw_scale_place(&s, strtod(s.tick[i].text, NULL)) - s.tick[i].place) <
                    1e-5);
    }
    assert_string_equal(text, expected);
}

static void test_round_numbers(void **state)
{
    (void)state;
    check(0, 10, false, false, "0 2 4 6 8 10");
    check(-1, 1, false, false, "-1.0 -0.5 0.0 0.5 1.0");
    check(0.013, 2694.97, false, false, "500 1000 1500 2000 2500");
    check(-180, 180, false, true, "-180 -135 -90 -45 0 45 90 135 180");
    check(-90, 90, false, true, "-90 -60 -30 0 30 60 90");
    check(10, 14, false, true, "10.0 10.5 11.0 11.5 12.0 12.5 13.0 13.5 14.0");
    check(0.0011, 0.0019, false, false,
          "0.0011 0.0012 0.0013 0.0014 0.0015 0.0016 0.0017 0.0018 0.0019");
    check(0, 4e9, false, false, "0 5e+08 1e+09 1.5e+09 2e+09 2.5e+09 3e+09 3.5e+09 4e+09");
    check(1, 1000, true, false, "1 10 100 1000");
    check(2, 60, true, false, "2 5 10 20 50");
}

/* Nothing hangs, and there is room for all marks. */
static void test_odd_ends(void **state)
{
    (void)state;
    static const double ends[] = {
        0,    -0.0,     1,       -1,       1e-300, DBL_MIN,        DBL_TRUE_MIN,
        1e16, 1e16 + 2, DBL_MAX, -DBL_MAX, 3e-5,   1 + DBL_EPSILON};
    enum { ENDS = sizeof ends / sizeof ends[0] };
    for (int i = 0; i < ENDS; i++) {
        for (int k = 0; k < ENDS; k++) {
            for (int how = 0; how < 4; how++) {
                draw_scale s;
                const bool logarithmic = how % 2 == 1 && ends[i] > 0 && ends[k] > ends[i];
                draw_scale_init(&s, ends[i], ends[k], logarithmic, how > 1, 8);
                assert_true(s.high > s.low);
                assert_in_range(s.ticks, 0, DRAW_SCALE_TICKS);
                for (int t = 0; t < s.ticks; t++) {
                    assert_true(s.tick[t].place >= -1e-6 && s.tick[t].place <= 1 + 1e-6);
                }
            }
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_round_numbers),
        cmocka_unit_test(test_odd_ends),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
