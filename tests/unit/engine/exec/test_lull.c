/* SPDX-License-Identifier: BSD-3-Clause */
/* Tests that nobody is busy while it is quiet, and that nobody is held up for ever. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/clock.h"
#include "engine/exec/lull.h"

#include <pthread.h>

enum { THREADS = 3, ROUNDS = 50, A_MINUTE_S = 60 };

typedef struct scene {
    lull *lull[2]; /* of two runs */
    atomic_int next_seat;
    atomic_int inside; /* threads that may hold a lock */
    atomic_llong turns;
    atomic_bool over;
} scene;

static void *work(void *context)
{
    scene *s = context;
    const int number = atomic_fetch_add(&s->next_seat, 1);
    const int seat = number / 2;
    lull *q = s->lull[number % 2];
    while (!atomic_load(&s->over)) {
        lull_break(q, seat);
        atomic_fetch_add(&s->inside, 1);
        atomic_fetch_add(&s->turns, 1);
        clock_sleep_ns(200000); /* longer than it takes to be heard */
        atomic_fetch_sub(&s->inside, 1);
        lull_keep(q, seat);
    }
    return NULL;
}

static void test_lull(void **state)
{
    (void)state;
    scene s = {.over = false};
    error e = {.status = WEFT_OK};
    pthread_t thread[THREADS];
    int loud = 0;
    assert_int_equal(lull_create(THREADS, &s.lull[0], &e), WEFT_OK);
    assert_int_equal(lull_create(THREADS, &s.lull[1], &e), WEFT_OK);
    for (int i = 0; i < THREADS; i++) {
        assert_int_equal(pthread_create(&thread[i], NULL, work, &s), 0);
    }
    for (int round = 0; round < ROUNDS; round++) {
        const long long before = atomic_load(&s.turns);
        while (atomic_load(&s.turns) == before) {
            clock_sleep_ns(10000);
        }
        const int64_t begin_ns = clock_now_ns();
        const bool reached = lull_begin(INT64_C(1000000000) * A_MINUTE_S);
        const int inside = atomic_load(&s.inside);
        /* Where this thread has had to wait for a core, the quiet may be over. */
        loud += reached && clock_now_ns() - begin_ns < 500000000 ? inside : 0;
        lull_end();
    }
    atomic_store(&s.over, true);
    for (int i = 0; i < THREADS; i++) {
        assert_int_equal(pthread_join(thread[i], NULL), 0);
    }
    lull_destroy(s.lull[0]);
    lull_destroy(s.lull[1]);
    assert_int_equal(loud, 0);
}

static void test_limits(void **state)
{
    (void)state;
    error e = {.status = WEFT_OK};
    lull *q = NULL;
    assert_int_equal(lull_create(2, &q, &e), WEFT_OK);
    lull_break(q, 1);
    assert_false(lull_begin(1000000));
    /* Nobody says that it is over. */
    lull_break(q, 0);
    lull_keep(q, 0);
    lull_keep(q, 1);
    assert_true(lull_begin(1000000));
    lull_end();
    lull_destroy(q);
    lull_break(NULL, 0);
    lull_keep(NULL, 0);
    lull_destroy(NULL);
}

typedef struct turns {
    atomic_int lulls;
    atomic_int together; /* times that there were two */
} turns;

static void *begin_and_end(void *context)
{
    turns *t = context;
    for (int round = 0; round < ROUNDS; round++) {
        (void)lull_begin(INT64_C(1000000000) * A_MINUTE_S);
        atomic_fetch_add(&t->together, atomic_fetch_add(&t->lulls, 1) > 0);
        clock_sleep_ns(100000);
        atomic_fetch_sub(&t->lulls, 1);
        lull_end();
    }
    return NULL;
}

/* The end of a lull is no other run's. */
static void test_one_at_a_time(void **state)
{
    (void)state;
    turns t = {.lulls = 0};
    pthread_t thread[THREADS];
    for (int i = 0; i < THREADS; i++) {
        assert_int_equal(pthread_create(&thread[i], NULL, begin_and_end, &t), 0);
    }
    for (int i = 0; i < THREADS; i++) {
        assert_int_equal(pthread_join(thread[i], NULL), 0);
    }
    assert_int_equal(atomic_load(&t.together), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_lull),
        cmocka_unit_test(test_limits),
        cmocka_unit_test(test_one_at_a_time),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
