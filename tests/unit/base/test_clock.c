/* SPDX-License-Identifier: BSD-3-Clause */
/* Tests the clocks and how times are written. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/clock.h"

#include <math.h>
#include <string.h>

static void test_never_goes_back(void **state)
{
    (void)state;
    int64_t before = clock_now_ns();
    for (int i = 0; i < 10000; i++) {
        const int64_t now = clock_now_ns();
        assert_true(now >= before);
        before = now;
    }
}

static void test_wall_clock_is_of_this_century(void **state)
{
    (void)state;
    assert_true(clock_wall_s() > 1.6e9);
    assert_true(clock_wall_s() < 4.2e9);
}

static void test_sleep_is_not_too_short(void **state)
{
    (void)state;
    const int64_t before = clock_now_ns();
    clock_sleep_ns(2000000);
    assert_true(clock_now_ns() - before >= 2000000);
}

static void test_durations(void **state)
{
    (void)state;
    static const struct {
        double seconds;
        const char *text;
    } cases[] = {
        {0, "0.00 s"},          {0.0002, "0.2 ms"},    {0.0456, "45.6 ms"},
        {0.0996, "0.10 s"},     {0.52, "0.52 s"},      {9.99, "9.99 s"},
        {9.996, "10 s"},        {42.4, "42 s"},        {59.4, "59 s"},
        {59.5, "1 min 00 s"},   {725, "12 min 05 s"},  {3599.4, "59 min 59 s"},
        {3599.6, "1 h 00 min"}, {11220, "3 h 07 min"}, {86399, "23 h 59 min"},
        {86400, "1 d 00 h"},    {187200, "2 d 04 h"},  {-1, "-"},
        {1e300, "-"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        assert_string_equal(clock_duration(cases[i].seconds).text, cases[i].text);
    }
    assert_string_equal(clock_duration((double)NAN).text, "-");
    assert_string_equal(clock_duration((double)INFINITY).text, "-");
    assert_string_equal(clock_duration(3.19e9).text, "36921 d 07 h");
}

static void test_wall_times(void **state)
{
    (void)state;
    assert_string_equal(clock_date(0).text, "1970-01-01T00:00:00Z");
    assert_string_equal(clock_date(1769862896.75).text, "2026-01-31T12:34:56Z");
    static const double wrong[] = {-1, 1e18, (double)NAN};
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        assert_string_equal(clock_date(wrong[i]).text, "-");
    }
}

static void test_reading_durations(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        double seconds; /* -1: it cannot be read */
    } cases[] = {
        {"0", 0},           {"90", 90},           {"1.5", 1.5},
        {"1e3", 1000},      {"1:30", 90},         {"90:00", 5400},
        {"0:00:03", 3},     {"08:00:00", 28800},  {"2-01:00:00", 176400},
        {"1-0:0", -1},      {"36:00:00", 129600}, {"", -1},
        {"x", -1},          {"3x", -1},           {"-1", -1},
        {"nan", -1},        {"inf", -1},          {"1:60", -1},
        {"1:60:00", -1},    {"1:00:60", -1},      {":30", -1},
        {"1:", -1},         {"1::2", -1},         {"1:2:3:4", -1},
        {"1:-2", -1},       {"1:+2", -1},         {"-1:00", -1},
        {"1:2.5", -1},      {" 1:30", -1},        {"1:30 ", -1},
        {"1234567:00", -1}, {"1-1-1:00:00", -1},  {"1-30", -1},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        double seconds = -2;
        const bool read = clock_parse_duration(cases[i].text, &seconds);
        assert_int_equal(read, cases[i].seconds >= 0);
        if (read) {
            assert_true(seconds >= cases[i].seconds && seconds <= cases[i].seconds);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_never_goes_back),
        cmocka_unit_test(test_wall_clock_is_of_this_century),
        cmocka_unit_test(test_sleep_is_not_too_short),
        cmocka_unit_test(test_durations),
        cmocka_unit_test(test_wall_times),
        cmocka_unit_test(test_reading_durations),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
