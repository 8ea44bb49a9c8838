/* SPDX-License-Identifier: BSD-3-Clause */
/* Unit test of the exact sum: what must not be seen in it. */
#include <fenv.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "reduce/reduction.h"

#if defined(__SSE2__)
#include <xmmintrin.h>
#endif

enum { NUMBERS = 5000 };

static weft_sum *make(void)
{
    const weft_reduction exact = WEFT_SUM;
    weft_sum *s = malloc((size_t)weft_reduction_bytes(&exact));
    assert_non_null(s);
    assert_int_equal(weft_reduction_init(&exact, s), WEFT_OK);
    return s;
}

static double finish(const weft_sum *s)
{
    const weft_reduction exact = WEFT_SUM;
    double value = 0;
    assert_int_equal(weft_reduction_finish(&exact, s, &value), WEFT_OK);
    return value;
}

/* From -2^high … 2^high, with magnitudes down to 2^low. */
static void fill(double x[NUMBERS], int low, int high)
{
    uint64_t state = 7;
    for (int i = 0; i < NUMBERS; i++) {
        state = state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
        const int exponent = low + (int)(state % (unsigned)(high - low + 1));
        x[i] = ldexp((double)(state >> 11) * 0x1p-53 - 0.5, exponent);
    }
}

static double sum_of_array(const double x[NUMBERS])
{
    weft_sum *s = make();
    weft_sum_add_array(s, NUMBERS, x);
    const double value = finish(s);
    free(s);
    return value;
}

/* Where arithmetic plays no part. */
static double sum_one_by_one(const double x[NUMBERS])
{
    weft_sum *s = make();
    for (int i = 0; i < NUMBERS; i++) {
        weft_sum_add(s, x[i]);
    }
    const double value = finish(s);
    free(s);
    return value;
}

static const int ranges[][2] = {{0, 0},      {-30, 30},    {-200, 200},    {-1070, 1020},
                                {990, 1020}, {-900, -870}, {-1074, -1060}, {-1073, 0}};
enum { RANGES = sizeof ranges / sizeof ranges[0] };

static void test_the_way_of_adding_is_not_seen(void **state)
{
    (void)state;
    static double x[NUMBERS];
    const size_t bytes = (size_t)weft_reduction_bytes(&(weft_reduction){.kind = WEFT_REDUCE_SUM});
    for (int k = 0; k < RANGES; k++) {
        fill(x, ranges[k][0], ranges[k][1]);
        weft_sum *at_once = make();
        weft_sum *in_parts = make();
        weft_sum_add_array(at_once, NUMBERS, x);
        for (int i = 0; i < NUMBERS; i += 50) {
            weft_sum_add_array(in_parts, 50, x + i);
        }
        assert_memory_equal(at_once, in_parts, bytes);
        free(at_once);
        free(in_parts);
    }
}

/* A program may round otherwise, and take small numbers for 0. */
static void test_the_state_of_arithmetic_is_not_seen(void **state)
{
    (void)state;
    static const int modes[] = {FE_UPWARD, FE_DOWNWARD, FE_TOWARDZERO};
    static double x[NUMBERS];
    for (int k = 0; k < RANGES; k++) {
        fill(x, ranges[k][0], ranges[k][1]);
        x[17] = 0x1p-1074;
        const double wanted = sum_one_by_one(x);
        assert_true(sum_of_array(x) == wanted);
        for (size_t m = 0; m < sizeof modes / sizeof modes[0]; m++) {
            assert_int_equal(fesetround(modes[m]), 0);
            const double value = sum_of_array(x);
            (void)fesetround(FE_TONEAREST);
            assert_true(value == wanted);
        }
#if defined(__SSE2__)
        const unsigned before = _mm_getcsr();
        _mm_setcsr(before | 0x8040);
        const double value = sum_of_array(x);
        _mm_setcsr(before);
        assert_memory_equal(&value, &wanted, sizeof value);
#endif
    }
}

static void test_tiny_numbers_among_large_ones_count(void **state)
{
    (void)state;
    static double x[NUMBERS];
    for (int i = 0; i < NUMBERS; i++) {
        x[i] = i % 2 == 0 ? 1 : -1;
    }
    x[NUMBERS / 2] += 0x1p-52;
    x[NUMBERS - 3000] = 0x1p-1074;
    /* One of the numbers that was -1 or 1 is gone. */
    const double one = (NUMBERS - 3000) % 2 == 0 ? -1 : 1;
    assert_true(sum_of_array(x) == one + 0x1p-52);
    x[NUMBERS - 3001] += -one - 0x1p-52;
    assert_true(sum_of_array(x) == 0x1p-1074);
}

static void test_very_many_numbers_do_not_overflow_a_limb(void **state)
{
    (void)state;
    weft_sum *s = make();
    const double most = 0x1.fffffffffffffp+1023;
    for (int i = 0; i < 10000; i++) {
        weft_sum_add(s, i < 5000 ? most : -most);
    }
    weft_sum_add(s, -0x1p-1074);
    assert_true(finish(s) == -0x1p-1074);
    free(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_way_of_adding_is_not_seen),
        cmocka_unit_test(test_the_state_of_arithmetic_is_not_seen),
        cmocka_unit_test(test_tiny_numbers_among_large_ones_count),
        cmocka_unit_test(test_very_many_numbers_do_not_overflow_a_limb),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
