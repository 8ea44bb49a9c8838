/* SPDX-License-Identifier: BSD-3-Clause */
/* Tests numbers from text and in text; what options make of them is in test_option.c, and other
 * locales are in tests/system/test_options.py. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/number.h"

#include <locale.h>
#include <string.h>

static void test_values_stay_where_text_is_bad(void **state)
{
    (void)state;
    int64_t whole = 7;
    double real = 7;
    assert_false(number_read_int64("7.5", &whole));
    assert_false(number_read_double("7,5", &real));
    assert_false(number_read_double("", &real));
    assert_false(number_read_double("\t1", &real));
    assert_true(whole == 7 && real == 7);
    assert_true(number_read_int64("1e6", &whole) && number_read_double("7.5e0", &real));
    assert_true(whole == 1000000 && real == 7.5);
}

static void test_without_a_sign(void **state)
{
    (void)state;
    uint64_t value = 7;
    assert_true(number_read_uint64("18446744073709551615", &value) && value == UINT64_MAX);
    assert_true(number_read_uint64("1.5e3", &value) && value == 1500);
    static const char *const bad[] = {"18446744073709551616", "-1", "+1", " 1", "", "1e20", "1.5"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        assert_false(number_read_uint64(bad[i], &value));
    }
    assert_true(value == 1500);
}

static void test_counts(void **state)
{
    (void)state;
    static const char *const wrong[] = {"", "0", "-1", "+1", "1x", "01", "12345678", " 1", "1e6"};
    int count = 7;
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        assert_false(number_read_count(wrong[i], 1, &count));
    }
    assert_int_equal(count, 7);
    assert_true(number_read_count("9999999", 1, &count) && count == 9999999);
    assert_true(number_read_count("0", 0, &count) && count == 0);
    assert_false(number_read_count("00", 0, &count));
}

static void test_taking(void **state)
{
    (void)state;
    const char *text = "007,18446744073709551615 18446744073709551616";
    uint64_t value = 1;
    assert_true(number_take(&text, &value) && value == 7);
    assert_false(number_take(&text, &value));
    assert_true(*text++ == ',' && value == 7);
    assert_true(number_take(&text, &value) && value == UINT64_MAX);
    assert_true(*text++ == ' ');
    assert_false(number_take(&text, &value));
    assert_string_equal(text, "18446744073709551616");
    assert_true(value == UINT64_MAX);
}

static void test_print(void **state)
{
    (void)state;
    char text[8];
    assert_int_equal(number_print(text, sizeof text, "%.2f %s", 0.25, "quarter"), 12);
    assert_string_equal(text, "0.25 qu");
}

/* Whatever the thread has chosen for itself is in force again. */
static void test_the_locale_stays(void **state)
{
    (void)state;
    char text[8];
    double real = 0;
    const locale_t own = newlocale(LC_ALL_MASK, "C.UTF-8", (locale_t)0);
    assert_true(own != (locale_t)0);
    const locale_t before = uselocale(own);
    (void)number_print(text, sizeof text, "%g", 1.5);
    (void)number_read_double("1.5", &real);
    assert_true(uselocale(before) == own);
    freelocale(own);
}

/* Behind what is there, as far as there is room. */
static void test_append(void **state)
{
    (void)state;
    char text[12] = "";
    number_append(text, sizeof text, "%d rank%s", 1, number_plural(1));
    assert_string_equal(text, "1 rank");
    number_append(text, sizeof text, ", %d host%s", 2, number_plural(2));
    assert_string_equal(text, "1 rank, 2 h");
    number_append(text, sizeof text, "more");
    assert_string_equal(text, "1 rank, 2 h");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_values_stay_where_text_is_bad),
        cmocka_unit_test(test_without_a_sign),
        cmocka_unit_test(test_counts),
        cmocka_unit_test(test_taking),
        cmocka_unit_test(test_print),
        cmocka_unit_test(test_the_locale_stays),
        cmocka_unit_test(test_append),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
