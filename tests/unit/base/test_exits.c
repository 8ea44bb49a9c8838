/* SPDX-License-Identifier: BSD-3-Clause */
/* Tests what becomes of a call of exit() while that is watched. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/exits.h"

#include <stdlib.h>
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

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_exit)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
