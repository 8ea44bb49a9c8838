/* SPDX-License-Identifier: BSD-3-Clause */
/* Tests the item space: which shapes are taken, their counts, and the row-major numbering. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "space/space.h"

static int64_t count_of(int ndims, const int64_t shape[])
{
    space s;
    return space_init(&s, ndims, shape) ? s.count : -1;
}

static void test_count_is_product(void **state)
{
    (void)state;
    assert_int_equal(count_of(1, (int64_t[]){7}), 7);
    assert_int_equal(count_of(3, (int64_t[]){3, 4, 5}), 60);
    assert_int_equal(count_of(2, (int64_t[]){INT64_C(1) << 20, INT64_C(1) << 30}), INT64_C(1)
                                                                                       << 50);
    assert_int_equal(count_of(WEFT_MAX_DIMS, (int64_t[]){2, 3, 1, 5, 7, 1, 11, 13}), 30030);
}

static void test_shape_is_kept(void **state)
{
    (void)state;
    space s;
    assert_true(space_init(&s, 3, (int64_t[]){3, 1, 5}));
    assert_int_equal(s.ndims, 3);
    assert_int_equal(s.shape[0], 3);
    assert_int_equal(s.shape[1], 1);
    assert_int_equal(s.shape[2], 5);
}

static void test_zero_extents(void **state)
{
    (void)state;
    assert_int_equal(count_of(1, (int64_t[]){0}), 0);
    assert_int_equal(count_of(3, (int64_t[]){4, 0, 5}), 0);
    /* The product of the others overflows, before the zero and after it. */
    assert_int_equal(count_of(3, (int64_t[]){INT64_MAX, INT64_MAX, 0}), 0);
    assert_int_equal(count_of(3, (int64_t[]){0, INT64_MAX, INT64_MAX}), 0);
}

static void test_bad_shapes_are_refused(void **state)
{
    (void)state;
    int64_t ones[WEFT_MAX_DIMS + 1] = {1, 1, 1, 1, 1, 1, 1, 1, 1};
    assert_int_equal(count_of(0, ones), -1);
    assert_int_equal(count_of(-1, ones), -1);
    assert_int_equal(count_of(WEFT_MAX_DIMS + 1, ones), -1);
    assert_int_equal(count_of(1, (int64_t[]){-1}), -1);
    assert_int_equal(count_of(2, (int64_t[]){0, -1}), -1);
    assert_int_equal(count_of(2, (int64_t[]){-3, -4}), -1);
    assert_int_equal(count_of(2, (int64_t[]){INT64_MIN, 2}), -1);
}

static void test_overflow_is_refused_at_the_last_item(void **state)
{
    (void)state;
    assert_int_equal(count_of(1, (int64_t[]){INT64_MAX}), INT64_MAX);
    assert_int_equal(count_of(2, (int64_t[]){1, INT64_MAX}), INT64_MAX);
    assert_int_equal(count_of(2, (int64_t[]){INT64_MAX, 2}), -1);
    /* 2⁶³ - 1 = 7² · 73 · 127 · 337 · 92737 · 649657, and 2⁶³ is one too many. */
    assert_int_equal(count_of(6, (int64_t[]){49, 73, 127, 337, 92737, 649657}), INT64_MAX);
    assert_int_equal(count_of(2, (int64_t[]){INT64_C(1) << 32, INT64_C(1) << 31}), -1);
    assert_int_equal(count_of(2, (int64_t[]){INT64_C(1) << 32, (INT64_C(1) << 31) - 1}),
                     INT64_MAX - (INT64_C(1) << 32) + 1);
    /* 2⁶⁴ would be 0 if it wrapped. */
    assert_int_equal(count_of(2, (int64_t[]){INT64_C(1) << 32, INT64_C(1) << 32}), -1);
}

static void test_failure_leaves_the_space_alone(void **state)
{
    (void)state;
    space s;
    assert_true(space_init(&s, 2, (int64_t[]){3, 4}));
    assert_false(space_init(&s, 3, (int64_t[]){5, 6, -7}));
    assert_false(space_init(&s, 3, (int64_t[]){8, INT64_MAX, INT64_MAX}));
    assert_int_equal(s.ndims, 2);
    assert_int_equal(s.shape[0], 3);
    assert_int_equal(s.count, 12);
}

static void test_indices_are_row_major(void **state)
{
    (void)state;
    space s;
    assert_true(space_init(&s, 3, (int64_t[]){3, 4, 5}));
    int64_t item = 0;
    for (int64_t i = 0; i < 3; i++) {
        for (int64_t j = 0; j < 4; j++) {
            for (int64_t k = 0; k < 5; k++) {
                int64_t indices[3] = {-1, -1, -1};
                space_indices(&s, item++, indices);
                assert_int_equal(indices[0], i);
                assert_int_equal(indices[1], j);
                assert_int_equal(indices[2], k);
            }
        }
    }
}

static void test_indices_of_far_items(void **state)
{
    (void)state;
    space s;
    int64_t indices[2];
    assert_true(space_init(&s, 2, (int64_t[]){INT64_C(3000000000), INT64_C(3000000000)}));
    space_indices(&s, s.count - 1, indices);
    assert_int_equal(indices[0], INT64_C(2999999999));
    assert_int_equal(indices[1], INT64_C(2999999999));
    space_indices(&s, INT64_C(2500000000) * 3000000000 + 17, indices);
    assert_int_equal(indices[0], INT64_C(2500000000));
    assert_int_equal(indices[1], 17);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_count_is_product),
        cmocka_unit_test(test_shape_is_kept),
        cmocka_unit_test(test_zero_extents),
        cmocka_unit_test(test_bad_shapes_are_refused),
        cmocka_unit_test(test_overflow_is_refused_at_the_last_item),
        cmocka_unit_test(test_failure_leaves_the_space_alone),
        cmocka_unit_test(test_indices_are_row_major),
        cmocka_unit_test(test_indices_of_far_items),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
