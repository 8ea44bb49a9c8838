/* SPDX-License-Identifier: BSD-3-Clause */
/* Tests the signals that ask a run to stop, from the beginning of a session to the end of the
 * process. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "host/signals.h"

#include <signal.h>
#include <stdbool.h>
#include <sys/wait.h>
#include <unistd.h>

static const int stops[] = {SIGTERM, SIGHUP, SIGXCPU, SIGUSR1, SIGUSR2, SIGINT};
static const int writes[] = {SIGPIPE, SIGXFSZ};
enum { STOPS = sizeof stops / sizeof stops[0], WRITES = sizeof writes / sizeof writes[0] };

static volatile sig_atomic_t own_handler_got = 0;
static volatile sig_atomic_t hook_called = 0;

/* Each test has a process of its own for what it does to signals: these fail in there. */
static void must(bool held)
{
    if (!held) {
        _exit(99);
    }
}

/* How a child ends that does `what`: its exit status, or minus a signal. */
static int in_a_child(void (*what)(int), int number)
{
    const pid_t child = fork();
    if (child == 0) {
        (void)alarm(600);
        what(number);
        _exit(7);
    }
    int status = 0;
    assert_int_equal(waitpid(child, &status, 0), child);
    return WIFSIGNALED(status) ? -WTERMSIG(status) : WEXITSTATUS(status);
}

static void own_handler(int number)
{
    own_handler_got = number;
}

static void install(int number, void (*handler)(int))
{
    struct sigaction action = {.sa_handler = handler};
    (void)sigemptyset(&action.sa_mask);
    must(sigaction(number, &action, NULL) == 0);
}

static bool is_handled_by(int number, void (*handler)(int))
{
    struct sigaction now;
    must(sigaction(number, NULL, &now) == 0);
    return now.sa_handler == handler;
}

static void see(int number)
{
    signals_begin();
    must(signals_seen() == 0);
    (void)raise(number);
    must(signals_seen() == number);
}

static void test_each_is_seen(void **state)
{
    (void)state;
    for (int i = 0; i < STOPS; i++) {
        assert_int_equal(in_a_child(see, stops[i]), 7);
    }
}

/* Of a failed write. */
static void write_and_fail(int number)
{
    signals_begin();
    (void)raise(number);
    must(signals_seen() == 0);
    signals_end(0);
    must(is_handled_by(number, SIG_DFL));
}

static void keep_own_for_writes(int number)
{
    install(number, own_handler);
    signals_begin();
    must(is_handled_by(number, own_handler));
    signals_end(0);
    must(is_handled_by(number, own_handler));
}

static void test_a_failed_write_ends_nothing(void **state)
{
    (void)state;
    for (int i = 0; i < WRITES; i++) {
        assert_int_equal(in_a_child(write_and_fail, writes[i]), 7);
        assert_int_equal(in_a_child(keep_own_for_writes, writes[i]), 7);
    }
}

/* nohup */
static void be_ignored(int number)
{
    install(number, SIG_IGN);
    signals_begin();
    signals_watch();
    (void)raise(number);
    must(signals_seen() == (number == SIGHUP || number == SIGXCPU ? 0 : number));
    signals_unwatch();
    signals_end(0);
    must(is_handled_by(number, SIG_IGN));
}

static void test_what_was_ignored(void **state)
{
    (void)state;
    for (int i = 0; i < STOPS; i++) {
        assert_int_equal(in_a_child(be_ignored, stops[i]), 7);
    }
}

/* It is sent once: also who begins to watch again later is to stop. */
static void run_again(int number)
{
    signals_begin();
    signals_watch();
    (void)raise(number);
    signals_unwatch();
    must(signals_seen() == number);
    signals_watch();
    must(signals_seen() == number);
    signals_unwatch();
    signals_begin();
    must(signals_seen() == 0);
}

static void test_it_is_kept_for_later_runs(void **state)
{
    (void)state;
    assert_int_equal(in_a_child(run_again, SIGUSR1), 7);
}

static void get_three(int number)
{
    signals_begin();
    (void)raise(SIGUSR1);
    (void)raise(SIGINT);
    (void)raise(number);
    must(signals_seen() == number);
}

static void test_last_one_counts(void **state)
{
    (void)state;
    assert_int_equal(in_a_child(get_three, SIGTERM), 7);
}

static void have_own_handler(int number)
{
    install(number, own_handler);
    signals_begin();
    (void)raise(number);
    must(own_handler_got == 0 && signals_seen() == number);
    signals_end(0);
    (void)raise(number);
    must(own_handler_got == number);
}

/* Installed in the session, by MPI's start or by the program. */
static void install_later(int number)
{
    signals_begin();
    install(number, own_handler);
    signals_watch();
    (void)raise(number);
    must(own_handler_got == 0 && signals_seen() == number);
    signals_unwatch();
    (void)raise(number);
    must(own_handler_got == number);
    signals_end(0);
    must(is_handled_by(number, own_handler));
}

static void test_handlers_are_given_back(void **state)
{
    (void)state;
    for (int i = 0; i < STOPS; i++) {
        assert_int_equal(in_a_child(have_own_handler, stops[i]), 7);
        assert_int_equal(in_a_child(install_later, stops[i]), 7);
    }
}

/* Up to the end of the process. */
static void stop_and_end(int number)
{
    signals_begin();
    (void)raise(number);
    signals_end(75);
    for (int i = 0; i < STOPS; i++) {
        (void)raise(stops[i] == SIGINT ? SIGTERM : stops[i]);
    }
}

static void end_complete(int number)
{
    signals_begin();
    signals_end(0);
    (void)raise(number);
}

static void end_by_an_error(int number)
{
    signals_begin();
    signals_end(2);
    signals_end(1); /* it has ended */
    (void)raise(number);
}

static void begin_anew(int number)
{
    signals_begin();
    signals_end(0);
    signals_begin();
    (void)raise(number);
    must(signals_seen() == number);
}

static void test_after_the_session(void **state)
{
    (void)state;
    for (int i = 0; i < STOPS; i++) {
        assert_int_equal(in_a_child(stop_and_end, stops[i]), 7);
        assert_int_equal(in_a_child(end_complete, stops[i]), 75);
        assert_int_equal(in_a_child(end_by_an_error, stops[i]), 2);
        assert_int_equal(in_a_child(begin_anew, stops[i]), 7);
    }
}

static void end_without_a_session(int number)
{
    signals_end(0);
    (void)raise(number);
}

static void test_no_session(void **state)
{
    (void)state;
    assert_int_equal(in_a_child(end_without_a_session, SIGTERM), -SIGTERM);
}

static void interrupt_twice(int between)
{
    signals_begin();
    signals_watch();
    (void)raise(SIGINT);
    signals_unwatch();
    (void)raise(between);
    signals_watch();
    (void)raise(SIGINT);
}

static void interrupt_after_the_end(int number)
{
    signals_begin();
    (void)raise(number);
    signals_end(75);
    (void)raise(SIGINT);
}

static void test_second_interrupt_ends_at_once(void **state)
{
    (void)state;
    assert_int_equal(in_a_child(interrupt_twice, SIGTERM), 128 + SIGINT);
    assert_int_equal(in_a_child(interrupt_twice, SIGINT), 128 + SIGINT);
    assert_int_equal(in_a_child(interrupt_after_the_end, SIGINT), 128 + SIGINT);
    assert_int_equal(in_a_child(interrupt_after_the_end, SIGTERM), 7);
}

static void interrupt_each_session(int number)
{
    for (int i = 0; i < 3; i++) {
        signals_begin();
        (void)raise(number);
        must(signals_seen() == number);
        signals_end(75);
    }
}

static void test_interrupts_of_an_earlier_session_do_not_count(void **state)
{
    (void)state;
    assert_int_equal(in_a_child(interrupt_each_session, SIGINT), 7);
}

static void hook(void)
{
    hook_called++;
}

static void call_hook(int number)
{
    signals_begin();
    signals_tell(hook);
    (void)raise(number);
    signals_tell(NULL);
    (void)raise(number);
    must(hook_called == 1);
}

static void test_hook(void **state)
{
    (void)state;
    assert_int_equal(in_a_child(call_hook, SIGTERM), 7);
}

/* A child of a run; what its parent gets is seen there. */
static void leave_to_parent(int number)
{
    int status = 0;
    signals_begin();
    const pid_t child = fork();
    if (child == 0) {
        signals_leave_to_parent();
        for (int i = 0; i < STOPS; i++) {
            must(stops[i] == SIGXCPU || raise(stops[i]) == 0);
        }
        for (int i = 0; i < WRITES; i++) {
            (void)raise(writes[i]);
        }
        (void)raise(number);
        _exit(7);
    }
    while (waitpid(child, &status, 0) != child) {
    }
    must(WIFEXITED(status) && WEXITSTATUS(status) == 7);
    must(signals_seen() == (number == SIGXCPU ? SIGXCPU : 0));
}

static void test_a_child_leaves_them_to_its_parent(void **state)
{
    (void)state;
    assert_int_equal(in_a_child(leave_to_parent, SIGINT), 7);
    assert_int_equal(in_a_child(leave_to_parent, SIGXCPU), 7);
}

static void test_names(void **state)
{
    (void)state;
    assert_string_equal(signals_name(SIGINT), "SIGINT");
    assert_string_equal(signals_name(SIGTERM), "SIGTERM");
    assert_string_equal(signals_name(SIGXCPU), "SIGXCPU");
    assert_non_null(signals_name(0));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_each_is_seen),
        cmocka_unit_test(test_a_failed_write_ends_nothing),
        cmocka_unit_test(test_what_was_ignored),
        cmocka_unit_test(test_it_is_kept_for_later_runs),
        cmocka_unit_test(test_last_one_counts),
        cmocka_unit_test(test_handlers_are_given_back),
        cmocka_unit_test(test_after_the_session),
        cmocka_unit_test(test_no_session),
        cmocka_unit_test(test_second_interrupt_ends_at_once),
        cmocka_unit_test(test_interrupts_of_an_earlier_session_do_not_count),
        cmocka_unit_test(test_hook),
        cmocka_unit_test(test_a_child_leaves_them_to_its_parent),
        cmocka_unit_test(test_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
