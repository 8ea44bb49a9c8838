/* SPDX-License-Identifier: BSD-3-Clause */
/* Tests what becomes of a call of exit() while that is watched. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "host/exits.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

/* A library's farewell, which must not run under other threads. */
static void farewell(void)
{
    _exit(42);
}

static void exit_quietly(void)
{
    (void)close(STDERR_FILENO);
    exit(0);
}

static void watch_and_exit(void)
{
    exits_watch();
    exit_quietly();
}

static void exit_afterwards(void)
{
    exits_watch();
    exits_unwatch();
    exit_quietly();
}

/* What a process that does this ends with. */
static int status_of(void (*act)(void))
{
    int status = 0;
    const pid_t pid = fork();
    if (pid == 0) {
        (void)atexit(farewell);
        act();
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFEXITED(status));
    return WEXITSTATUS(status);
}

static void test_exit(void **state)
{
    (void)state;
    assert_int_equal(status_of(watch_and_exit), 1);
    assert_int_equal(status_of(exit_afterwards), 42);
}

static exits_place place;

static void exit_somewhere(void)
{
    exits_watch();
    exits_enter(place);
    exit(0);
}

/* Whether the error for a place has a word in it. */
static bool blames(exits_place where, const char *word)
{
    char text[1024] = "";
    int ends[2] = {-1, -1};
    int status = 0;
    place = where;
    assert_int_equal(pipe(ends), 0);
    const pid_t pid = fork();
    if (pid == 0) {
        (void)dup2(ends[1], STDERR_FILENO);
        exit_somewhere();
    }
    (void)close(ends[1]);
    assert_true(read(ends[0], text, sizeof text - 1) > 0);
    (void)close(ends[0]);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    return strstr(text, word) != NULL;
}

static void test_who_is_blamed(void **state)
{
    (void)state;
    assert_true(blames(EXITS_IN_KERNEL, "weft_span_fail()"));
    assert_true(blames(EXITS_IN_OPENMP, "ulimit -u"));
    assert_false(blames(EXITS_IN_OPENMP, "weft_span_fail()"));
    assert_true(blames(EXITS_ELSEWHERE, "not in a worker's call of the kernel"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_exit),
                                       cmocka_unit_test(test_who_is_blamed)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
