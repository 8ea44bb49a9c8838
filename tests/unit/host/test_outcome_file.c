/* SPDX-License-Identifier: BSD-3-Clause */
/* Tests what the launcher is told: whole files, of the right name, and none unless asked for. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "host/outcome_file.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char folder[256];
static char file[300];

static int make_folder(void **state)
{
    (void)state;
    const char *base = getenv("TMPDIR");
    (void)snprintf(folder, sizeof folder, "%.200s/weft-done-XXXXXX", base == NULL ? "." : base);
    if (mkdtemp(folder) == NULL) {
        return -1;
    }
    (void)snprintf(file, sizeof file, "%s/status", folder);
    return setenv("WEFT_DONE_FILE", file, 1);
}

static int remove_folder(void **state)
{
    (void)state;
    static const char *const suffixes[] = {"", ".begun", ".alone"};
    for (size_t i = 0; i < sizeof suffixes / sizeof suffixes[0]; i++) {
        char path[320];
        (void)snprintf(path, sizeof path, "%s%s", file, suffixes[i]);
        (void)unlink(path);
    }
    return rmdir(folder);
}

static int count_files(void)
{
    int count = 0;
    DIR *entries = opendir(folder);
    assert_non_null(entries);
    while (readdir(entries) != NULL) {
        count++;
    }
    (void)closedir(entries);
    return count - 2; /* . and .. */
}

static void assert_holds(const char *suffix, const char *expected)
{
    char path[320];
    char text[32] = "";
    (void)snprintf(path, sizeof path, "%s%s", file, suffix);
    FILE *stream = fopen(path, "r");
    assert_non_null(stream);
    text[fread(text, 1, sizeof text - 1, stream)] = '\0';
    (void)fclose(stream);
    assert_string_equal(text, expected);
}

static void test_the_last_word_counts(void **state)
{
    (void)state;
    outcome_file_mark_status("", "", 75);
    assert_holds("", "75\n");
    outcome_file_mark_status("", "", 0);
    assert_holds("", "0\n");
    assert_int_equal(count_files(), 1);
}

static void test_others_do_not_speak_for_rank_0(void **state)
{
    (void)state;
    outcome_file_mark_status("", "", 3);
    outcome_file_mark_status(OUTCOME_ALONE, "", 75);
    assert_holds("", "3\n");
    assert_holds(".alone", "75\n");
    assert_int_equal(count_files(), 2);
}

static void test_begin(void **state)
{
    (void)state;
    outcome_file_mark(OUTCOME_BEGUN, "");
    outcome_file_mark(OUTCOME_BEGUN, "");
    assert_holds(".begun", "");
    assert_int_equal(count_files(), 1);
}

static void test_nobody_asks(void **state)
{
    (void)state;
    assert_int_equal(unsetenv("WEFT_DONE_FILE"), 0);
    outcome_file_mark(OUTCOME_BEGUN, "");
    outcome_file_mark_status("", "", 0);
    assert_int_equal(setenv("WEFT_DONE_FILE", "", 1), 0);
    outcome_file_mark(OUTCOME_BEGUN, "");
    outcome_file_mark_status(OUTCOME_ALONE, "", 0);
    assert_int_equal(count_files(), 0);
    assert_int_not_equal(access(".begun", F_OK), 0);
}

static void test_folder_that_is_gone(void **state)
{
    (void)state;
    char path[320];
    (void)snprintf(path, sizeof path, "%s/none/status", folder);
    assert_int_equal(setenv("WEFT_DONE_FILE", path, 1), 0);
    outcome_file_mark(OUTCOME_BEGUN, "");
    outcome_file_mark_status("", "", 0);
    assert_int_equal(count_files(), 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, make_folder, remove_folder)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_the_last_word_counts),
        TEST(test_others_do_not_speak_for_rank_0),
        TEST(test_begin),
        TEST(test_nobody_asks),
        TEST(test_folder_that_is_gone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
