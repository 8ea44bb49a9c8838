/* SPDX-License-Identifier: BSD-3-Clause */
/* Tests the signals that ask a run to stop: seen, given back, and the second SIGINT. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/signals.h"

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

static volatile sig_atomic_t own_handler_got = 0;

static int begin_session(void **state)
{
    (void)state;
    signals_forget();
    return 0;
}

static void own_handler(int number)
{
    own_handler_got = number;
}

static void test_each_is_seen(void **state)
{
    (void)state;
    static const int numbers[] = {SIGUSR1, SIGUSR2, SIGTERM, SIGINT};
    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++) {
        signals_forget();
        signals_watch();
        assert_int_equal(signals_seen(), 0);
        assert_int_equal(raise(numbers[i]), 0);
        assert_int_equal(signals_seen(), numbers[i]);
        signals_unwatch();
    }
}

/* It is sent once: also who begins to watch again later is to stop. */
static void test_it_is_kept_for_later_runs(void **state)
{
    (void)state;
    signals_watch();
    (void)raise(SIGUSR1);
    signals_unwatch();
    assert_int_equal(signals_seen(), SIGUSR1);
    signals_watch();
    assert_int_equal(signals_seen(), SIGUSR1);
    signals_unwatch();
    signals_forget();
    assert_int_equal(signals_seen(), 0);
}

static void test_last_one_counts(void **state)
{
    (void)state;
    signals_watch();
    (void)raise(SIGUSR1);
    (void)raise(SIGINT);
    (void)raise(SIGTERM);
    assert_int_equal(signals_seen(), SIGTERM);
    signals_unwatch();
}

static void test_handlers_are_given_back(void **state)
{
    (void)state;
    static const int numbers[] = {SIGUSR1, SIGUSR2, SIGTERM, SIGINT};
    struct sigaction mine = {.sa_handler = own_handler};
    (void)sigemptyset(&mine.sa_mask);
    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++) {
        struct sigaction before;
        assert_int_equal(sigaction(numbers[i], &mine, &before), 0);
        own_handler_got = 0;
        signals_watch();
        (void)raise(numbers[i]);
        assert_int_equal(own_handler_got, 0);
        signals_unwatch();
        (void)raise(numbers[i]);
        assert_int_equal(own_handler_got, numbers[i]);
        (void)sigaction(numbers[i], &before, NULL);
    }
}

/* How a child ends that gets these signals, each in a run of its own. */
static int status_after(const int *numbers, int count)
{
    const pid_t child = fork();
    if (child == 0) {
        (void)alarm(20);
        signals_watch();
        for (int i = 0; i < count; i++) {
            (void)raise(numbers[i]);
            signals_unwatch();
            signals_watch();
        }
        _exit(7);
    }
    int status = 0;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    return WEXITSTATUS(status);
}

static void test_second_interrupt_ends_at_once(void **state)
{
    (void)state;
    assert_int_equal(status_after((const int[]){SIGINT}, 1), 7);
    assert_int_equal(status_after((const int[]){SIGTERM, SIGTERM, SIGTERM}, 3), 7);
    assert_int_equal(status_after((const int[]){SIGUSR1, SIGINT, SIGUSR1}, 3), 7);
    assert_int_equal(status_after((const int[]){SIGINT, SIGINT}, 2), 128 + SIGINT);
    assert_int_equal(status_after((const int[]){SIGINT, SIGTERM, SIGINT}, 3), 128 + SIGINT);
}

static void test_interrupts_of_an_earlier_session_do_not_count(void **state)
{
    (void)state;
    for (int i = 0; i < 3; i++) {
        signals_forget();
        signals_watch();
        (void)raise(SIGINT);
        assert_int_equal(signals_seen(), SIGINT);
        signals_unwatch();
    }
}

static void test_names(void **state)
{
    (void)state;
    assert_string_equal(signals_name(SIGINT), "SIGINT");
    assert_string_equal(signals_name(SIGTERM), "SIGTERM");
    assert_string_equal(signals_name(SIGUSR1), "SIGUSR1");
    assert_string_equal(signals_name(SIGUSR2), "SIGUSR2");
    assert_non_null(signals_name(0));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_each_is_seen, begin_session),
        cmocka_unit_test_setup(test_it_is_kept_for_later_runs, begin_session),
        cmocka_unit_test_setup(test_last_one_counts, begin_session),
        cmocka_unit_test_setup(test_handlers_are_given_back, begin_session),
        cmocka_unit_test_setup(test_second_interrupt_ends_at_once, begin_session),
        cmocka_unit_test_setup(test_interrupts_of_an_earlier_session_do_not_count, begin_session),
        cmocka_unit_test_setup(test_names, begin_session),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
