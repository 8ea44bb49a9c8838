/* SPDX-License-Identifier: BSD-3-Clause */
/* Tests the statuses: each has a name, a text, and the exit status that batch scripts rely on. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>
#include <weft/status.h>

static const struct {
    weft_status status;
    int value;
    const char *name;
} every[] = {
#define EVERY_ROW(name, value, exit_status, text) {name, value, #name},
    WEFT_STATUS_MAP(EVERY_ROW)
#undef EVERY_ROW
};
enum { EVERY = sizeof every / sizeof every[0] };

static void test_names_and_texts(void **state)
{
    (void)state;
    for (int i = 0; i < EVERY; i++) {
        assert_int_equal(every[i].status, every[i].value);
        assert_string_equal(weft_status_name(every[i].status), every[i].name);
        assert_true(strlen(weft_status_text(every[i].status)) > 0);
        for (int k = 0; k < i; k++) {
            assert_int_not_equal(every[i].value, every[k].value);
            assert_string_not_equal(weft_status_text(every[i].status),
                                    weft_status_text(every[k].status));
        }
    }
}

static void test_ok_is_zero_and_others_are_negative(void **state)
{
    (void)state;
    assert_int_equal(WEFT_OK, 0);
    for (int i = 0; i < EVERY; i++) {
        assert_true(every[i].value < 0 || every[i].status == WEFT_OK);
    }
}

/* The contract with other people's scripts, written out here on purpose. */
static void test_exit_statuses(void **state)
{
    (void)state;
    assert_int_equal(EVERY, 18);
    assert_int_equal(weft_status_exit(WEFT_OK), 0);
    assert_int_equal(weft_status_exit(WEFT_HELP_SHOWN), 0);
    assert_int_equal(weft_status_exit(WEFT_ERR_MEMORY), 1);
    assert_int_equal(weft_status_exit(WEFT_ERR_SYSTEM), 1);
    assert_int_equal(weft_status_exit(WEFT_ERR_NO_SPACE), 1);
    assert_int_equal(weft_status_exit(WEFT_ERR_MPI), 1);
    assert_int_equal(weft_status_exit(WEFT_ERR_HDF5), 1);
    assert_int_equal(weft_status_exit(WEFT_ERR_CORRUPT), 1);
    assert_int_equal(weft_status_exit(WEFT_ERR_INTERNAL), 1);
    assert_int_equal(weft_status_exit(WEFT_TIMEOUT), 75);
    assert_int_equal(weft_status_exit(WEFT_CANCELLED), 75);
    assert_int_equal(weft_status_exit(WEFT_ERR_USAGE), 2);
    assert_int_equal(weft_status_exit(WEFT_ERR_FORMAT), 2);
    assert_int_equal(weft_status_exit(WEFT_ERR_OTHER_JOB), 2);
    assert_int_equal(weft_status_exit(WEFT_ERR_BUSY), 2);
    assert_int_equal(weft_status_exit(WEFT_ERR_NOT_FOUND), 2);
    assert_int_equal(weft_status_exit(WEFT_ITEMS_FAILED), 3);
    assert_int_equal(weft_status_exit(WEFT_STOPPED), 75);
}

static void test_what_is_not_a_status(void **state)
{
    (void)state;
    static const int values[] = {1, 2, 75, -1000, INT32_MAX, INT32_MIN};
    for (size_t i = 0; i < sizeof values / sizeof values[0]; i++) {
        assert_string_equal(weft_status_name((weft_status)values[i]), "WEFT_?");
        assert_non_null(weft_status_text((weft_status)values[i]));
        assert_int_equal(weft_status_exit((weft_status)values[i]), 1);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_names_and_texts),
        cmocka_unit_test(test_ok_is_zero_and_others_are_negative),
        cmocka_unit_test(test_exit_statuses),
        cmocka_unit_test(test_what_is_not_a_status),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
