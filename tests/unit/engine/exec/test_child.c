/* SPDX-License-Identifier: BSD-3-Clause */
/* Tests the child: what it computes comes back, and how it dies is told. */
#define _GNU_SOURCE 1
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/clock.h"
#include "engine/exec/child.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

enum { ROOM = 1000, FAILURES = 100 };

/* What the hook does at an item; all others are computed. */
enum {
    CRASH = 101,
    ABORT,
    EXIT,
    HANG,
    OVERRUN,
    UNDERRUN,
    WAIT,
    FAIL_ALL,
    SIGNALS,
    LOCK,
    NAP,
    STEPS
};

/* What children have done, where the test can see it. */
typedef struct trace {
    atomic_int begun;
    atomic_int computed;
    atomic_int pid; /* of the last one */
} trace;

static trace *seen;
static forker *its_forker;
static child *it;
static child_wish wish;

enum { A_SECOND = 1000000000 };
static const int64_t ever_ns = INT64_C(60) * A_SECOND;

static void begin(void *context)
{
    (void)context;
    atomic_fetch_add(&seen->begun, 1);
    atomic_store(&seen->pid, (int)getpid());
}

/* Whether the last child has ended, and been reaped. One that was ended before its kernel began has
 * not told who it is. */
static bool is_gone(void)
{
    const pid_t pid = (pid_t)atomic_load(&seen->pid);
    return pid == 0 || (kill(pid, 0) != 0 && errno == ESRCH);
}

static void farewell(void)
{
    _exit(99);
}

/* From one area into the next, and no further. */
static int overrun(volatile int64_t *numbers)
{
    for (int64_t i = 0; i < 2 * ROOM; i++) {
        numbers[i] = -1;
    }
    return 0;
}

/* Into the cell. */
static int underrun(volatile int64_t *numbers)
{
    numbers[-1] = -1;
    return 0;
}

static int wait_until_told(const atomic_bool *told)
{
    while (!atomic_load(told)) {
        clock_sleep_ns(1000000);
    }
    return 5;
}

/* By the test itself. */
static pthread_mutex_t taken = PTHREAD_MUTEX_INITIALIZER;

static void raise_all(void)
{
    (void)raise(SIGINT);
    (void)raise(SIGTERM);
    (void)raise(SIGUSR1);
    (void)raise(SIGUSR2);
    (void)raise(SIGHUP);
    (void)raise(SIGPIPE);
}

static int compute(void *context, unsigned char *bytes, const int64_t start[],
                   const atomic_bool *told, _Atomic int64_t *at, int64_t first, int64_t count,
                   span_failures *failures)
{
    (void)context;
    atomic_store(at, first + count / 2);
    int64_t *numbers = (int64_t *)(void *)(bytes + start[0]);
    atomic_fetch_add(&seen->computed, 1);
    switch (first) {
    case CRASH:
        return raise(SIGSEGV);
    case ABORT:
        abort();
    case EXIT:
        exit(3);
    case HANG:
        return pause();
    case OVERRUN:
        return overrun(numbers);
    case UNDERRUN:
        return underrun(numbers);
    case WAIT:
        return wait_until_told(told);
    case LOCK:
        return pthread_mutex_lock(&taken);
    case NAP:
        clock_sleep_ns(A_SECOND / 5 * 3);
        return 6;
    case STEPS:
        for (int64_t i = 0; i < count; i++) {
            atomic_store(at, first + i);
            clock_sleep_ns(A_SECOND / 10 * 7);
        }
        break;
    case SIGNALS:
        raise_all();
        break;
    case FAIL_ALL:
        for (int64_t i = 0; i < count; i++) {
            span_fail(failures, first + i, (int)i + 1, "text");
        }
        return 9;
    default:
        break;
    }
    for (int64_t i = 0; i < count; i++) {
        numbers[i] = first + i;
        bytes[start[1] + i] = (unsigned char)(first + i);
    }
    return 0;
}

static child_wish look(const void *context)
{
    (void)context;
    return wish;
}

static child *make(void)
{
    static const int64_t areas[] = {ROOM * (int64_t)sizeof(int64_t), ROOM};
    const child_setup setup = {.forker = its_forker,
                               .hooks = {.begin = begin, .compute = compute},
                               .areas = 2,
                               .area_bytes = areas};
    error e = {.status = WEFT_OK};
    child *made = NULL;
    return child_create(&setup, &made, &e) == WEFT_OK ? made : NULL;
}

static int set_up(void **state)
{
    (void)state;
    void *shared =
        mmap(NULL, sizeof *seen, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    assert_true(shared != MAP_FAILED);
    seen = shared;
    wish = CHILD_GO_ON;
    error e = {.status = WEFT_OK};
    assert_int_equal(forker_create(NULL, 0, &its_forker, &e), WEFT_OK);
    it = make();
    return it == NULL ? -1 : 0;
}

static int tear_down(void **state)
{
    (void)state;
    child_destroy(it);
    forker_destroy(its_forker);
    assert_int_equal(munmap(seen, sizeof *seen), 0);
    /* Nothing is left, dead or alive. */
    assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
    assert_int_equal(errno, ECHILD);
    return 0;
}

static child_answer ask_within(int64_t first, int64_t count, int64_t limit_ns, int64_t stuck_ns)
{
    span_failures failures = {.rows = NULL};
    const child_wait wait = {.limit_ns = limit_ns, .stuck_ns = stuck_ns, .look = look};
    const child_answer answer = child_compute(it, first, count, &wait, &failures);
    free(failures.rows);
    return answer;
}

static child_answer ask(int64_t first, int64_t count)
{
    return ask_within(first, count, 0, ever_ns);
}

static void check(child_answer answer, child_end end, int number)
{
    assert_int_equal(answer.end, end);
    assert_int_equal(answer.number, number);
}

static void check_computes(int64_t first, int64_t count)
{
    check(ask(first, count), CHILD_DONE, 0);
    const int64_t *numbers = (const int64_t *)(const void *)child_area(it, 0);
    for (int64_t i = 0; i < count; i++) {
        assert_int_equal(numbers[i], first + i);
        assert_int_equal(child_area(it, 1)[i], (unsigned char)(first + i));
    }
}

static void test_one_child_for_many_spans(void **state)
{
    (void)state;
    assert_int_equal(seen->begun, 0);
    for (int i = 0; i < 50; i++) {
        check_computes(1000 + i, i == 49 ? ROOM : i + 1);
    }
    assert_int_equal(seen->begun, 1);
    assert_int_equal(seen->computed, 50);
    assert_false(is_gone());
}

static void test_deaths(void **state)
{
    (void)state;
    (void)atexit(farewell);
    check(ask(CRASH, 1), CHILD_SIGNALLED, SIGSEGV);
    check_computes(7, 3);
    check(ask(ABORT, 1), CHILD_SIGNALLED, SIGABRT);
    check(ask(EXIT, 1), CHILD_EXITED, 3);
    check_computes(7, 3);
    assert_int_equal(seen->begun, 4);
}

/* Where the child was, it has said before it died, or answered. */
static void test_where_it_was(void **state)
{
    (void)state;
    assert_int_equal(ask(CRASH, 10).at, CRASH + 5);
    assert_int_equal(ask(7, 3).at, 8);
    assert_int_equal(ask(FAIL_ALL, FAILURES).at, FAIL_ALL + FAILURES / 2);
}

/* The limit is not one on all items, but starts anew where the child gets on. */
static void test_limit_while_it_gets_on(void **state)
{
    (void)state;
    check(ask_within(STEPS, 4, INT64_C(2) * A_SECOND, ever_ns), CHILD_DONE, 0);
    assert_int_equal(seen->begun, 1);
}

static void test_writing_over_the_edge(void **state)
{
    (void)state;
    check(ask(OVERRUN, 1), CHILD_SIGNALLED, SIGSEGV);
    check(ask(UNDERRUN, 1), CHILD_SIGNALLED, SIGSEGV);
    check_computes(0, ROOM);
}

static void test_killed_while_idle(void **state)
{
    (void)state;
    check_computes(1, 1);
    const pid_t pid = (pid_t)atomic_load(&seen->pid);
    assert_int_equal(kill(pid, SIGKILL), 0);
    siginfo_t info;
    assert_int_equal(waitid(P_PID, (id_t)pid, &info, WEXITED | WNOWAIT), 0);
    check_computes(2, 2);
    assert_int_equal(seen->begun, 2);
}

static void test_reaped_by_somebody_else(void **state)
{
    (void)state;
    void (*before)(int) = signal(SIGCHLD, SIG_IGN);
    check(ask(CRASH, 1), CHILD_LOST, 0);
    check_computes(2, 2);
    child_destroy(it);
    it = NULL;
    (void)signal(SIGCHLD, before);
}

static void test_time_limit(void **state)
{
    (void)state;
    check(ask_within(HANG, 1, 30000000, ever_ns), CHILD_LATE, 0);
    assert_true(is_gone());
    check(ask_within(5, 1, ever_ns, ever_ns), CHILD_DONE, 0);
}

static void test_told_to_stop(void **state)
{
    (void)state;
    wish = CHILD_STOP;
    check(ask(WAIT, 1), CHILD_DONE, 5);
}

static void test_left(void **state)
{
    (void)state;
    wish = CHILD_LEAVE;
    check(ask(HANG, 1), CHILD_LEFT, 0);
    assert_true(is_gone());
    wish = CHILD_GO_ON;
    check_computes(7, 3);
}

/* A lock that another thread had at the fork is never released in the child. Sleep is something
 * else. */
static void test_stuck(void **state)
{
    (void)state;
    assert_int_equal(pthread_mutex_lock(&taken), 0);
    check(ask_within(LOCK, 1, 0, A_SECOND / 5), CHILD_STUCK, 1);
    assert_true(is_gone());
    check(ask_within(LOCK, 1, A_SECOND / 5, ever_ns), CHILD_STUCK, 1);
    assert_int_equal(pthread_mutex_unlock(&taken), 0);
    check(ask_within(LOCK, 1, 0, A_SECOND / 5), CHILD_DONE, 0);
    check(ask_within(NAP, 1, 0, A_SECOND / 5), CHILD_DONE, 6);
}

static void test_signals_are_the_ranks(void **state)
{
    (void)state;
    check(ask(SIGNALS, 1), CHILD_DONE, 0);
}

static void test_more_failures_than_fit(void **state)
{
    (void)state;
    span_failures failures = {.rows = NULL};
    const child_wait wait = {.stuck_ns = ever_ns, .look = look};
    check(child_compute(it, FAIL_ALL, FAILURES, &wait, &failures), CHILD_DONE, 9);
    assert_int_equal(failures.count, FAILURES);
    for (int i = 0; i < FAILURES; i++) {
        assert_int_equal(failures.rows[i].item, FAIL_ALL + i);
        assert_int_equal(failures.rows[i].code, i + 1);
        assert_string_equal(failures.rows[i].text, "text");
    }
    free(failures.rows);
    assert_int_equal(seen->computed, 1);
}

/* A process that is forked by a rank ends with it, also where nobody tells it to. */
static void test_dies_with_its_parent(void **state)
{
    (void)state;
    int ends[2] = {-1, -1};
    assert_int_equal(pipe(ends), 0);
    const pid_t rank = fork();
    if (rank == 0) {
        /* The thread of the one that it had is not here. */
        error e = {.status = WEFT_OK};
        (void)forker_create(NULL, 0, &its_forker, &e);
        it = make();
        (void)ask(1, 1);
        (void)kill(getpid(), SIGKILL);
    }
    assert_int_equal(close(ends[1]), 0);
    assert_int_equal(waitpid(rank, NULL, 0), rank);
    /* The pipe ends when nobody has its other end any more. */
    char byte = 0;
    (void)alarm(600);
    assert_int_equal(read(ends[0], &byte, 1), 0);
    (void)alarm(0);
    assert_int_equal(close(ends[0]), 0);
    assert_int_equal(seen->begun, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_one_child_for_many_spans, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_writing_over_the_edge, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_killed_while_idle, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_reaped_by_somebody_else, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_time_limit, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_told_to_stop, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_left, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_stuck, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_signals_are_the_ranks, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_more_failures_than_fit, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_dies_with_its_parent, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_deaths, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_where_it_was, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_limit_while_it_gets_on, set_up, tear_down),
    };
    const int failed = cmocka_run_group_tests(tests, NULL, NULL);
    (void)fflush(NULL);
    /* What test_deaths() has registered is for children only. */
    _exit(failed);
}
