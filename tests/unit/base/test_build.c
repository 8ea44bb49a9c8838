/* SPDX-License-Identifier: BSD-3-Clause */
/* Tests what tells one build from another. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/build.h"

#include <stdlib.h>
#include <string.h>

static void test_objects_differ(void **state)
{
    (void)state;
    char mine[BUILD_TEXT_BYTES];
    char program[BUILD_TEXT_BYTES];
    char library[BUILD_TEXT_BYTES];
    int nowhere = 0;
    char none[BUILD_TEXT_BYTES];
    build_of((uintptr_t)test_objects_differ, mine);
    build_of(0, program);
    build_of((uintptr_t)_cmocka_run_group_tests, library);
    build_of((uintptr_t)&nowhere, none); /* the stack is no file's */
    assert_true(strlen(mine) >= 16);
    assert_string_equal(mine, program);
    assert_string_equal(mine, none);
    assert_true(strlen(library) >= 16);
    assert_string_not_equal(mine, library);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_objects_differ),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
