/* SPDX-License-Identifier: BSD-3-Clause */
/* Tests the service: tasks are done in their order, by a thread or by whoever waits, and nobody
 * waits for longer than he says. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "api/service.h"
#include "base/clock.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

enum { TASKS = 5 };

static const int64_t long_ns = INT64_C(600000000000);

/* A task of several pieces, and what has become of it. */
typedef struct errand {
    task task;
    service *service;
    struct log *log;
    int pieces;
    int worked;
    bool here; /* by the thread that waits */
    pthread_t creator;
    atomic_bool held; /* does not come to its end before this is false */
    bool told;        /* that an earlier one has failed */
    bool fails;
    bool beside; /* may begin beside others */
    int number;  /* the thread that has taken it */
} errand;

typedef struct log {
    const errand *done[TASKS];
    int count;
    bool failed;
} log;

static bool work(void *context, int64_t until_ns)
{
    errand *t = context;
    (void)until_ns;
    if (t->worked == 0) {
        t->here = pthread_equal(pthread_self(), t->creator) != 0;
        service_tell_begun(t->service, &t->task);
    }
    t->worked += t->worked < t->pieces;
    while (atomic_load(&t->held) && until_ns == INT64_MAX) {
        clock_sleep_ns(100000);
    }
    return t->worked >= t->pieces && !atomic_load(&t->held);
}

static void given(void *context)
{
    errand *t = context;
    t->told = t->log->failed;
}

static bool beside(void *context)
{
    return ((const errand *)context)->beside;
}

static void taken(void *context, int number)
{
    ((errand *)context)->number = number;
}

static void done(void *context, task *behind)
{
    errand *t = context;
    t->log->done[t->log->count++] = t;
    t->log->failed = t->log->failed || t->fails;
    for (; behind != NULL && t->fails; behind = behind->next) {
        ((errand *)behind->context)->told = true;
    }
}

/* A service, and what it may be given. */
typedef struct scene {
    service *s;
    errand t[TASKS];
    log l;
} scene;

static void create(scene *c, int threads)
{
    error e = {.status = WEFT_OK};
    assert_int_equal(service_create(threads, threads, &c->s, &e), WEFT_OK);
    assert_int_equal(service_in_background(c->s), threads > 0);
    c->l = (log){.count = 0};
    for (int i = 0; i < TASKS; i++) {
        errand *t = &c->t[i];
        *t = (errand){.task = {.number = -1,
                               .work = work,
                               .given = given,
                               .beside = beside,
                               .taken = taken,
                               .done = done,
                               .context = t},
                      .service = c->s,
                      .log = &c->l,
                      .pieces = 3,
                      .creator = pthread_self()};
        atomic_init(&t->held, false);
    }
}

static void give(service *s, errand *t)
{
    error e = {.status = WEFT_OK};
    assert_int_equal(service_start(s, &e), WEFT_OK);
    service_give(s, &t->task);
}

static void test_in_their_order(void **state)
{
    (void)state;
    for (int background = 0; background <= SERVICE_MOST_THREADS; background++) {
        scene c;
        create(&c, background);
        assert_true(service_idle(c.s));
        for (int i = 0; i < TASKS; i++) {
            assert_int_equal(service_state(c.s, &c.t[i].task), TASK_NONE);
            give(c.s, &c.t[i]);
        }
        assert_true(service_wait(c.s, &c.t[TASKS - 1].task, TASK_DONE, INT64_MAX));
        assert_true(service_idle(c.s));
        assert_int_equal(c.l.count, TASKS);
        for (int i = 0; i < TASKS; i++) {
            assert_ptr_equal(c.l.done[i], &c.t[i]);
            assert_int_equal(c.t[i].worked, 3);
            assert_int_equal(c.t[i].here, background == 0);
            assert_int_equal(service_state(c.s, &c.t[i].task), TASK_DONE);
        }
        service_destroy(c.s);
    }
}

/* A wait ends when it is to; the task goes on. */
static void test_a_limit(void **state)
{
    (void)state;
    for (int background = 0; background <= SERVICE_MOST_THREADS; background++) {
        scene c;
        create(&c, background);
        atomic_store(&c.t[0].held, true);
        give(c.s, &c.t[0]);
        give(c.s, &c.t[1]);
        assert_false(service_wait(c.s, &c.t[0].task, TASK_DONE, clock_now_ns()));
        assert_false(service_wait(c.s, &c.t[1].task, TASK_DONE, clock_now_ns() + 10000000));
        assert_true(service_wait(c.s, &c.t[0].task, TASK_BEGUN, clock_now_ns() + long_ns));
        assert_int_equal(service_state(c.s, &c.t[1].task), TASK_GIVEN);
        assert_false(service_idle(c.s));
        assert_int_equal(c.l.count, 0);
        atomic_store(&c.t[0].held, false);
        assert_true(service_wait(c.s, &c.t[1].task, TASK_DONE, clock_now_ns() + long_ns));
        assert_int_equal(c.l.count, 2);
        service_destroy(c.s);
    }
}

/* Without a service thread nothing is done before somebody waits, and then as little as asked. */
static void test_nothing_by_itself(void **state)
{
    (void)state;
    scene c;
    create(&c, 0);
    give(c.s, &c.t[0]);
    assert_int_equal(c.t[0].worked, 0);
    for (int i = 1; i < c.t[0].pieces; i++) {
        assert_false(service_wait(c.s, &c.t[0].task, TASK_DONE, 0));
        assert_int_equal(c.t[0].worked, i);
    }
    assert_true(service_wait(c.s, &c.t[0].task, TASK_DONE, 0));
    service_destroy(c.s);
}

/* At once, by the caller, also where there would be a service thread. */
static void test_at_once(void **state)
{
    (void)state;
    scene c;
    create(&c, 1);
    service_do(c.s, &c.t[0].task);
    assert_true(c.t[0].here);
    assert_int_equal(service_state(c.s, &c.t[0].task), TASK_DONE);
    give(c.s, &c.t[1]);
    assert_true(service_wait(c.s, &c.t[1].task, TASK_DONE, INT64_MAX));
    assert_false(c.t[1].here);
    service_do(c.s, &c.t[2].task);
    assert_true(c.t[2].here);
    assert_int_equal(c.l.count, 3);
    service_destroy(c.s);
}

/* Those that are behind one that fails learn of it, whether they were given before or after. */
static void test_failures_are_told(void **state)
{
    (void)state;
    for (int background = 0; background <= SERVICE_MOST_THREADS; background++) {
        scene c;
        create(&c, background);
        atomic_store(&c.t[1].held, true);
        c.t[1].fails = true;
        for (int i = 0; i < 3; i++) {
            give(c.s, &c.t[i]);
        }
        assert_true(service_wait(c.s, &c.t[1].task, TASK_BEGUN, clock_now_ns() + long_ns));
        atomic_store(&c.t[1].held, false);
        assert_true(service_wait(c.s, &c.t[1].task, TASK_DONE, INT64_MAX));
        give(c.s, &c.t[3]);
        assert_true(service_wait(c.s, &c.t[3].task, TASK_DONE, INT64_MAX));
        assert_false(c.t[0].told);
        assert_false(c.t[1].told);
        assert_true(c.t[2].told);
        assert_true(c.t[3].told);
        service_destroy(c.s);
    }
    service_destroy(NULL);
}

static void release(errand *t)
{
    atomic_store(&t->held, false);
}

/* A task that may does not wait for the one before it, but for its beginning, and is told as done
 * after it. Others wait. */
static void test_beside_each_other(void **state)
{
    (void)state;
    scene c;
    create(&c, SERVICE_MOST_THREADS);
    for (int i = 0; i < TASKS; i++) {
        c.t[i].beside = i != 3;
        atomic_store(&c.t[i].held, true);
        give(c.s, &c.t[i]);
    }
    assert_true(service_wait(c.s, &c.t[1].task, TASK_BEGUN, clock_now_ns() + long_ns));
    assert_true(service_state(c.s, &c.t[0].task) == TASK_BEGUN);
    assert_true(c.t[0].number != c.t[1].number);
    assert_int_equal(service_state(c.s, &c.t[2].task), TASK_GIVEN);
    release(&c.t[1]);
    assert_true(service_wait(c.s, &c.t[1].task, TASK_OVER, clock_now_ns() + long_ns));
    assert_int_equal(service_state(c.s, &c.t[1].task), TASK_OVER);
    assert_false(service_wait(c.s, &c.t[1].task, TASK_DONE, clock_now_ns() + 1000000));
    assert_true(service_wait(c.s, &c.t[2].task, TASK_BEGUN, clock_now_ns() + long_ns));
    release(&c.t[2]);
    assert_true(service_wait(c.s, &c.t[2].task, TASK_OVER, clock_now_ns() + long_ns));
    assert_int_equal(service_state(c.s, &c.t[3].task), TASK_GIVEN);
    release(&c.t[0]);
    assert_true(service_wait(c.s, &c.t[2].task, TASK_DONE, clock_now_ns() + long_ns));
    assert_true(service_wait(c.s, &c.t[3].task, TASK_BEGUN, clock_now_ns() + long_ns));
    release(&c.t[3]);
    release(&c.t[4]);
    assert_true(service_wait(c.s, &c.t[4].task, TASK_DONE, clock_now_ns() + long_ns));
    assert_true(service_idle(c.s));
    service_destroy(c.s);
}

/* One that is for a certain thread waits for that, though another one is free. */
static void test_for_a_thread(void **state)
{
    (void)state;
    scene c;
    create(&c, SERVICE_MOST_THREADS);
    for (int i = 0; i < 3; i++) {
        c.t[i].task.number = 1 - i % 2;
        c.t[i].beside = true;
        atomic_store(&c.t[i].held, i < 2);
        give(c.s, &c.t[i]);
    }
    assert_true(service_wait(c.s, &c.t[1].task, TASK_BEGUN, clock_now_ns() + long_ns));
    assert_true(c.t[0].number == 1 && c.t[1].number == 0);
    release(&c.t[1]);
    assert_true(service_wait(c.s, &c.t[1].task, TASK_OVER, clock_now_ns() + long_ns));
    assert_false(service_wait(c.s, &c.t[2].task, TASK_TAKEN, clock_now_ns() + 10000000));
    release(&c.t[0]);
    assert_true(service_wait(c.s, &c.t[2].task, TASK_DONE, clock_now_ns() + long_ns));
    assert_int_equal(c.t[2].number, 1);
    service_destroy(c.s);
}

/* One that has failed, though it is not told yet, keeps those behind it from beginning as any. */
static void test_a_failure_beside(void **state)
{
    (void)state;
    scene c;
    create(&c, SERVICE_MOST_THREADS);
    c.t[1].fails = true;
    for (int i = 0; i < 3; i++) {
        c.t[i].beside = true;
        atomic_store(&c.t[i].held, i < 2);
        give(c.s, &c.t[i]);
    }
    assert_true(service_wait(c.s, &c.t[1].task, TASK_BEGUN, clock_now_ns() + long_ns));
    assert_int_equal(service_state(c.s, &c.t[2].task), TASK_GIVEN);
    release(&c.t[1]);
    assert_true(service_wait(c.s, &c.t[2].task, TASK_OVER, clock_now_ns() + long_ns));
    assert_int_equal(service_state(c.s, &c.t[1].task), TASK_OVER);
    assert_true(c.t[2].told);
    assert_false(c.t[0].told);
    release(&c.t[0]);
    assert_true(service_wait(c.s, &c.t[2].task, TASK_DONE, clock_now_ns() + long_ns));
    service_destroy(c.s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_in_their_order),    cmocka_unit_test(test_a_limit),
        cmocka_unit_test(test_nothing_by_itself), cmocka_unit_test(test_at_once),
        cmocka_unit_test(test_failures_are_told), cmocka_unit_test(test_beside_each_other),
        cmocka_unit_test(test_for_a_thread),      cmocka_unit_test(test_a_failure_beside),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
