/* SPDX-License-Identifier: BSD-3-Clause */
/* Tests that nothing in a text from elsewhere reaches a terminal that acts on it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/terminal.h"

#include <stdio.h>
#include <string.h>

static void check(const char *text, const char *expected)
{
    char now[64];
    (void)snprintf(now, sizeof now, "%s", text);
    terminal_clean(now);
    assert_string_equal(now, expected);
}

static void test_letters_stay(void **state)
{
    (void)state;
    check("", "");
    check("plain ~ text", "plain ~ text");
    check("naïve µm … 漢字 \xf0\x9f\x98\x80", "naïve µm … 漢字 \xf0\x9f\x98\x80");
    check("\xc2\xa0\xf4\x8f\xbf\xbf", "\xc2\xa0\xf4\x8f\xbf\xbf");
}

static void test_controls_go(void **state)
{
    (void)state;
    for (int i = 1; i < 0x20; i++) {
        const char text[] = {'a', (char)i, 'b', '\0'};
        check(text, "a?b");
    }
    check("\x7f", "?");
    check("\033]0;pwn\a", "?]0;pwn?");
    check("two\nlines\r", "two?lines?");
    check("\xc2\x80\xc2\x9b"
          "31m",
          "??31m");
    check("a\xe2\x80\xae"
          "b\xe2\x81\xa6"
          "c\xe2\x80\xa8\xe2\x80\x8f",
          "a?b?c??");
}

static void test_no_utf8_goes(void **state)
{
    (void)state;
    check("\x9b\x80\xff\xfe", "????");
    check("\xc3", "?");
    check("\xe6\xbc", "??");
    check("\xe6\xbc.", "??.");
    check("\xc0\x9b", "??");           /* ESC's neighbour, longer than it need be */
    check("\xe0\x80\x9b", "???");      /* the same */
    check("\xed\xa0\x80", "???");      /* half of a pair */
    check("\xf4\x90\x80\x80", "????"); /* beyond Unicode */
    check("\xf8\x88\x80\x80\x80", "?????");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_letters_stay),
        cmocka_unit_test(test_controls_go),
        cmocka_unit_test(test_no_utf8_goes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
