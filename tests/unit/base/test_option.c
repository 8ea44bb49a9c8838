/* SPDX-License-Identifier: BSD-3-Clause */
/* Tests the options: every type, both spellings, the environment, and what is refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/option.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_WORDS = 16 };

/* A parse of its own: values, words, what came out. */
typedef struct parse {
    bool flag;
    int64_t number;
    double real;
    const char *text;
    bool their_flag;
    int64_t their_number;
    int argc;
    char *argv[MOST_WORDS + 2];
    error e;
} parse;

/* Words end with NULL; they are never written to. */
static weft_status run_parse(parse *p, bool with_theirs, option_rest rest,
                             const char *const words[])
{
    *p = (parse){.number = -77, .real = -7.5, .text = "none", .their_number = -77};
    const weft_option ours[] = {
        {"test-flag", NULL, WEFT_OPTION_FLAG, &p->flag, ""},
        {"test-number", "N", WEFT_OPTION_INT64, &p->number, ""},
        {"test-real", "X", WEFT_OPTION_DOUBLE, &p->real, ""},
        {"test-text", "TEXT", WEFT_OPTION_STRING, &p->text, ""},
        {NULL, NULL, WEFT_OPTION_FLAG, NULL, NULL},
    };
    const weft_option theirs[] = {
        {"their-flag", NULL, WEFT_OPTION_FLAG, &p->their_flag, ""},
        {"their-number", "N", WEFT_OPTION_INT64, &p->their_number, ""},
        {NULL, NULL, WEFT_OPTION_FLAG, NULL, NULL},
    };
    static char program[] = "program";
    static char copies[MOST_WORDS][128];
    p->argc = 1;
    p->argv[0] = program;
    for (int i = 0; words[i] != NULL; i++) {
        (void)strncpy(copies[i], words[i], sizeof copies[i] - 1);
        p->argv[p->argc++] = copies[i];
    }
    return option_parse(ours, with_theirs ? theirs : NULL, rest, &p->argc, p->argv, &p->e);
}

#define WORDS(...) ((const char *const[]){__VA_ARGS__, NULL})

static int clean_environment(void **state)
{
    (void)state;
    (void)unsetenv("WEFT_TEST_FLAG");
    (void)unsetenv("WEFT_TEST_NUMBER");
    (void)unsetenv("WEFT_TEST_REAL");
    (void)unsetenv("WEFT_TEST_TEXT");
    (void)unsetenv("WEFT_THEIR_NUMBER");
    return 0;
}

static void test_nothing_given(void **state)
{
    (void)state;
    parse p;
    assert_int_equal(run_parse(&p, true, OPTION_LEAVES_WORDS, (const char *const[]){NULL}),
                     WEFT_OK);
    assert_int_equal(p.argc, 1);
    assert_null(p.argv[1]);
    assert_false(p.flag);
    assert_int_equal(p.number, -77);
    assert_true(p.real == -7.5);
    assert_string_equal(p.text, "none");
}

static void test_every_type_in_both_spellings(void **state)
{
    (void)state;
    parse p;
    assert_int_equal(run_parse(&p, true, OPTION_LEAVES_WORDS,
                               WORDS("--test-flag", "--test-number", "12", "--test-real", "0.25",
                                     "--test-text", "a b", "--their-flag", "--their-number", "5")),
                     WEFT_OK);
    assert_true(p.flag);
    assert_int_equal(p.number, 12);
    assert_true(p.real == 0.25);
    assert_string_equal(p.text, "a b");
    assert_true(p.their_flag);
    assert_int_equal(p.their_number, 5);
    assert_int_equal(p.argc, 1);
    assert_null(p.argv[1]);
    assert_int_equal(run_parse(&p, true, OPTION_LEAVES_WORDS,
                               WORDS("--test-flag=yes", "--test-number=-12", "--test-real=1e3",
                                     "--test-text=x=y", "--their-flag=0", "--their-number=5M")),
                     WEFT_OK);
    assert_true(p.flag);
    assert_int_equal(p.number, -12);
    assert_true(p.real == 1000);
    assert_string_equal(p.text, "x=y");
    assert_false(p.their_flag);
    assert_int_equal(p.their_number, 5000000);
}

static void test_last_one_wins(void **state)
{
    (void)state;
    parse p;
    assert_int_equal(
        run_parse(&p, false, OPTION_LEAVES_WORDS,
                  WORDS("--test-number=1", "--test-number", "2", "--test-flag", "--test-flag=no")),
        WEFT_OK);
    assert_int_equal(p.number, 2);
    assert_false(p.flag);
}

static void test_argument_that_looks_like_an_option(void **state)
{
    (void)state;
    parse p;
    assert_int_equal(run_parse(&p, false, OPTION_LEAVES_WORDS, WORDS("--test-text", "--test-flag")),
                     WEFT_OK);
    assert_string_equal(p.text, "--test-flag");
    assert_false(p.flag);
    assert_int_equal(run_parse(&p, false, OPTION_LEAVES_WORDS, WORDS("--test-number", "-3")),
                     WEFT_OK);
    assert_int_equal(p.number, -3);
}

static void test_missing_argument(void **state)
{
    (void)state;
    static const char *const names[] = {"--test-number", "--test-real", "--test-text",
                                        "--their-number"};
    for (int i = 0; i < 4; i++) {
        parse p;
        assert_int_equal(run_parse(&p, true, OPTION_LEAVES_ALL, WORDS("word", names[i])),
                         WEFT_ERR_USAGE);
        assert_non_null(strstr(p.e.text, names[i]));
        assert_non_null(strstr(p.e.text, "needs an argument"));
    }
}

static void test_unknown_options(void **state)
{
    (void)state;
    static const char *const unknown[] = {"--nonsense", "--test-numbe=3",  "--test-numbers=3", "-x",
                                          "--=3",       "--their-number1", "-test-flag"};
    for (size_t i = 0; i < sizeof unknown / sizeof unknown[0]; i++) {
        parse p;
        assert_int_equal(run_parse(&p, true, OPTION_LEAVES_WORDS, WORDS(unknown[i])),
                         WEFT_ERR_USAGE);
        assert_non_null(strstr(p.e.text, unknown[i]));
        assert_int_equal(
            run_parse(&p, true, OPTION_LEAVES_ALL, WORDS("a", unknown[i], "--test-flag", "b")),
            WEFT_OK);
        assert_true(p.flag);
        assert_int_equal(p.argc, 4);
        assert_string_equal(p.argv[1], "a");
        assert_string_equal(p.argv[2], unknown[i]);
        assert_string_equal(p.argv[3], "b");
        assert_null(p.argv[4]);
    }
}

static void test_words_stay(void **state)
{
    (void)state;
    parse p;
    assert_int_equal(run_parse(&p, true, OPTION_LEAVES_WORDS,
                               WORDS("one", "--test-flag", "-", "--test-number", "4", "two")),
                     WEFT_OK);
    assert_int_equal(p.argc, 4);
    assert_string_equal(p.argv[1], "one");
    assert_string_equal(p.argv[2], "-");
    assert_string_equal(p.argv[3], "two");
}

static void test_words_are_refused(void **state)
{
    (void)state;
    static const char *const words[][3] = {{"one"}, {"-"}, {"--test-flag", "two"}, {"--", "--x"}};
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        parse p;
        const char *const given[] = {words[i][0], words[i][1], words[i][2], NULL};
        assert_int_equal(run_parse(&p, true, OPTION_LEAVES_NONE, given), WEFT_ERR_USAGE);
        assert_non_null(strstr(p.e.text, "ee --help"));
    }
    parse p;
    assert_int_equal(run_parse(&p, true, OPTION_LEAVES_NONE, WORDS("--", "--test-flag")),
                     WEFT_ERR_USAGE);
    assert_non_null(strstr(p.e.text, "unexpected argument '--test-flag'"));
    assert_null(strstr(p.e.text, "did you mean"));
    assert_int_equal(run_parse(&p, true, OPTION_LEAVES_NONE, WORDS("--test-flag", "--")), WEFT_OK);
    assert_int_equal(p.argc, 1);
}

static void test_suggestions(void **state)
{
    (void)state;
    static const struct {
        const char *word;
        const char *name; /* NULL: none is near */
    } cases[] = {{"--test-numbr", "--test-number"},
                 {"--tset-flag", "--test-flag"},
                 {"-test-text=3", "--test-text"},
                 {"--test_real", "--test-real"},
                 {"--thier-number", "--their-number"},
                 {"test-flag", "--test-flag"},
                 {"--Test-Flag", "--test-flag"},
                 {"--quite-other", NULL},
                 {"--", NULL},
                 {"-x", NULL}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        parse p;
        const weft_status status = run_parse(&p, true, OPTION_LEAVES_NONE, WORDS(cases[i].word));
        if (strcmp(cases[i].word, "--") != 0) {
            assert_int_equal(status, WEFT_ERR_USAGE);
        }
        char *found = strstr(p.e.text, "did you mean ");
        if (cases[i].name == NULL) {
            assert_null(found);
        } else {
            assert_non_null(found);
            assert_memory_equal(found + strlen("did you mean "), cases[i].name,
                                strlen(cases[i].name));
        }
    }
}

static void test_two_dashes_end_the_options(void **state)
{
    (void)state;
    parse p;
    assert_int_equal(run_parse(&p, true, OPTION_LEAVES_WORDS,
                               WORDS("--test-number=4", "--", "--test-flag", "--nonsense", "--")),
                     WEFT_OK);
    assert_int_equal(p.number, 4);
    assert_false(p.flag);
    assert_int_equal(p.argc, 4);
    assert_string_equal(p.argv[1], "--test-flag");
    assert_string_equal(p.argv[2], "--nonsense");
    assert_string_equal(p.argv[3], "--");
}

static void test_numbers(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int64_t value;
    } good[] = {
        {"0", 0},
        {"-0", 0},
        {"+5", 5},
        {"007", 7},
        {"3k", 3000},
        {"3M", 3000000},
        {"3G", 3000000000},
        {"-2k", -2000},
        {"9223372036854775807", INT64_MAX},
        {"-9223372036854775808", INT64_MIN},
        {"9223372036G", INT64_C(9223372036000000000)},
        {"9223372036854775k", INT64_C(9223372036854775000)},
        {"1e3", 1000},
        {"1E+6", 1000000},
        {"-25e2", -2500},
        {"1.5e3", 1500},
        {"1.5k", 1500},
        {".5M", 500000},
        {"3.0", 3},
        {"0e99", 0},
        {"9.223372036854775807e18", INT64_MAX},
        {"-9.223372036854775808e18", INT64_MIN},
    };
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        parse p;
        assert_int_equal(
            run_parse(&p, false, OPTION_LEAVES_WORDS, WORDS("--test-number", good[i].text)),
            WEFT_OK);
        assert_true(p.number == good[i].value);
    }
    static const char *const bad[] = {"",
                                      "k",
                                      "x",
                                      "1x",
                                      "1 ",
                                      " 1",
                                      "1kk",
                                      "1K",
                                      "1m",
                                      "1.5",
                                      "1,5",
                                      "1.2345e3",
                                      "1e",
                                      "1e-3",
                                      "10e-1",
                                      "1ek",
                                      "1e3k",
                                      "1e1.",
                                      "1e1.0",
                                      "1e19",
                                      "1e100",
                                      "e3",
                                      ".",
                                      "1..0",
                                      "0x10",
                                      "--1",
                                      "9223372036854775808",
                                      "-9223372036854775809",
                                      "9223372037G",
                                      "-9223372037G",
                                      "9223372036854775807k",
                                      "99999999999999999999999999"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        parse p;
        assert_int_equal(run_parse(&p, false, OPTION_LEAVES_WORDS, WORDS("--test-number", bad[i])),
                         WEFT_ERR_USAGE);
        assert_non_null(strstr(p.e.text, "--test-number"));
        assert_non_null(strstr(p.e.text, bad[i]));
        assert_non_null(strstr(p.e.text, "between -2^63 and 2^63"));
        assert_int_equal(p.number, -77);
    }
}

static void test_reals(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        double value;
    } good[] = {{"0", 0}, {"-1.5", -1.5}, {".5", 0.5}, {"1e-3", 1e-3}, {"1e308", 1e308}};
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        parse p;
        assert_int_equal(
            run_parse(&p, false, OPTION_LEAVES_WORDS, WORDS("--test-real", good[i].text)), WEFT_OK);
        assert_true(p.real == good[i].value);
    }
    static const char *const bad[] = {"",    "x",    "1,5", "1.5k",  " 1",
                                      "nan", "-inf", "inf", "1e999", "1 "};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        parse p;
        assert_int_equal(run_parse(&p, false, OPTION_LEAVES_WORDS, WORDS("--test-real", bad[i])),
                         WEFT_ERR_USAGE);
        assert_non_null(strstr(p.e.text, "--test-real"));
        assert_true(p.real == -7.5);
    }
}

static void test_flags_and_texts_refused(void **state)
{
    (void)state;
    parse p;
    static const char *const bad[] = {"--test-flag=", "--test-flag=2", "--test-flag=maybe",
                                      "--test-flag=YES"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        assert_int_equal(run_parse(&p, false, OPTION_LEAVES_WORDS, WORDS(bad[i])), WEFT_ERR_USAGE);
        assert_non_null(strstr(p.e.text, "--test-flag"));
    }
    assert_int_equal(run_parse(&p, false, OPTION_LEAVES_WORDS, WORDS("--test-text=")),
                     WEFT_ERR_USAGE);
    assert_string_equal(p.e.text, "--test-text: its value is empty");
    assert_string_equal(p.text, "none");
}

static void test_environment(void **state)
{
    (void)state;
    parse p;
    (void)setenv("WEFT_TEST_NUMBER", "5k", 1);
    (void)setenv("WEFT_TEST_FLAG", "true", 1);
    (void)setenv("WEFT_TEST_REAL", "2.5", 1);
    (void)setenv("WEFT_TEST_TEXT", "from afar", 1);
    (void)setenv("WEFT_THEIR_NUMBER", "9", 1);
    assert_int_equal(run_parse(&p, true, OPTION_LEAVES_WORDS, WORDS("word")), WEFT_OK);
    assert_int_equal(p.number, 5000);
    assert_true(p.flag);
    assert_true(p.real == 2.5);
    assert_string_equal(p.text, "from afar");
    assert_int_equal(p.their_number, -77);
    (void)setenv("WEFT_TEST_FLAG", "0", 1);
    (void)setenv("WEFT_TEST_TEXT", "", 1);
    assert_int_equal(run_parse(&p, true, OPTION_LEAVES_WORDS, WORDS("word")), WEFT_OK);
    assert_false(p.flag);
    assert_string_equal(p.text, "none");
}

static void test_command_line_wins(void **state)
{
    (void)state;
    parse p;
    (void)setenv("WEFT_TEST_NUMBER", "5", 1);
    (void)setenv("WEFT_TEST_FLAG", "1", 1);
    assert_int_equal(
        run_parse(&p, true, OPTION_LEAVES_WORDS, WORDS("--test-number", "6", "--test-flag=no")),
        WEFT_OK);
    assert_int_equal(p.number, 6);
    assert_false(p.flag);
}

static void test_bad_environment_is_named(void **state)
{
    (void)state;
    parse p;
    (void)setenv("WEFT_TEST_NUMBER", "many", 1);
    assert_int_equal(run_parse(&p, true, OPTION_LEAVES_WORDS, WORDS("word")), WEFT_ERR_USAGE);
    assert_non_null(strstr(p.e.text, "WEFT_TEST_NUMBER"));
    assert_non_null(strstr(p.e.text, "many"));
}

int main(void)
{
#define CLEAN(test) cmocka_unit_test_setup_teardown(test, clean_environment, clean_environment)
    const struct CMUnitTest tests[] = {
        CLEAN(test_nothing_given),
        CLEAN(test_every_type_in_both_spellings),
        CLEAN(test_last_one_wins),
        CLEAN(test_argument_that_looks_like_an_option),
        CLEAN(test_missing_argument),
        CLEAN(test_unknown_options),
        CLEAN(test_words_stay),
        CLEAN(test_words_are_refused),
        CLEAN(test_suggestions),
        CLEAN(test_two_dashes_end_the_options),
        CLEAN(test_numbers),
        CLEAN(test_reals),
        CLEAN(test_flags_and_texts_refused),
        CLEAN(test_environment),
        CLEAN(test_command_line_wins),
        CLEAN(test_bad_environment_is_named),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
