/* SPDX-License-Identifier: BSD-3-Clause */
/* Tests the members of a run of whom only rank 0 can be reached. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "sched/members.h"
#include "sched/message.h"

#include <string.h>

enum { RANKS = 3 };

static const int64_t start_ns = INT64_C(77000000000);

static int messages; /* that rank 0 has got and nobody has counted yet */
static message_beat last;

static weft_status reach(void *context, int rank, const void *bytes, size_t count, error *e)
{
    (void)context;
    if (rank != 0) {
        return error_set(e, WEFT_ERR_SYSTEM, "out of reach");
    }
    messages++;
    memcpy(&last, bytes, count < sizeof last ? count : sizeof last);
    return WEFT_OK;
}

static void hold(void *context, int rank, bool held)
{
    (void)context;
    (void)rank;
    (void)held;
}

static void drop(void *context, int rank)
{
    (void)context;
    (void)rank;
}

static bool never_waiting(void *context, int rank)
{
    (void)context;
    (void)rank;
    return false;
}

static const effects outside = {
    .send = reach, .hold = hold, .drop = drop, .waiting = never_waiting};

static members *make(int64_t limit_ns)
{
    error e = {.status = WEFT_OK};
    members *r = NULL;
    const pulse p = {.beat_ns = 100000000, .limit_ns = limit_ns, .doubt_ns = 300000000};
    assert_int_equal(members_create(&outside, RANKS, p, start_ns, &r, &e), WEFT_OK);
    messages = 0;
    return r;
}

/* How many messages rank 0 has got since this was last asked. */
static int count_messages(void)
{
    const int count = messages;
    messages = 0;
    return count;
}

static void test_who_cannot_be_reached_is_told_of_once(void **state)
{
    (void)state;
    const message_kind kind = MESSAGE_STOP;
    char why[MEMBERS_WHY_BYTES] = "";
    members *r = make(1000000000);
    assert_int_equal(members_next_lost(r, why), -1);
    members_send_to_all(r, &kind, sizeof kind);
    assert_int_equal(count_messages(), 1);
    assert_true(members_lost(r, 1) && members_lost(r, 2) && !members_lost(r, 0));
    assert_int_equal(members_lost_ranks(r), 2);
    assert_int_equal(members_next_lost(r, why), 1);
    assert_non_null(strstr(why, "cannot be reached"));
    assert_int_equal(members_next_lost(r, why), 2);
    assert_int_equal(members_next_lost(r, why), -1);
    members_destroy(r);
    members_destroy(NULL);
}

static void test_epochs_count_the_returns(void **state)
{
    (void)state;
    const message_kind kind = MESSAGE_STOP;
    char why[MEMBERS_WHY_BYTES] = "";
    members *r = make(1000000000);
    assert_false(members_hear(r, 1));
    assert_int_equal(members_epoch(r, 1), 0);
    for (int i = 1; i <= 3; i++) {
        members_send(r, 1, &kind, sizeof kind);
        /* It cannot come back before it is told that it had gone. */
        assert_false(members_hear(r, 1));
        assert_int_equal(members_next_lost(r, why), 1);
        assert_true(members_hear(r, 1));
        assert_false(members_hear(r, 1));
        assert_int_equal(members_epoch(r, 1), i);
    }
    assert_int_equal(members_epoch(r, 2), 0);
    assert_int_equal(members_lost_ranks(r), 0);
    members_destroy(r);
}

static void test_who_has_to_go_does_not_come_back(void **state)
{
    (void)state;
    members *r = make(1000000000);
    members_dismiss(r, 1);
    assert_false(members_hear(r, 1));
    assert_true(members_lost(r, 1));
    assert_int_equal(members_lost_ranks(r), 1);
    members_destroy(r);
}

static void test_all_leave_but_the_dead(void **state)
{
    (void)state;
    members *r = make(1000000000);
    members_leave(r, 0);
    members_leave(r, 2);
    assert_false(members_all_left(r));
    members_dismiss(r, 1);
    assert_true(members_all_left(r));
    members_destroy(r);
}

static void test_the_roll_is_called(void **state)
{
    (void)state;
    members *r = make(1000000000);
    /* What was heard before does not count. */
    assert_false(members_hear(r, 0));
    assert_false(members_call(r));
    assert_int_equal(count_messages(), 1);
    assert_false(members_call(r));
    assert_int_equal(count_messages(), 0);
    assert_false(members_hear(r, 0));
    /* The others have turned out to be out of reach. */
    assert_true(members_call(r));
    members_destroy(r);
    r = make(0);
    assert_true(members_call(r));
    assert_int_equal(count_messages(), 0);
    members_destroy(r);
}

/* Rank 0's own agent is the only one that can be reached here: it falls silent. */
static void test_silence_makes_doubtful_then_lost(void **state)
{
    (void)state;
    const int64_t limit_ns = 2000000000;
    char why[MEMBERS_WHY_BYTES] = "";
    members *r = make(limit_ns);
    int64_t now_ns = start_ns;
    int doubtful = 0;
    int lost = -1;
    for (int i = 0; i < 60 && lost != 0; i++) {
        now_ns += limit_ns / 40;
        members_listen(r, now_ns);
        doubtful += members_doubtful(r, 0);
        lost = members_next_lost(r, why);
    }
    assert_int_equal(lost, 0);
    assert_non_null(strstr(why, "silent for 2 s"));
    assert_in_range(doubtful, 20, 39);
    (void)count_messages();
    members_destroy(r);
}

/* Rank 0's own agent again. */
static void test_who_is_said_to_be_dead_is_given_some_beats(void **state)
{
    (void)state;
    const int64_t beat_ns = 100000000;
    char why[MEMBERS_WHY_BYTES] = "";
    members *r = make(INT64_C(60000000000));
    int64_t now_ns = start_ns;
    members_listen(r, now_ns);
    while (members_next_lost(r, why) >= 0) {
        /* The others cannot be reached. */
    }
    members_presume_dead(r, 0);
    assert_int_equal(members_next_lost(r, why), -1);
    /* As long as something arrives it is not lost. */
    for (int i = 0; i < 10; i++) {
        now_ns += beat_ns;
        assert_false(members_hear(r, 0));
        members_listen(r, now_ns);
        assert_int_equal(members_next_lost(r, why), -1);
    }
    int beats = 0;
    do {
        now_ns += beat_ns;
        beats++;
        members_listen(r, now_ns);
    } while (members_next_lost(r, why) != 0 && beats < 10);
    assert_in_range(beats, 2, 4);
    assert_non_null(strstr(why, "has died"));
    assert_true(members_lost(r, 0));
    /* It is told of once, and who is lost already is not told of again. */
    members_presume_dead(r, 0);
    assert_int_equal(members_next_lost(r, why), -1);
    (void)count_messages();
    members_destroy(r);
}

static void test_a_beat_says_what_was_heard_last(void **state)
{
    (void)state;
    members *r = make(1000000000);
    members_take_clock(r, 0, 41);
    members_take_clock(r, 0, 42);
    members_take_clock(r, 1, 7);
    members_listen(r, start_ns);
    assert_int_equal(count_messages(), 1);
    assert_int_equal(last.kind, MESSAGE_BEAT);
    assert_true(last.heard_ns == 42);
    members_destroy(r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_who_cannot_be_reached_is_told_of_once),
        cmocka_unit_test(test_epochs_count_the_returns),
        cmocka_unit_test(test_who_has_to_go_does_not_come_back),
        cmocka_unit_test(test_all_leave_but_the_dead),
        cmocka_unit_test(test_the_roll_is_called),
        cmocka_unit_test(test_silence_makes_doubtful_then_lost),
        cmocka_unit_test(test_a_beat_says_what_was_heard_last),
        cmocka_unit_test(test_who_is_said_to_be_dead_is_given_some_beats),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
