/* SPDX-License-Identifier: BSD-3-Clause */
/* Tests that a bell wakes whoever sleeps, in this process and in another one. */
#define _GNU_SOURCE 1
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/clock.h"
#include "host/bell.h"

#include <pthread.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

/* Longer than any test may take. */
static const int64_t for_ever_ns = INT64_C(3600000000000);

enum { TIMES = 2000 };

/* It rings before anyone sleeps: once is as good as twice. */
static void test_rung_before(void **state)
{
    (void)state;
    bell b = {0};
    assert_false(bell_wait(&b, 0));
    assert_false(bell_wait(&b, 1000000));
    bell_ring(&b);
    bell_ring(&b);
    assert_true(bell_wait(&b, for_ever_ns));
    assert_false(bell_wait(&b, 0));
    bell_ring(&b);
    assert_true(bell_wait(&b, 0));
}

typedef struct pair {
    bell here;
    bell there;
    int64_t count; /* of whoever has been rung for last */
} pair;

/* Answers each ring, and what was written before is seen. */
static void *answer(void *context)
{
    pair *p = context;
    for (int64_t i = 0; i < TIMES; i++) {
        while (!bell_wait(&p->there, for_ever_ns)) {
        }
        p->count++;
        bell_ring(&p->here);
    }
    return NULL;
}

static void check_answers(pair *p)
{
    for (int64_t i = 0; i < TIMES; i++) {
        assert_int_equal(p->count, i);
        bell_ring(&p->there);
        while (!bell_wait(&p->here, for_ever_ns)) {
        }
    }
    assert_int_equal(p->count, TIMES);
}

static void test_threads(void **state)
{
    (void)state;
    pthread_t other;
    pair p = {.count = 0};
    assert_int_equal(pthread_create(&other, NULL, answer, &p), 0);
    check_answers(&p);
    assert_int_equal(pthread_join(other, NULL), 0);
}

static void test_processes(void **state)
{
    (void)state;
    int status = -1;
    pair *p = mmap(NULL, sizeof *p, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    assert_true(p != MAP_FAILED);
    const pid_t child = fork();
    if (child == 0) {
        (void)answer(p);
        _exit(0);
    }
    assert_true(child > 0);
    check_answers(p);
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
    assert_int_equal(munmap(p, sizeof *p), 0);
}

/* Whoever sleeps may die, and the next one hears all the same. */
static void test_a_death(void **state)
{
    (void)state;
    pair *p = mmap(NULL, sizeof *p, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    assert_true(p != MAP_FAILED);
    const pid_t child = fork();
    if (child == 0) {
        bell_ring(&p->here);
        (void)bell_wait(&p->there, for_ever_ns);
        _exit(1);
    }
    assert_true(child > 0 && bell_wait(&p->here, for_ever_ns));
    clock_sleep_ns(20000000);
    assert_int_equal(kill(child, SIGKILL), 0);
    assert_int_equal(waitpid(child, NULL, 0), child);
    bell_ring(&p->there);
    assert_true(bell_wait(&p->there, for_ever_ns));
    assert_false(bell_wait(&p->there, 1000));
    assert_int_equal(munmap(p, sizeof *p), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rung_before), cmocka_unit_test(test_threads),
        cmocka_unit_test(test_processes), cmocka_unit_test(test_a_death)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
