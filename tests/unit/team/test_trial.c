/* SPDX-License-Identifier: BSD-3-Clause */
/* Tests that threads which cannot be created are refused before OpenMP tries. */
#define _GNU_SOURCE 1
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "team/trial.h"

#include <stdbool.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

/* A user of whom nothing else runs, and a limit for him. */
enum { STRANGER = 61217, ALLOWED = 6 };

/* In a process of its own, since the limit is for good: 0 if so many threads are refused, with the
 * reason; 1 if not. */
static int try_limited(int threads)
{
    const bool root = geteuid() == 0;
    const rlim_t most = root ? ALLOWED : 1;
    const struct rlimit limit = {.rlim_cur = most, .rlim_max = most};
    error e = {.status = WEFT_OK};
    if (setrlimit(RLIMIT_NPROC, &limit) != 0 || (root && setresuid(STRANGER, STRANGER, STRANGER))) {
        return 2;
    }
    const bool refused = trial_threads(threads, &e) == WEFT_ERR_SYSTEM;
    return refused && strstr(e.text, "ulimit -u") != NULL ? 0 : 1;
}

static int status_of(int threads)
{
    int status = 0;
    const pid_t pid = fork();
    if (pid == 0) {
        _exit(try_limited(threads));
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFEXITED(status));
    return WEXITSTATUS(status);
}

static void test_limit(void **state)
{
    (void)state;
    assert_int_equal(status_of(2 * ALLOWED), 0);
    if (geteuid() == 0) {
        /* A sanitizer may have a thread of its own. */
        assert_int_equal(status_of(ALLOWED / 2), 1);
    }
}

static void test_no_limit(void **state)
{
    (void)state;
    error e = {.status = WEFT_OK};
    for (int threads = 0; threads < 4; threads++) {
        assert_int_equal(trial_threads(threads, &e), WEFT_OK);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_limit),
        cmocka_unit_test(test_no_limit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
