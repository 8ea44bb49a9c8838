/* SPDX-License-Identifier: BSD-3-Clause */
/* Unit test of moments: what must not be seen in them. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "reduce/reduction.h"

enum { VALUES = 1000 };

static weft_moments *make(void)
{
    const weft_reduction r = WEFT_MOMENTS;
    weft_moments *m = malloc((size_t)weft_reduction_bytes(&r));
    assert_non_null(m);
    assert_int_equal(weft_reduction_init(&r, m), WEFT_OK);
    return m;
}

static void fill(double x[VALUES])
{
    for (int i = 0; i < VALUES; i++) {
        x[i] = i % 97 == 5 ? (double)INFINITY : i % 89 == 7 ? (double)NAN : sin(i) * exp2(i % 60);
    }
}

/* In pieces of all lengths, and one by one. */
static void test_an_array_is_its_values(void **state)
{
    (void)state;
    const weft_reduction r = WEFT_MOMENTS;
    double x[VALUES];
    fill(x);
    for (int64_t piece = 0; piece < 150; piece++) {
        weft_moments *one = make(), *many = make();
        for (int64_t i = 0; i < VALUES; i += piece + 1) {
            const int64_t n = VALUES - i < piece ? VALUES - i : piece;
            weft_moments_add_array(many, n, x + i);
            if (i + n < VALUES) {
                weft_moments_add(many, x[i + n]);
            }
        }
        for (int i = 0; i < VALUES; i++) {
            weft_moments_add(one, x[i]);
        }
        assert_memory_equal(one, many, (size_t)weft_reduction_bytes(&r));
        free(one);
        free(many);
    }
}

/* The value may be asked for at any time. */
static void test_a_look_changes_nothing(void **state)
{
    (void)state;
    const weft_reduction r = WEFT_MOMENTS;
    weft_moments *seen = make(), *unseen = make(), *merged = make(), *other = make();
    weft_moments_value v;
    for (int i = 0; i < VALUES; i++) {
        weft_moments_add(seen, i);
        weft_moments_add(unseen, i);
        assert_int_equal(weft_reduction_finish(&r, seen, &v), WEFT_OK);
        assert_int_equal(weft_reduction_merge(&r, other, seen), WEFT_OK);
        assert_true(v.count == i + 1 && v.mean == i / 2.0);
    }
    assert_memory_equal(seen, unseen, (size_t)weft_reduction_bytes(&r));
    /* What is merged into nothing is the same. */
    assert_int_equal(weft_reduction_merge(&r, merged, seen), WEFT_OK);
    assert_memory_equal(merged, seen, (size_t)weft_reduction_bytes(&r));
    free(other);
    free(merged);
    free(unseen);
    free(seen);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_an_array_is_its_values),
        cmocka_unit_test(test_a_look_changes_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
