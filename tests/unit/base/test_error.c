/* SPDX-License-Identifier: BSD-3-Clause */
/* Tests errors: the text behind a status, system errors, and texts that are too long. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/error.h"

#include <errno.h>
#include <string.h>

static void test_set_and_clear(void **state)
{
    (void)state;
    error e = {.status = WEFT_OK};
    assert_int_equal(error_set(&e, WEFT_ERR_USAGE, "%d of %s", 3, "four"), WEFT_ERR_USAGE);
    assert_int_equal(e.status, WEFT_ERR_USAGE);
    assert_string_equal(e.text, "3 of four");
    error_clear(&e);
    assert_int_equal(e.status, WEFT_OK);
    assert_string_equal(e.text, "");
}

static void test_last_one_counts(void **state)
{
    (void)state;
    error e = {.status = WEFT_OK};
    (void)error_set(&e, WEFT_ERR_USAGE, "a long first text");
    (void)error_set(&e, WEFT_ERR_MPI, "short");
    assert_int_equal(e.status, WEFT_ERR_MPI);
    assert_string_equal(e.text, "short");
}

static void test_full_disk_is_a_status_of_its_own(void **state)
{
    (void)state;
    static const struct {
        int number;
        weft_status status;
    } cases[] = {{ENOSPC, WEFT_ERR_NO_SPACE}, {EDQUOT, WEFT_ERR_NO_SPACE},
                 {EACCES, WEFT_ERR_SYSTEM},   {ENOENT, WEFT_ERR_SYSTEM},
                 {EIO, WEFT_ERR_SYSTEM},      {0, WEFT_ERR_SYSTEM},
                 {99999, WEFT_ERR_SYSTEM}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        error e = {.status = WEFT_OK};
        assert_int_equal(error_system(&e, cases[i].number, "file"), cases[i].status);
        assert_int_equal(e.status, cases[i].status);
        assert_int_equal(strncmp(e.text, "file: ", 6), 0);
        assert_true(strlen(e.text) > 6);
    }
}

static void test_system_error_says_why(void **state)
{
    (void)state;
    error e = {.status = WEFT_OK};
    (void)error_system(&e, EACCES, "cannot open %s", "a.h5");
    assert_string_equal(e.text, "cannot open a.h5: Permission denied");
}

static void test_texts_are_fit_for_a_terminal(void **state)
{
    (void)state;
    error e = {.status = WEFT_OK};
    (void)error_system(&e, EACCES, "cannot open %s", "\033]0;pwn\a\xc2\x9bµ.h5");
    assert_string_equal(e.text, "cannot open ?]0;pwn??µ.h5: Permission denied");
}

static void test_long_texts_are_cut(void **state)
{
    (void)state;
    char text[3 * ERROR_TEXT_BYTES];
    memset(text, 'x', sizeof text);
    for (size_t length = ERROR_TEXT_BYTES - 30; length < ERROR_TEXT_BYTES + 5; length++) {
        struct {
            error e;
            char behind[64];
        } guarded;
        memset(&guarded, 'g', sizeof guarded);
        text[length] = '\0';
        (void)error_set(&guarded.e, WEFT_ERR_USAGE, "%s", text);
        const size_t kept = length < ERROR_TEXT_BYTES ? length : ERROR_TEXT_BYTES - 1;
        assert_int_equal(strlen(guarded.e.text), kept);
        (void)error_system(&guarded.e, EACCES, "%s", text);
        assert_true(strlen(guarded.e.text) >= kept);
        assert_true(strlen(guarded.e.text) < ERROR_TEXT_BYTES);
        for (size_t i = 0; i < sizeof guarded.behind; i++) {
            assert_int_equal(guarded.behind[i], 'g');
        }
        text[length] = 'x';
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_set_and_clear),
        cmocka_unit_test(test_last_one_counts),
        cmocka_unit_test(test_full_disk_is_a_status_of_its_own),
        cmocka_unit_test(test_system_error_says_why),
        cmocka_unit_test(test_texts_are_fit_for_a_terminal),
        cmocka_unit_test(test_long_texts_are_cut),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
