/* SPDX-License-Identifier: BSD-3-Clause */
/* Tests the queue of a simulation: the earliest first, and among equals the first that was added.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "plan/events.h"

#include <math.h>
#include <stdlib.h>

static void test_empty(void **state)
{
    (void)state;
    events *q = events_create(0, 1);
    event e;
    assert_false(events_take(q, &e));
    events_destroy(q);
    events_destroy(NULL);
}

static void test_everything_is_kept(void **state)
{
    (void)state;
    int there = 0;
    events *q = events_create(0, 1);
    const event added = {.when = -1.5, .kind = 3, .rank = 4, .worker = 5, .data = &there};
    event e;
    assert_true(events_add(q, &added));
    assert_true(events_take(q, &e));
    assert_true(e.when == -1.5 && e.kind == 3 && e.rank == 4 && e.worker == 5 && e.data == &there);
    assert_false(events_take(q, &e));
    events_destroy(q);
}

/* Adding and taking in turns, with few different times: always the order of a sorted list. */
static void test_order(void **state)
{
    (void)state;
    enum { ROUNDS = 20000, TIMES = 50 };
    events *q = events_create(0, 1);
    int waiting[TIMES] = {0};
    int next[TIMES] = {0};
    int added[TIMES] = {0};
    uint32_t x = 12345;
    int64_t count = 0;
    for (int i = 0; i < ROUNDS; i++) {
        x = x * 1664525 + 1013904223;
        event e = {.when = (double)(x >> 16 & 0xff) * TIMES / 256};
        const int time = (int)e.when;
        if ((x >> 28) < 9 || i < 2000) {
            e.when = time;
            e.worker = added[time]++;
            waiting[time]++;
            count++;
            assert_true(events_add(q, &e));
        } else if (events_take(q, &e)) {
            const int taken = (int)e.when;
            for (int earlier = 0; earlier < taken; earlier++) {
                assert_int_equal(waiting[earlier], 0);
            }
            assert_int_equal(e.worker, next[taken]++);
            waiting[taken]--;
            count--;
        }
    }
    for (event e; count > 0; count--) {
        assert_true(events_take(q, &e));
    }
    event e;
    assert_false(events_take(q, &e));
    events_destroy(q);
}

/* The next event, and when it comes. */
static void expect(events *q, int kind, double when)
{
    event e;
    assert_true(events_take(q, &e));
    assert_int_equal(e.kind, kind);
    assert_true(fabs(e.when - when) < 1e-9);
}

static void add_work(events *q, int kind, double work)
{
    assert_true(events_add_work(q, &(event){.when = work, .kind = kind}));
}

/* Two cores, and work that needs one of them for half of its time: four at once get on as fast as
 * one, eight half as fast. */
static void test_work_shares_cores(void **state)
{
    (void)state;
    events *q = events_create(2, 0.5);
    for (int kind = 1; kind <= 4; kind++) {
        add_work(q, kind, 10 * kind);
    }
    expect(q, 1, 10);
    for (int kind = 5; kind <= 9; kind++) {
        add_work(q, kind, 100);
    }
    /* Three have 10, 20 and 30 left, of eight. */
    assert_true(events_add(q, &(event){.when = 20, .kind = 10}));
    expect(q, 10, 20);
    expect(q, 2, 30);
    /* Seven, of which four would fit. */
    expect(q, 3, 30 + 10 * 7.0 / 4);
    events_destroy(q);
    q = events_create(0, 1);
    for (int kind = 1; kind <= 100; kind++) {
        add_work(q, kind, kind);
    }
    expect(q, 1, 1);
    /* Work comes before what else happens at its end. */
    assert_true(events_add(q, &(event){.when = 2, .kind = 101}));
    expect(q, 2, 2);
    expect(q, 101, 2);
    expect(q, 3, 3);
    events_destroy(q);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_empty),
        cmocka_unit_test(test_everything_is_kept),
        cmocka_unit_test(test_order),
        cmocka_unit_test(test_work_shares_cores),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
