/* SPDX-License-Identifier: BSD-3-Clause */
/* Tests that a process ends when a sibling has died, and only then. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/clock.h"
#include "host/siblings.h"

#include <signal.h>
#include <stdbool.h>
#include <sys/wait.h>
#include <unistd.h>

enum { ENDED = 75, STAYED = 7 };

static pid_t start_idle(void)
{
    const pid_t pid = fork();
    if (pid == 0) {
        for (;;) {
            (void)pause();
        }
    }
    assert_true(pid > 0);
    return pid;
}

/* One that watches for so long; or forgets, as soon as it has begun to. */
static pid_t start_watcher(bool forgets, int64_t ns)
{
    const pid_t pid = fork();
    if (pid == 0) {
        siblings_watch(0, ENDED, "");
        if (forgets) {
            siblings_forget();
        }
        clock_sleep_ns(ns);
        siblings_forget();
        _exit(STAYED);
    }
    assert_true(pid > 0);
    return pid;
}

static void end(pid_t pid)
{
    assert_int_equal(kill(pid, SIGKILL), 0);
    assert_int_equal(waitpid(pid, NULL, 0), pid);
}

static int exit_status_of(pid_t pid)
{
    int status = -1;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static void test_a_sibling_dies(void **state)
{
    (void)state;
    /* It has to have seen the other one before, which takes it a moment, or more on a busy machine.
     */
    int status = STAYED;
    for (int64_t pause_ns = 500000000; status == STAYED && pause_ns < INT64_C(20000000000);
         pause_ns *= 4) {
        const pid_t idle = start_idle();
        const pid_t watcher = start_watcher(false, INT64_C(30000000000));
        clock_sleep_ns(pause_ns);
        end(idle);
        status = exit_status_of(watcher);
    }
    assert_int_equal(status, ENDED);
}

static void test_nobody_dies(void **state)
{
    (void)state;
    const pid_t idle = start_idle();
    assert_int_equal(exit_status_of(start_watcher(false, INT64_C(2000000000))), STAYED);
    end(idle);
}

static void test_it_has_been_forgotten(void **state)
{
    (void)state;
    const pid_t idle = start_idle();
    const pid_t watcher = start_watcher(true, INT64_C(2500000000));
    clock_sleep_ns(INT64_C(500000000));
    end(idle);
    assert_int_equal(exit_status_of(watcher), STAYED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_sibling_dies),
        cmocka_unit_test(test_nobody_dies),
        cmocka_unit_test(test_it_has_been_forgotten),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
