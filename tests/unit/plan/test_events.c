/* SPDX-License-Identifier: BSD-3-Clause */
/* Tests the queue of a simulation: the earliest first, and among equals the first that was added.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "plan/events.h"

#include <stdlib.h>

static void test_empty(void **state)
{
    (void)state;
    events *q = events_create();
    event e;
    assert_int_equal(events_count(q), 0);
    assert_false(events_peek(q, &e));
    assert_false(events_take(q, &e));
    events_destroy(q);
    events_destroy(NULL);
}

static void test_everything_is_kept(void **state)
{
    (void)state;
    int there = 0;
    events *q = events_create();
    const event added = {.when = -1.5, .kind = 3, .rank = 4, .worker = 5, .data = &there};
    event e;
    assert_true(events_add(q, &added));
    assert_true(events_peek(q, &e));
    assert_int_equal(events_count(q), 1);
    assert_true(events_take(q, &e));
    assert_true(e.when == -1.5 && e.kind == 3 && e.rank == 4 && e.worker == 5 && e.data == &there);
    assert_int_equal(events_count(q), 0);
    events_destroy(q);
}

/* Adding and taking in turns, with few different times: always the order of a sorted list. */
static void test_order(void **state)
{
    (void)state;
    enum { ROUNDS = 20000, TIMES = 50 };
    events *q = events_create();
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
        assert_int_equal(events_count(q), count);
    }
    events_destroy(q);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_empty),
        cmocka_unit_test(test_everything_is_kept),
        cmocka_unit_test(test_order),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
