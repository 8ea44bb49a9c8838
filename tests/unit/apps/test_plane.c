/* SPDX-License-Identifier: BSD-3-Clause */
/* Tests the arithmetic of the Mandelbrot set, and that it does not depend on how it is split up. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "mandelbrot/plane.h"

#include <stdlib.h>
#include <string.h>

static void test_known_points(void **state)
{
    (void)state;
    assert_int_equal(plane_steps(0, 0, 1000), 1000);
    assert_int_equal(plane_steps(-1, 0, 1000), 1000);
    assert_int_equal(plane_steps(-2, 0, 1000), 1000); /* |z| stays at 2, which has not escaped */
    assert_int_equal(plane_steps(2.5, 0, 1000), 1);   /* 0, 2.5 */
    assert_int_equal(plane_steps(2, 0, 1000), 2);     /* 0, 2, 6 */
    assert_int_equal(plane_steps(1, 0, 1000), 3);     /* 0, 1, 2, 5 */
    assert_int_equal(plane_steps(0, 2, 1000), 2);     /* 0, 2i, -4 + 2i */
    assert_int_equal(plane_steps(1, 0, 2), 2);
    assert_int_equal(plane_steps(1, 0, 0), 0);
}

/* The definition, word by word, for one pixel. */
static uint32_t by_definition(const plane *view, int64_t x, int64_t y)
{
    const double w = (double)view->width, h = (double)view->height;
    const double cx = view->centre_x + ((double)x + 0.5 - w / 2) * view->span / w;
    const double cy = view->centre_y + (h / 2 - (double)y - 0.5) * view->span / w;
    double re = 0, im = 0;
    uint32_t n = 0;
    for (; n < view->max_iter && re * re + im * im <= 4; ++n) {
        double next = re * re - im * im + cx;
        im = 2 * re * im + cy;
        re = next;
    }
    return n;
}

static void test_picture_is_the_definition(void **state)
{
    (void)state;
    const plane view = {61, 37, 300, -0.743, 0.131, 0.02};
    uint32_t steps[61 * 37];
    plane_count(&view, 0, 61 * 37, steps);
    bool differ = false;
    for (int64_t y = 0; y < 37; ++y) {
        for (int64_t x = 0; x < 61; ++x) {
            assert_int_equal(steps[y * 61 + x], by_definition(&view, x, y));
            differ = differ || steps[y * 61 + x] != steps[0];
        }
    }
    assert_true(differ);
}

static void test_any_split_gives_the_same(void **state)
{
    (void)state;
    const plane view = {61, 37, 200, -0.5, 0, 3.5};
    const int64_t total = 61 * 37;
    uint32_t whole[61 * 37], parts[61 * 37];
    plane_count(&view, 0, total, whole);
    for (int64_t length = 1; length < 200; length += 7) {
        memset(parts, 0xff, sizeof parts);
        for (int64_t first = 0; first < total; first += length)
            plane_count(&view, first, first + length < total ? length : total - first,
                        parts + first);
        assert_memory_equal(parts, whole, sizeof whole);
    }
}

static void test_centre(void **state)
{
    (void)state;
    double x = 7, y = 7;
    assert_true(plane_parse_centre("-0.5,0", &x, &y));
    assert_true(x <= -0.5 && x >= -0.5 && y <= 0 && y >= 0);
    assert_true(plane_parse_centre("1e-3,-2.25", &x, &y));
    assert_true(y <= -2.25 && y >= -2.25);
    const char *bad[] = {"",    "1",    "1,",   ",1",   "1;2",   "1,2,3",
                         "a,b", "1,2x", " 1,2", "1, 2", "inf,0", "0,nan"};
    x = 7;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; ++i) {
        assert_false(plane_parse_centre(bad[i], &x, &y));
        assert_true(x >= 7 && x <= 7);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_known_points),
        cmocka_unit_test(test_picture_is_the_definition),
        cmocka_unit_test(test_any_split_gives_the_same),
        cmocka_unit_test(test_centre),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
