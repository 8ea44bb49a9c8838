/* SPDX-License-Identifier: BSD-3-Clause */
/* Tests the limit: what is left when it is exceeded, and that a program's own timer outlives it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/clock.h"
#include "host/signals.h"
#include "host/watchdog.h"

#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

static volatile sig_atomic_t alarms = 0;

static void on_own_alarm(int number)
{
    (void)number;
    alarms = alarms + 1;
}

static int take_alarm(void **state)
{
    (void)state;
    const struct sigaction mine = {.sa_handler = on_own_alarm};
    alarms = 0;
    return sigaction(SIGALRM, &mine, NULL);
}

static int leave_alarm(void **state)
{
    (void)state;
    const struct sigaction none = {.sa_handler = SIG_DFL};
    (void)alarm(0);
    return sigaction(SIGALRM, &none, NULL);
}

static bool alarm_is_own(void)
{
    struct sigaction found;
    return sigaction(SIGALRM, NULL, &found) == 0 && found.sa_handler == on_own_alarm;
}

static void test_it_ends_the_process(void **state)
{
    (void)state;
    int ends[2] = {-1, -1};
    int status = 0;
    char text[64] = "";
    assert_int_equal(pipe(ends), 0);
    (void)fflush(NULL);
    const pid_t child = fork();
    if (child == 0) {
        (void)dup2(ends[1], STDOUT_FILENO);
        (void)dup2(ends[1], STDERR_FILENO);
        (void)printf("in a buffer, ");
        watchdog_set(1, 43, "last words\n");
        clock_sleep_ns(INT64_C(30000000000));
        _exit(1);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 43);
    assert_true(read(ends[0], text, sizeof text - 1) > 0);
    assert_string_equal(text, "in a buffer, last words\n");
    (void)close(ends[0]);
    (void)close(ends[1]);
}

/* A signal shortens the limit, unless there is none. */
static void test_it_is_shortened(void **state)
{
    (void)state;
    int status = 0;
    const pid_t child = fork();
    if (child == 0) {
        signals_begin();
        watchdog_set(100, 43, "");
        watchdog_hurry(1, 44, "");
        watchdog_clear();
        watchdog_hurry(1, 44, "");
        (void)raise(SIGUSR1);
        if (alarm(0) != 0) {
            _exit(1);
        }
        signals_begin();
        watchdog_set(100, 43, "");
        watchdog_hurry(1, 44, "");
        for (int i = 0; i < 3000; i++) {
            /* Many do not make it longer. */
            (void)raise(SIGUSR1);
            clock_sleep_ns(INT64_C(10000000));
        }
        _exit(2);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 44);
}

/* Of a signal that has come before. */
static void test_it_is_short_after_a_signal(void **state)
{
    (void)state;
    int status = 0;
    const pid_t child = fork();
    if (child == 0) {
        signals_begin();
        (void)raise(SIGTERM);
        watchdog_set(100, 43, "");
        watchdog_hurry(1, 44, "");
        clock_sleep_ns(INT64_C(30000000000));
        _exit(2);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 44);
}

static void *set_and_clear(void *unused)
{
    (void)unused;
    watchdog_set(200, 45, "");
    watchdog_hurry(150, 46, "");
    watchdog_clear();
    return NULL;
}

/* Each thread has its own: what one clears does not save another, and the first to be over counts.
 */
static void test_a_limit_per_thread(void **state)
{
    (void)state;
    int status = 0;
    const pid_t child = fork();
    if (child == 0) {
        pthread_t thread;
        signals_begin();
        watchdog_set(1, 43, "");
        if (pthread_create(&thread, NULL, set_and_clear, NULL) == 0) {
            (void)pthread_join(thread, NULL);
        }
        clock_sleep_ns(INT64_C(30000000000));
        _exit(1);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 43);
}

static void test_timer_goes_on(void **state)
{
    (void)state;
    const struct itimerval mine = {.it_value = {.tv_sec = 1000}, .it_interval = {.tv_sec = 7}};
    struct itimerval found;
    assert_int_equal(setitimer(ITIMER_REAL, &mine, NULL), 0);
    watchdog_set(100, 1, "");
    assert_false(alarm_is_own());
    clock_sleep_ns(INT64_C(20000000));
    watchdog_clear();
    assert_true(alarm_is_own());
    assert_int_equal(getitimer(ITIMER_REAL, &found), 0);
    const int64_t left_us = (int64_t)found.it_value.tv_sec * 1000000 + found.it_value.tv_usec;
    assert_in_range(left_us, INT64_C(101000000), INT64_C(1000000000) - 20000);
    assert_int_equal(found.it_interval.tv_sec, 7);
}

static void test_timer_that_ran_out_meanwhile(void **state)
{
    (void)state;
    const struct itimerval mine = {.it_value = {.tv_usec = 300000}};
    assert_int_equal(setitimer(ITIMER_REAL, &mine, NULL), 0);
    watchdog_set(100, 1, "");
    clock_sleep_ns(INT64_C(400000000));
    assert_int_equal(alarms, 0);
    watchdog_clear();
    for (int i = 0; i < 1000 && alarms == 0; i++) {
        clock_sleep_ns(INT64_C(10000000));
    }
    assert_int_equal(alarms, 1);
}

static void test_no_timer(void **state)
{
    (void)state;
    watchdog_set(100, 1, "");
    watchdog_clear();
    assert_true(alarm_is_own());
    assert_int_equal(alarm(0), 0);
}

static void test_no_limit(void **state)
{
    (void)state;
    (void)alarm(1000);
    watchdog_set(0, 1, "");
    assert_true(alarm_is_own());
    watchdog_clear();
    assert_true(alarm_is_own());
    assert_in_range(alarm(0), 1, 1000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_it_ends_the_process),
        cmocka_unit_test(test_it_is_shortened),
        cmocka_unit_test(test_it_is_short_after_a_signal),
        cmocka_unit_test(test_a_limit_per_thread),
        cmocka_unit_test_setup_teardown(test_timer_goes_on, take_alarm, leave_alarm),
        cmocka_unit_test_setup_teardown(test_timer_that_ran_out_meanwhile, take_alarm, leave_alarm),
        cmocka_unit_test_setup_teardown(test_no_timer, take_alarm, leave_alarm),
        cmocka_unit_test_setup_teardown(test_no_limit, take_alarm, leave_alarm),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
