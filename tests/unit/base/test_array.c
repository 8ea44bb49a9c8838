/* SPDX-License-Identifier: BSD-3-Clause */
/* Tests arrays that grow. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/array.h"

#include <stdlib.h>

static void test_grows_and_keeps_what_it_has(void **state)
{
    (void)state;
    int *array = NULL;
    int64_t room = 0;
    int64_t grown = 0;
    for (int i = 0; i < 10000; i++) {
        const int64_t before = room;
        assert_true(ARRAY_RESERVE(array, room, i + 1));
        assert_true(room > i);
        grown += room != before;
        array[i] = i;
    }
    for (int i = 0; i < 10000; i++) {
        assert_int_equal(array[i], i);
    }
    assert_true(grown < 20);
    const int64_t before = room;
    assert_true(ARRAY_RESERVE(array, room, 0));
    assert_true(ARRAY_RESERVE(array, room, room));
    assert_int_equal(room, before);
    assert_true(ARRAY_RESERVE(array, room, 3 * before));
    assert_int_equal(room, 3 * before);
    free(array);
}

static void test_without_memory_all_is_as_before(void **state)
{
    (void)state;
    double *array = NULL;
    int64_t room = 0;
    assert_true(ARRAY_RESERVE(array, room, 5));
    double *const before = array;
    const int64_t had = room;
    array[4] = 4;
    assert_false(ARRAY_RESERVE(array, room, INT64_MAX));
    assert_false(ARRAY_RESERVE(array, room, INT64_MAX / (int64_t)sizeof *array));
    assert_false(ARRAY_RESERVE(array, room, (INT64_C(1) << 61) + 1)); /* eight bytes, modulo 2^64 */
    assert_ptr_equal(array, before);
    assert_int_equal(room, had);
    assert_true(array[4] > 3);
    free(array);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_grows_and_keeps_what_it_has),
        cmocka_unit_test(test_without_memory_all_is_as_before),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
