/* SPDX-License-Identifier: BSD-3-Clause */
/* Tests how often ranks assure each other that they are alive, and which time counts as silence. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "sched/pulse.h"

static const int64_t beat_ns = 100000000;
static const int64_t limit_ns = 1000000000;
static const int64_t start_ns = INT64_C(77000000000);

/* Many ranks beat less often, and the limit leaves room for some beats. */
static void test_pulse_of_many_ranks(void **state)
{
    (void)state;
    pulse p = pulse_for(beat_ns, 5 * limit_ns, 4, false);
    assert_int_equal(p.beat_ns, beat_ns);
    assert_int_equal(p.limit_ns, 5 * limit_ns);
    p = pulse_for(beat_ns, 5 * limit_ns, 100000, false);
    assert_true(p.beat_ns >= limit_ns);
    assert_true(p.limit_ns >= 3 * p.beat_ns);
    p = pulse_for(beat_ns, 0, 100000, false);
    assert_int_equal(p.limit_ns, 0);
}

/* No rank is presumed dead before it is in doubt, and every rank is sure of itself until shortly
 * before it is. */
static void test_pulse_of_busy_ranks(void **state)
{
    (void)state;
    const pulse idle = pulse_for(beat_ns, 5 * limit_ns, 4, false);
    const pulse busy = pulse_for(beat_ns, 5 * limit_ns, 4, true);
    assert_int_equal(busy.beat_ns, idle.beat_ns);
    assert_int_equal(busy.limit_ns, 60 * idle.limit_ns);
    assert_int_equal(busy.doubt_ns, 60 * idle.doubt_ns);
    assert_true(idle.doubt_ns < idle.sure_ns && idle.sure_ns < idle.limit_ns);
    assert_int_equal(busy.limit_ns - busy.sure_ns, idle.limit_ns - idle.sure_ns);
}

/* A process that was stopped has not listened meanwhile. */
static void test_only_time_listened_counts(void **state)
{
    (void)state;
    listening l = listening_begin(limit_ns, start_ns);
    int64_t now_ns = start_ns;
    for (int i = 0; i < 100; i++) {
        now_ns += limit_ns / 100;
        listening_look(&l, now_ns);
    }
    assert_true(l.listened_ns == limit_ns);
    now_ns += 100 * limit_ns;
    listening_look(&l, now_ns);
    assert_true(l.listened_ns > limit_ns && l.listened_ns < limit_ns + limit_ns / 10);
    listening_look(&l, now_ns);
    assert_true(l.listened_ns < limit_ns + limit_ns / 10);
}

/* A thread that means to look ten times more often than it gets a core waits ten times longer. */
static void test_a_wait_for_a_core_is_no_silence(void **state)
{
    (void)state;
    const int64_t step_ns = limit_ns / 100;
    listening l = listening_begin(limit_ns, start_ns);
    int64_t now_ns = start_ns;
    for (int i = 0; i < 100; i++) {
        now_ns += step_ns;
        listening_look_after(&l, now_ns, step_ns / 10);
    }
    assert_true(l.listened_ns == limit_ns / 10);
    /* A rest that ends early is none longer. */
    now_ns += step_ns;
    listening_look_after(&l, now_ns, 3 * step_ns);
    assert_true(l.listened_ns == limit_ns / 10 + step_ns);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_pulse_of_many_ranks),
        cmocka_unit_test(test_pulse_of_busy_ranks),
        cmocka_unit_test(test_only_time_listened_counts),
        cmocka_unit_test(test_a_wait_for_a_core_is_no_silence),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
