/* SPDX-License-Identifier: BSD-3-Clause */
/* Tests that what a program has told HDF5 to do with its errors stays as it is. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "store/format/quiet.h"

static int seen;

static herr_t count_old(void *data)
{
    seen += *(int *)data;
    return 0;
}

static herr_t count_new(hid_t stack, void *data)
{
    (void)stack;
    seen += *(int *)data;
    return 0;
}

/* What an error within a quiet time, and one behind it, add to what was seen. */
static void check_failures(int within, int behind)
{
    quiet q;
    seen = 0;
    quiet_begin(&q);
    assert_true(H5Fopen("/none/none.h5", H5F_ACC_RDONLY, H5P_DEFAULT) < 0);
    assert_int_equal(q.number, 2);
    quiet_end(&q);
    assert_int_equal(seen, within);
    assert_true(H5Fopen("/none/none.h5", H5F_ACC_RDONLY, H5P_DEFAULT) < 0);
    assert_int_equal(seen, behind);
}

static void test_no_function(void **state)
{
    (void)state;
    assert_true(H5Eset_auto2(H5E_DEFAULT, NULL, NULL) >= 0);
    check_failures(0, 0);
}

static void test_a_function(void **state)
{
    (void)state;
    int step = 3;
    assert_true(H5Eset_auto2(H5E_DEFAULT, count_new, &step) >= 0);
    check_failures(0, step);
    assert_true(H5Eset_auto2(H5E_DEFAULT, NULL, NULL) >= 0);
}

/* HDF5 keeps functions of either kind, and does not give one as if it were of the other. */
static void test_a_function_of_version_1(void **state)
{
    (void)state;
#ifndef H5_NO_DEPRECATED_SYMBOLS
    int step = 5;
    unsigned is_v2 = 1;
    assert_true(H5Eset_auto1(count_old, &step) >= 0);
    check_failures(0, step);
    check_failures(0, step);
    assert_true(H5Eauto_is_v2(H5E_DEFAULT, &is_v2) >= 0);
    assert_int_equal(is_v2, 0);
    assert_true(H5Eset_auto1(NULL, NULL) >= 0);
    check_failures(0, 0);
    assert_true(H5Eset_auto2(H5E_DEFAULT, NULL, NULL) >= 0);
#else
    skip();
#endif
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_no_function),
        cmocka_unit_test(test_a_function),
        cmocka_unit_test(test_a_function_of_version_1),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
