/* SPDX-License-Identifier: BSD-3-Clause */
/* Tests the log: levels, prefixes, and that every line is whole. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/log.h"

#include <fcntl.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { TEXT_BYTES = 8192 };

/* Catches stderr in a pipe. No assertion may fail while it is caught. */
typedef struct capture {
    int saved;
    int reading;
} capture;

static capture begin_capture(void)
{
    int ends[2] = {-1, -1};
    assert_int_equal(pipe(ends), 0);
    assert_int_equal(fcntl(ends[0], F_SETFL, O_NONBLOCK), 0);
    const capture c = {.saved = dup(STDERR_FILENO), .reading = ends[0]};
    (void)dup2(ends[1], STDERR_FILENO);
    (void)close(ends[1]);
    return c;
}

static void end_capture(capture c, char text[TEXT_BYTES])
{
    (void)dup2(c.saved, STDERR_FILENO);
    (void)close(c.saved);
    const ssize_t got = read(c.reading, text, TEXT_BYTES - 1);
    text[got > 0 ? got : 0] = '\0';
    (void)close(c.reading);
}

static void test_levels(void **state)
{
    (void)state;
    char text[TEXT_BYTES];
    const log_level levels[] = {LOG_ERROR, LOG_WARNING, LOG_INFO, LOG_DEBUG};
    const char *const expected[] = {"weft: e\n", "weft: e\nweft: WARNING: w\n",
                                    "weft: e\nweft: WARNING: w\nweft: i\n",
                                    "weft: e\nweft: WARNING: w\nweft: i\nweft: rank 3: d\n"};
    for (int i = 0; i < 4; i++) {
        log_set(levels[i], 3);
        const capture c = begin_capture();
        log_print(LOG_ERROR, "%s", "e");
        log_print(LOG_WARNING, "%s", "w");
        log_print(LOG_INFO, "%s", "i");
        log_print(LOG_DEBUG, "%s", "d");
        end_capture(c, text);
        assert_string_equal(text, expected[i]);
    }
    assert_true(log_wants(LOG_DEBUG));
}

static void test_long_line_is_cut_and_ends(void **state)
{
    (void)state;
    char text[TEXT_BYTES];
    char word[4096];
    memset(word, 'x', sizeof word);
    word[sizeof word - 1] = '\0';
    log_set(LOG_INFO, 0);
    const capture c = begin_capture();
    log_print(LOG_INFO, "%s", word);
    end_capture(c, text);
    const size_t length = strlen(text);
    assert_in_range(length, 1000, 2048);
    assert_int_equal(text[length - 1], '\n');
    assert_ptr_equal(strchr(text, '\n'), text + length - 1);
}

static void test_a_line_ends_the_progress_line(void **state)
{
    (void)state;
    char text[TEXT_BYTES];
    log_set(LOG_INFO, 0);
    const capture c = begin_capture();
    log_progress("half");
    log_print(LOG_INFO, "line");
    log_progress(NULL);
    log_progress("done");
    log_progress(NULL);
    log_progress(NULL);
    end_capture(c, text);
    assert_string_equal(text, "\r\033[Kweft: half\nweft: line\n\r\033[Kweft: done\n");
}

enum { PRINTERS = 4, LINES_EACH = 500 };

static void *print_lines(void *unused)
{
    (void)unused;
    for (int i = 0; i < LINES_EACH; i++) {
        log_print(LOG_INFO, "line");
    }
    return NULL;
}

/* Prints a progress line again and again, while PRINTERS other threads print lines. */
static void print_from_threads(void)
{
    pthread_t threads[PRINTERS];
    int started = 0;
    while (started < PRINTERS && pthread_create(&threads[started], NULL, print_lines, NULL) == 0) {
        started++;
    }
    for (int i = 0; i < LINES_EACH; i++) {
        log_progress("half");
    }
    for (int i = 0; i < started; i++) {
        (void)pthread_join(threads[i], NULL);
    }
    log_progress(NULL);
}

/* Lines of several threads are whole, and each that follows a progress line has ended it. */
static void test_any_thread_may_print(void **state)
{
    (void)state;
    static const char plain[] = "weft: line\n", progress[] = "\r\033[Kweft: half";
    log_set(LOG_INFO, 0);
    FILE *file = tmpfile();
    assert_non_null(file);
    const int saved = dup(STDERR_FILENO);
    (void)dup2(fileno(file), STDERR_FILENO);
    print_from_threads();
    (void)dup2(saved, STDERR_FILENO);
    (void)close(saved);
    rewind(file);
    static char text[PRINTERS * LINES_EACH * 32];
    text[fread(text, 1, sizeof text - 1, file)] = '\0';
    (void)fclose(file);
    int lines = 0;
    bool open = false;
    for (const char *at = text; *at != '\0';) {
        if (strncmp(at, progress, sizeof progress - 1) == 0) {
            open = true;
            at += sizeof progress - 1;
        } else if (open) {
            assert_int_equal(*at, '\n');
            open = false;
            at++;
        } else {
            assert_memory_equal(at, plain, sizeof plain - 1);
            lines++;
            at += sizeof plain - 1;
        }
    }
    assert_false(open);
    assert_int_equal(lines, PRINTERS * LINES_EACH);
}

/* What a path or a file says does not act on the terminal, and makes no second line. */
static void test_a_line_is_one_line_of_text(void **state)
{
    (void)state;
    char text[TEXT_BYTES];
    log_set(LOG_INFO, 0);
    const capture c = begin_capture();
    log_print(LOG_INFO, "result: %s", "\033[31m\xff\nweft: µ.h5");
    end_capture(c, text);
    assert_string_equal(text, "weft: result: ?[31m??weft: µ.h5\n");
}

static void test_level_names(void **state)
{
    (void)state;
    log_level level = LOG_ERROR;
    assert_true(log_find_level("debug", &level));
    assert_int_equal(level, LOG_DEBUG);
    assert_true(log_find_level("error", &level));
    assert_int_equal(level, LOG_ERROR);
    assert_true(log_find_level("warning", &level));
    assert_int_equal(level, LOG_WARNING);
    assert_true(log_find_level("info", &level));
    assert_int_equal(level, LOG_INFO);
    assert_false(log_find_level("", &level));
    assert_false(log_find_level("INFO", &level));
    assert_int_equal(level, LOG_INFO);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_levels),
        cmocka_unit_test(test_long_line_is_cut_and_ends),
        cmocka_unit_test(test_a_line_ends_the_progress_line),
        cmocka_unit_test(test_any_thread_may_print),
        cmocka_unit_test(test_a_line_is_one_line_of_text),
        cmocka_unit_test(test_level_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
