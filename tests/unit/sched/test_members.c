/* SPDX-License-Identifier: BSD-3-Clause */
/* Tests the members of a run: who is there, who is presumed dead, and what is sent to whom. */
#include "sched/world.h"

#include "sched/members.h"

enum { RANKS = 5 };

static const int64_t limit_ns = INT64_C(1000000000);
static const int64_t look_ns = INT64_C(10000000);

static const script five = {.tiles = 1, .ranks = RANKS, .lease_fails = NOTHING, .seed = 1};

typedef struct scene {
    world *world;
    members *members;
    const char *why; /* a rank was lost last */
} scene;

static scene make(int64_t limit)
{
    error e = {.status = WEFT_OK};
    scene s = {.world = enter(&five, NULL)};
    const pulse p = {.beat_ns = limit_ns / 10, .limit_ns = limit, .doubt_ns = 3 * limit_ns / 10};
    assert_int_equal(members_create(&s.world->outside, RANKS, p, s.world->now_ns, &s.members, &e),
                     WEFT_OK);
    return s;
}

static void end(scene *s)
{
    members_destroy(s->members);
    members_destroy(NULL);
    leave(s->world);
}

/* How many messages are for a rank; they are taken away. */
static int count_messages(scene *s, int rank)
{
    int count = 0;
    while (s->world->mate[rank].to != NULL) {
        remove_first(&s->world->mate[rank].to);
        count++;
    }
    return count;
}

static void count_no_messages(scene *s)
{
    for (int rank = 0; rank < RANKS; rank++) {
        (void)count_messages(s, rank);
    }
}

static void listen_for(scene *s, int64_t for_ns)
{
    s->world->now_ns += for_ns;
    members_listen(s->members, s->world->now_ns);
}

static int next_lost(scene *s)
{
    return members_next_lost(s->members, &s->why);
}

/* Listens while all ranks but one are heard of: the one is lost at the end of that, or none is.
 * When that was; 0: none was. */
static int64_t listen_until_lost(scene *s, int64_t for_ns, int silent)
{
    for (const int64_t end_ns = s->world->now_ns + for_ns; s->world->now_ns < end_ns;) {
        for (int rank = 0; rank < RANKS; rank++) {
            assert_false(rank != silent && members_hear(s->members, rank));
        }
        listen_for(s, look_ns);
        count_no_messages(s);
        const int lost_rank = next_lost(s);
        if (lost_rank >= 0) {
            assert_int_equal(lost_rank, silent);
            assert_int_equal(next_lost(s), -1);
            return s->world->now_ns;
        }
    }
    return 0;
}

/* Only rank 0 can be reached. */
static void isolate(scene *s)
{
    for (int rank = 1; rank < RANKS; rank++) {
        s->world->mate[rank].unreachable = true;
    }
}

static void test_a_rank_out_of_reach_is_lost_once(void **state)
{
    (void)state;
    const message_kind kind = MESSAGE_STOP;
    scene s = make(limit_ns);
    listen_for(&s, 0);
    count_no_messages(&s);
    isolate(&s);
    assert_int_equal(next_lost(&s), -1);
    members_send_to_all(s.members, &kind, sizeof kind);
    assert_int_equal(count_messages(&s, 0), 1);
    assert_false(members_lost(s.members, 0));
    assert_int_equal(members_lost_ranks(s.members), RANKS - 1);
    listen_for(&s, 0);
    for (int rank = 1; rank < RANKS; rank++) {
        assert_true(members_lost(s.members, rank));
        assert_int_equal(next_lost(&s), rank);
        assert_string_equal(s.why, "cannot be reached");
    }
    assert_int_equal(next_lost(&s), -1);
    listen_for(&s, 0);
    assert_int_equal(next_lost(&s), -1);
    end(&s);
}

static void test_epochs_count_the_returns(void **state)
{
    (void)state;
    const message_kind kind = MESSAGE_STOP;
    scene s = make(limit_ns);
    assert_false(members_hear(s.members, 1));
    assert_int_equal(members_epoch(s.members, 1), 0);
    for (int i = 1; i <= 3; i++) {
        s.world->mate[1].unreachable = true;
        members_send(s.members, 1, &kind, sizeof kind);
        /* It cannot come back before its loss has been told. */
        assert_false(members_hear(s.members, 1));
        s.world->mate[1].unreachable = false;
        listen_for(&s, 0);
        assert_int_equal(next_lost(&s), 1);
        assert_true(members_hear(s.members, 1));
        assert_false(members_hear(s.members, 1));
        assert_int_equal(members_epoch(s.members, 1), i);
    }
    assert_int_equal(members_epoch(s.members, 2), 0);
    assert_int_equal(members_lost_ranks(s.members), 0);
    end(&s);
}

static void test_a_rank_that_has_to_go_does_not_come_back(void **state)
{
    (void)state;
    scene s = make(limit_ns);
    members_dismiss(s.members, 1);
    members_dismiss(s.members, 1);
    assert_false(members_hear(s.members, 1));
    assert_true(members_lost(s.members, 1));
    assert_int_equal(members_lost_ranks(s.members), 1);
    assert_int_equal(listen_until_lost(&s, 3 * limit_ns, 1), 0);
    end(&s);
}

static void test_all_leave_but_the_dead(void **state)
{
    (void)state;
    scene s = make(limit_ns);
    for (int rank = 0; rank < RANKS; rank++) {
        assert_false(members_all_left(s.members));
        assert_false(members_has_left(s.members, rank));
        if (rank != 1) {
            members_leave(s.members, rank, false);
            assert_true(members_has_left(s.members, rank));
        }
    }
    members_dismiss(s.members, 1);
    assert_true(members_all_left(s.members));
    end(&s);
}

static void test_the_roll_is_called(void **state)
{
    (void)state;
    scene s = make(limit_ns);
    isolate(&s);
    /* What was heard before does not count. */
    assert_false(members_hear(s.members, 0));
    assert_false(members_call(s.members));
    assert_int_equal(count_messages(&s, 0), 1);
    assert_false(members_call(s.members));
    assert_int_equal(count_messages(&s, 0), 0);
    assert_false(members_hear(s.members, 0));
    /* The others have turned out to be out of reach. */
    assert_true(members_call(s.members));
    end(&s);
    s = make(0);
    assert_true(members_call(s.members));
    assert_int_equal(count_messages(&s, 0), 0);
    end(&s);
}

static void test_a_silent_rank_is_lost_after_the_limit(void **state)
{
    (void)state;
    scene s = make(limit_ns);
    const int64_t lost_ns = listen_until_lost(&s, 3 * limit_ns, 3);
    assert_in_range(lost_ns, start_ns + limit_ns, start_ns + limit_ns + limit_ns / 10);
    assert_string_equal(s.why, "has been silent for 1 s");
    assert_true(members_lost(s.members, 3));
    assert_false(members_lost(s.members, 2));
    assert_int_equal(members_lost_ranks(s.members), 1);
    /* Once. */
    assert_int_equal(listen_until_lost(&s, 3 * limit_ns, 3), 0);
    /* And anew once it is back. */
    assert_true(members_hear(s.members, 3));
    assert_int_equal(members_lost_ranks(s.members), 0);
    const int64_t back_ns = s.world->now_ns;
    const int64_t again_ns = listen_until_lost(&s, 3 * limit_ns, 3);
    assert_in_range(again_ns, back_ns + limit_ns, back_ns + limit_ns + limit_ns / 10);
    end(&s);
}

static void test_silence_makes_doubtful_and_held_first(void **state)
{
    (void)state;
    scene s = make(limit_ns);
    int doubtful = 0;
    int held = 0;
    while (next_lost(&s) < 0) {
        listen_for(&s, limit_ns / 40);
        doubtful += members_doubtful(s.members, 0);
        held += s.world->mate[0].held;
    }
    assert_in_range(doubtful, 20, 39);
    assert_in_range(held, 20, doubtful);
    assert_true(members_hear(s.members, 0));
    assert_false(s.world->mate[0].held || members_doubtful(s.members, 0));
    end(&s);
}

/* A coordinator that was itself stopped finds the messages of the others only at its next look. */
static void test_time_not_listened_does_not_count(void **state)
{
    (void)state;
    scene s = make(limit_ns);
    assert_int_equal(listen_until_lost(&s, limit_ns / 2, 0), 0);
    for (int i = 0; i < 4; i++) {
        listen_for(&s, 100 * limit_ns);
        assert_int_equal(next_lost(&s), -1);
    }
    const int64_t woken_ns = s.world->now_ns;
    const int64_t lost_ns = listen_until_lost(&s, limit_ns, 0);
    assert_true(lost_ns > woken_ns + limit_ns / 5);
    end(&s);
}

static void test_without_a_limit_no_rank_is_lost(void **state)
{
    (void)state;
    scene s = make(0);
    members_presume_dead(s.members, 2);
    assert_int_equal(listen_until_lost(&s, 10 * limit_ns, 2), 0);
    assert_false(members_doubtful(s.members, 2));
    end(&s);
}

static void test_all_are_lost_at_once(void **state)
{
    (void)state;
    scene s = make(limit_ns);
    bool seen[RANKS] = {false};
    while (s.world->now_ns < start_ns + 2 * limit_ns) {
        listen_for(&s, look_ns);
        for (int rank = next_lost(&s); rank >= 0; rank = next_lost(&s)) {
            assert_false(seen[rank]);
            seen[rank] = true;
        }
    }
    assert_int_equal(members_lost_ranks(s.members), RANKS);
    end(&s);
}

static void test_a_death_that_is_told_of_is_given_some_beats(void **state)
{
    (void)state;
    const int64_t beat_ns = limit_ns / 10;
    scene s = make(60 * limit_ns);
    members_presume_dead(s.members, 0);
    assert_true(s.world->mate[0].held);
    assert_int_equal(next_lost(&s), -1);
    /* As long as something arrives the rank is not lost. */
    for (int i = 0; i < 10; i++) {
        assert_false(members_hear(s.members, 0));
        listen_for(&s, beat_ns);
        assert_int_equal(next_lost(&s), -1);
    }
    int beats_missed = 1;
    while (next_lost(&s) != 0 && beats_missed < 10) {
        listen_for(&s, beat_ns);
        beats_missed++;
    }
    assert_in_range(beats_missed, 2, 4);
    assert_string_equal(s.why, "has died");
    assert_true(members_lost(s.members, 0));
    /* A rank that is lost already is not lost again. */
    members_presume_dead(s.members, 0);
    listen_for(&s, beat_ns);
    assert_int_equal(next_lost(&s), -1);
    end(&s);
}

static void test_a_beat_says_what_was_heard_last(void **state)
{
    (void)state;
    scene s = make(limit_ns);
    members_take_clock(s.members, 0, 41);
    members_take_clock(s.members, 0, 42);
    members_take_clock(s.members, 1, 7);
    listen_for(&s, 0);
    const message_beat *beat = (const void *)s.world->mate[0].to->bytes;
    assert_int_equal(beat->kind, MESSAGE_BEAT);
    assert_true(beat->heard_ns == 42);
    assert_int_equal(count_messages(&s, 0), 1);
    /* A rank for which something is under way needs none. */
    listen_for(&s, limit_ns / 2);
    assert_int_equal(count_messages(&s, 0), 1);
    assert_int_equal(count_messages(&s, 1), 1);
    end(&s);
}

/* The last message goes to a rank that was only silent, too, and to none that has died. */
static void test_the_last_message(void **state)
{
    (void)state;
    const message_kind kind = MESSAGE_END;
    scene s = make(limit_ns);
    assert_true(listen_until_lost(&s, 3 * limit_ns, 1) > 0);
    members_presume_dead(s.members, 2);
    count_no_messages(&s);
    members_send_last(s.members, &kind, sizeof kind);
    assert_int_equal(count_messages(&s, 0), 1);
    assert_int_equal(count_messages(&s, 1), 1);
    assert_int_equal(count_messages(&s, 2), 0);
    end(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_rank_out_of_reach_is_lost_once),
        cmocka_unit_test(test_epochs_count_the_returns),
        cmocka_unit_test(test_a_rank_that_has_to_go_does_not_come_back),
        cmocka_unit_test(test_all_leave_but_the_dead),
        cmocka_unit_test(test_the_roll_is_called),
        cmocka_unit_test(test_a_silent_rank_is_lost_after_the_limit),
        cmocka_unit_test(test_silence_makes_doubtful_and_held_first),
        cmocka_unit_test(test_time_not_listened_does_not_count),
        cmocka_unit_test(test_without_a_limit_no_rank_is_lost),
        cmocka_unit_test(test_all_are_lost_at_once),
        cmocka_unit_test(test_a_death_that_is_told_of_is_given_some_beats),
        cmocka_unit_test(test_a_beat_says_what_was_heard_last),
        cmocka_unit_test(test_the_last_message),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
