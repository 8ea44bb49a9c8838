/* SPDX-License-Identifier: BSD-3-Clause */
/* Tests lists of words. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "launch/words.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void test_split(void **state)
{
    (void)state;
    words w = {.count = 0};
    words_split(&w, "  one\ttwo \n");
    words_add(&w, "%d", 3);
    words_split(&w, "");
    assert_int_equal(w.count, 3);
    char *line = words_line(&w);
    assert_string_equal(line, "one two 3");
    assert_null(w.word[3]);
    free(line);
    words_free(&w);
}

/* What a shell makes of the line are the words again. */
static void test_quotes(void **state)
{
    (void)state;
    static const char *const hard[] = {"printf", "<%s>", "a b",  "it's", "\"", "$HOME",
                                       "*",      "",     "a\nb", "\\",   "~",  "#"};
    words w = {.count = 0};
    char printed[256];
    char expected[256] = "";
    for (size_t i = 0; i < sizeof hard / sizeof hard[0]; i++) {
        words_add(&w, "%s", hard[i]);
        if (i > 1) {
            const size_t used = strlen(expected);
            (void)snprintf(expected + used, sizeof expected - used, "<%s>", hard[i]);
        }
    }
    char *line = words_line(&w);
    FILE *shell = popen(line, "r");
    assert_non_null(shell);
    printed[fread(printed, 1, sizeof printed - 1, shell)] = '\0';
    assert_int_equal(pclose(shell), 0);
    assert_string_equal(printed, expected);
    free(line);
    words_free(&w);
}

static void test_controls(void **state)
{
    (void)state;
    words w = {.count = 0};
    words_add(&w, "\033[31m'\\");
    words_add(&w, "\x9b");
    words_add(&w, "caf\xc3\xa9");
    char *line = words_line(&w);
    assert_string_equal(line, "$'\\033[31m\\047\\134' $'\\233' 'caf\xc3\xa9'");
    free(line);
    words_free(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_split),
        cmocka_unit_test(test_quotes),
        cmocka_unit_test(test_controls),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
