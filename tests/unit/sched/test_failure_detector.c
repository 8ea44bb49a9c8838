/* SPDX-License-Identifier: BSD-3-Clause */
/* Tests who is presumed dead: the silent, but not those whom nobody has listened to. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "sched/failure_detector.h"

enum { RANKS = 5 };

static const int64_t limit_ns = 1000000000;
static const int64_t look_ns = 10000000;
static const int64_t start_ns = INT64_C(77000000000);

static failure_detector *make(int ranks, int64_t limit)
{
    error e = {.status = WEFT_OK};
    failure_detector *l = NULL;
    assert_int_equal(failure_detector_create(ranks, limit, start_ns, &l, &e), WEFT_OK);
    return l;
}

/* Looks for a while in which all ranks but one are heard of, and the one is lost at its end or not
 * at all; when that was, or 0. */
static int64_t listen_until_lost(failure_detector *l, int64_t *now_ns, int64_t for_ns, int silent)
{
    const int64_t end_ns = *now_ns + for_ns;
    while (*now_ns < end_ns) {
        *now_ns += look_ns;
        for (int rank = 0; rank < RANKS; rank++) {
            if (rank != silent) {
                assert_false(failure_detector_hear(l, rank));
            }
        }
        failure_detector_listen(l, *now_ns);
        const int lost = failure_detector_next_lost(l);
        if (lost >= 0) {
            assert_int_equal(lost, silent);
            assert_int_equal(failure_detector_next_lost(l), -1);
            return *now_ns;
        }
    }
    return 0;
}

static void test_silent_rank_is_lost_after_the_limit(void **state)
{
    (void)state;
    failure_detector *l = make(RANKS, limit_ns);
    int64_t now_ns = start_ns;
    const int64_t lost_ns = listen_until_lost(l, &now_ns, 3 * limit_ns, 3);
    assert_in_range(lost_ns, start_ns + limit_ns, start_ns + limit_ns + limit_ns / 10);
    assert_true(failure_detector_lost(l, 3));
    assert_false(failure_detector_lost(l, 2));
    assert_int_equal(failure_detector_lost_ranks(l), 1);
    assert_true(failure_detector_silence_ns(l, 3) >= limit_ns);
    assert_true(failure_detector_silence_ns(l, 2) <= look_ns);
    /* Once. */
    assert_int_equal(listen_until_lost(l, &now_ns, 3 * limit_ns, 3), 0);
    failure_detector_destroy(l);
    failure_detector_destroy(NULL);
}

static void test_it_comes_back(void **state)
{
    (void)state;
    failure_detector *l = make(RANKS, limit_ns);
    int64_t now_ns = start_ns;
    assert_true(listen_until_lost(l, &now_ns, 3 * limit_ns, 1) > 0);
    assert_true(failure_detector_hear(l, 1));
    assert_false(failure_detector_hear(l, 1));
    assert_false(failure_detector_lost(l, 1));
    assert_int_equal(failure_detector_lost_ranks(l), 0);
    const int64_t again_ns = now_ns;
    const int64_t lost_ns = listen_until_lost(l, &now_ns, 3 * limit_ns, 1);
    assert_in_range(lost_ns, again_ns + limit_ns, again_ns + limit_ns + limit_ns / 10);
    failure_detector_destroy(l);
}

/* A process that was itself stopped finds the messages of the others only at its next look. */
static void test_time_not_listened_does_not_count(void **state)
{
    (void)state;
    failure_detector *l = make(RANKS, limit_ns);
    int64_t now_ns = start_ns;
    assert_int_equal(listen_until_lost(l, &now_ns, limit_ns / 2, 0), 0);
    for (int i = 0; i < 4; i++) {
        now_ns += 100 * limit_ns;
        failure_detector_listen(l, now_ns);
        assert_int_equal(failure_detector_next_lost(l), -1);
    }
    const int64_t lost_ns = listen_until_lost(l, &now_ns, limit_ns, 0);
    assert_true(lost_ns > 0 && lost_ns >= now_ns - limit_ns / 2);
    failure_detector_destroy(l);
}

static void test_without_a_limit_nobody_is_lost(void **state)
{
    (void)state;
    failure_detector *l = make(RANKS, 0);
    int64_t now_ns = start_ns;
    assert_int_equal(listen_until_lost(l, &now_ns, 10 * limit_ns, 2), 0);
    failure_detector_destroy(l);
}

static void test_lost_for_sure(void **state)
{
    (void)state;
    failure_detector *l = make(RANKS, limit_ns);
    failure_detector_lose(l, 4);
    failure_detector_lose(l, 4);
    assert_true(failure_detector_lost(l, 4));
    assert_int_equal(failure_detector_lost_ranks(l), 1);
    int64_t now_ns = start_ns;
    assert_int_equal(listen_until_lost(l, &now_ns, 3 * limit_ns, 4), 0);
    failure_detector_destroy(l);
}

static void test_all_are_lost_at_once(void **state)
{
    (void)state;
    failure_detector *l = make(RANKS, limit_ns);
    bool lost[RANKS] = {false};
    for (int64_t now_ns = start_ns; now_ns < start_ns + 2 * limit_ns; now_ns += look_ns) {
        failure_detector_listen(l, now_ns);
        for (int rank = failure_detector_next_lost(l); rank >= 0;
             rank = failure_detector_next_lost(l)) {
            assert_false(lost[rank]);
            lost[rank] = true;
        }
    }
    assert_int_equal(failure_detector_lost_ranks(l), RANKS);
    failure_detector_destroy(l);
}

/* Many ranks beat less often, and the limit leaves room for some beats. */
static void test_pulse_of_many_ranks(void **state)
{
    (void)state;
    const int64_t beat_ns = 100000000;
    pulse p = pulse_for(beat_ns, 5 * limit_ns, 4, false);
    assert_int_equal(p.beat_ns, beat_ns);
    assert_int_equal(p.limit_ns, 5 * limit_ns);
    p = pulse_for(beat_ns, 5 * limit_ns, 100000, false);
    assert_true(p.beat_ns >= limit_ns);
    assert_true(p.limit_ns >= 3 * p.beat_ns);
    p = pulse_for(beat_ns, 0, 100000, false);
    assert_int_equal(p.limit_ns, 0);
}

/* Nobody is given up before it is in doubt, and every rank is sure of itself until shortly before
 * it is given up. */
static void test_pulse_of_busy_ranks(void **state)
{
    (void)state;
    const int64_t beat_ns = 100000000;
    const pulse idle = pulse_for(beat_ns, 5 * limit_ns, 4, false);
    const pulse busy = pulse_for(beat_ns, 5 * limit_ns, 4, true);
    assert_int_equal(busy.beat_ns, idle.beat_ns);
    assert_int_equal(busy.limit_ns, 60 * idle.limit_ns);
    assert_int_equal(busy.doubt_ns, 60 * idle.doubt_ns);
    assert_true(idle.doubt_ns < idle.sure_ns && idle.sure_ns < idle.limit_ns);
    assert_int_equal(busy.limit_ns - busy.sure_ns, idle.limit_ns - idle.sure_ns);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_silent_rank_is_lost_after_the_limit),
        cmocka_unit_test(test_it_comes_back),
        cmocka_unit_test(test_time_not_listened_does_not_count),
        cmocka_unit_test(test_without_a_limit_nobody_is_lost),
        cmocka_unit_test(test_lost_for_sure),
        cmocka_unit_test(test_all_are_lost_at_once),
        cmocka_unit_test(test_pulse_of_many_ranks),
        cmocka_unit_test(test_pulse_of_busy_ranks),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
