/* SPDX-License-Identifier: BSD-3-Clause */
/* Tests that a process which waits for what nobody will do is told from one that sleeps, works, or
 * is stopped. */
#define _GNU_SOURCE 1
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/sanitized.h"
#include "engine/exec/stillness.h"
#include "host/process.h"

#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stdbool.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

static const int64_t second_ns = INT64_C(1000000000);

static pthread_mutex_t taken = PTHREAD_MUTEX_INITIALIZER;
static sem_t *shared;

static void wait_for_lock(void)
{
    (void)pthread_mutex_lock(&taken);
}

static void wait_for_others(void)
{
    (void)sem_wait(shared);
}

static void wait_a_while(void)
{
    const struct timespec until = {.tv_sec = INT32_MAX};
    (void)pthread_mutex_timedlock(&taken, &until);
}

static void sleep_long(void)
{
    (void)pause();
}

static void work(void)
{
    for (volatile int64_t i = 0;; i = i + 1) {
    }
}

static void *work_beside(void *unused)
{
    (void)unused;
    sleep_long();
    return NULL;
}

/* One thread waits for a lock, but another does not. */
static void wait_in_company(void)
{
    pthread_t thread;
    (void)pthread_create(&thread, NULL, work_beside, NULL);
    wait_for_lock();
}

static pid_t start(void (*act)(void))
{
    const pid_t pid = fork();
    if (pid == 0) {
        (void)alarm(600);
        act();
        _exit(0);
    }
    return pid;
}

static void end(pid_t pid)
{
    assert_int_equal(kill(pid, SIGKILL), 0);
    assert_int_equal(waitpid(pid, NULL, 0), pid);
}

/* Processes take their time until they are where they are to be. */
static bool comes_to(pid_t pid, process_state state)
{
    process_state now = process_look(pid);
    for (int i = 0; i < 20000 && now != state; i++) {
        clock_sleep_ns(1000000);
        now = process_look(pid);
    }
    return now == state;
}

static void check(void (*act)(void), process_state state)
{
    const pid_t pid = start(act);
    assert_true(comes_to(pid, state));
    assert_int_equal(stillness_now(pid, true), state >= PROCESS_WAITING);
    assert_int_equal(stillness_now(pid, false), state >= PROCESS_ASLEEP);
    end(pid);
}

static void test_states(void **state)
{
    (void)state;
    check(wait_for_lock, PROCESS_STUCK);
    check(wait_for_others, PROCESS_WAITING);
    check(wait_a_while, PROCESS_ASLEEP);
    check(sleep_long, PROCESS_ASLEEP);
    check(wait_in_company, PROCESS_ASLEEP);
    check(work, PROCESS_ACTIVE);
}

static void test_stopped(void **state)
{
    (void)state;
    const pid_t pid = start(wait_for_lock);
    assert_true(comes_to(pid, PROCESS_STUCK));
    assert_int_equal(kill(pid, SIGSTOP), 0);
    assert_true(comes_to(pid, PROCESS_ACTIVE));
    end(pid);
}

/* Looks once per second of a clock of its own; after how many looks it is found still. */
static int count_looks(pid_t pid, bool begun, int64_t limit_ns, int most)
{
    stillness s = {.looked_ns = 0};
    for (int i = 1; i <= most; i++) {
        if (stillness_look(&s, pid, begun, limit_ns, i * second_ns)) {
            return i;
        }
    }
    return 0;
}

static void test_limits(void **state)
{
    (void)state;
    pid_t pid = start(wait_for_lock);
    assert_true(comes_to(pid, PROCESS_STUCK));
    assert_int_equal(count_looks(pid, true, 20 * second_ns, 100), 21);
    /* Of the time in which nobody looked little counts. */
    stillness s = {.looked_ns = 0};
    assert_false(stillness_look(&s, pid, true, 20 * second_ns, second_ns));
    assert_false(stillness_look(&s, pid, true, 20 * second_ns, 3600 * second_ns));
    end(pid);
    pid = start(wait_for_others);
    assert_true(comes_to(pid, PROCESS_WAITING));
    assert_int_equal(count_looks(pid, true, 20 * second_ns, 200), 121);
    end(pid);
    pid = start(sleep_long);
    assert_true(comes_to(pid, PROCESS_ASLEEP));
    assert_int_equal(count_looks(pid, true, 20 * second_ns, 200), 0);
    assert_int_equal(count_looks(pid, false, 20 * second_ns, 200), 21);
    end(pid);
}

static void test_cpu(void **state)
{
    (void)state;
    const pid_t pid = start(work);
    const int64_t before_ns = process_cpu_ns(pid);
    assert_true(before_ns >= 0);
    while (process_cpu_ns(pid) < before_ns + 1000000) {
        clock_sleep_ns(1000000);
    }
    end(pid);
    assert_int_equal(process_cpu_ns(pid), -1);
    assert_int_equal(process_look(pid), PROCESS_ACTIVE);
}

static int set_up(void **state)
{
    (void)state;
    void *memory =
        mmap(NULL, sizeof *shared, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    shared = memory;
    return memory == MAP_FAILED || sem_init(shared, 1, 0) != 0 ? -1 : pthread_mutex_lock(&taken);
}

static int tear_down(void **state)
{
    (void)state;
    (void)pthread_mutex_unlock(&taken);
    return munmap(shared, sizeof *shared);
}

int main(void)
{
    if (SANITIZED_THREADS) { /* a sanitizer's thread in every process naps */
        return 0;
    }
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_states),
        cmocka_unit_test(test_stopped),
        cmocka_unit_test(test_limits),
        cmocka_unit_test(test_cpu),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
