/* SPDX-License-Identifier: BSD-3-Clause */
/* Tests the coordinator's decisions step by step: how a run ends, and what counts of a rank that
 * was presumed dead. Whole runs: test_runs.c. */
#include "sched/world.h"

enum { RANKS = 3, TILES = 10 };

/* Three ranks and ten tiles, a disk that answers at once; no rank is ever presumed dead. */
static script plain(void)
{
    script s = quiet(RANKS, true);
    s.tiles = TILES;
    s.technique = TECHNIQUE_STATIC;
    s.latency_ns = s.lease_ns = 0;
    s.pulse = (pulse){.limit_ns = 0};
    return s;
}

/* The same, with ranks that are presumed dead when they are silent. */
static script watched(void)
{
    script s = plain();
    s.pulse = beats;
    return s;
}

static void step(world *w, int64_t after_ns)
{
    w->now_ns += after_ns;
    (void)lead_step(w->lead, w->now_ns);
}

static void hear(world *w, int rank, const void *message, size_t count)
{
    const message_ask *ask = message;
    w->mate[rank].has_asked |= ask->kind == MESSAGE_ASK;
    (void)lead_receive(w->lead, rank, message, count, w->now_ns);
}

#define HEAR(world, rank, ...) hear(world, rank, &(__VA_ARGS__), sizeof(__VA_ARGS__))

static void hear_signal(world *w, int number)
{
    HEAR(w, 0, (const message_signal){.kind = MESSAGE_SIGNAL, .number = number});
}

static void hear_leave(world *w, int rank, bool dropped)
{
    HEAR(w, rank, (const message_left){.kind = MESSAGE_LEFT, .dropped = dropped});
}

static void hear_of(world *w, int rank)
{
    HEAR(w, rank, (const message_alive){.kind = MESSAGE_ALIVE});
}

static void hear_wish(world *w, int rank, int32_t epoch, int64_t want)
{
    HEAR(w, rank,
         (const message_ask){.kind = MESSAGE_ASK, .epoch = epoch, .want = want, .idle = true});
}

/* Rank 0 has the first tiles. */
static world *begin(const script *s)
{
    world *w = enter(s, NULL);
    hear_wish(w, 0, 0, 3);
    assert_true(w->holders[0] == 1u);
    return w;
}

/* Time passes in which all ranks but one are heard of. */
static void pass(world *w, int64_t for_ns, int silent)
{
    for (const int64_t end_ns = w->now_ns + for_ns; w->now_ns < end_ns;) {
        for (int rank = 0; rank < RANKS; rank++) {
            if (rank != silent) {
                hear_of(w, rank);
            }
        }
        step(w, beats.limit_ns / 100);
    }
}

/* A rank is silent until it is presumed dead. */
static void lose(world *w, int rank)
{
    pass(w, beats.limit_ns + beats.limit_ns / 10, rank);
    assert_true(w->mate[rank].lost);
}

static void complete(world *w)
{
    for (int64_t tile = 0; tile < TILES; tile++) {
        (void)dispatch_report(w->dispatch, tile);
    }
}

static void all_leave(world *w)
{
    for (int rank = 0; rank < RANKS; rank++) {
        hear_leave(w, rank, false);
    }
}

/* How many messages of a kind have been sent to all ranks together. */
static int count_sent(const world *w, message_kind kind)
{
    int count = 0;
    for (int rank = 0; rank < RANKS; rank++) {
        for (const letter *p = w->mate[rank].to; p != NULL; p = p->next) {
            const message_kind *sent = (const void *)p->bytes;
            count += *sent == kind;
        }
    }
    return count;
}

/* The last of a kind that has been sent to rank 1. */
static const void *last_sent(const world *w, message_kind kind)
{
    static const message_end nothing;
    const void *last = &nothing;
    for (const letter *p = w->mate[1].to; p != NULL; p = p->next) {
        const message_kind *sent = (const void *)p->bytes;
        last = *sent == kind ? p->bytes : last;
    }
    assert_ptr_not_equal(last, &nothing);
    return last;
}

static int count_stops(const world *w)
{
    return count_sent(w, MESSAGE_STOP);
}

static int64_t last_grace(const world *w)
{
    return ((const message_stop *)last_sent(w, MESSAGE_STOP))->grace_ns;
}

static const message_end *last_end(const world *w)
{
    return last_sent(w, MESSAGE_END);
}

static void check_over(const world *w, weft_status status)
{
    assert_true(lead_over(w->lead));
    assert_int_equal(lead_status(w->lead), status);
    assert_int_equal(count_sent(w, MESSAGE_END), RANKS);
    assert_int_equal(last_end(w)->error.status, status);
}

static void test_complete_at_once(void **state)
{
    (void)state;
    const script s = plain();
    world *w = begin(&s);
    step(w, second_ns);
    assert_int_equal(w->closing_ns, 0);
    assert_int_equal(lead_status(w->lead), WEFT_STOPPED);
    complete(w);
    step(w, second_ns);
    check_over(w, WEFT_OK);
    assert_int_equal(w->closed_as, WEFT_OK);
    assert_int_equal(count_stops(w), 0);
    assert_false(last_end(w)->broken);
    assert_true(last_end(w)->disk_ns == INT64_MAX);
    leave(w);
    lead_destroy(NULL);
}

static void test_failed_items(void **state)
{
    (void)state;
    script s = plain();
    s.failed = 3;
    world *w = begin(&s);
    complete(w);
    step(w, 0);
    check_over(w, WEFT_ITEMS_FAILED);
    assert_non_null(strstr(last_end(w)->error.text, "3 items failed"));
    leave(w);
}

/* The run is complete, but some kernel may still be at what another rank has done meanwhile: it
 * has a while to come back, and no rank is left behind in that. */
static void check_called_in(world *w)
{
    const int before = count_stops(w);
    complete(w);
    pass(w, second_ns / 10, NOTHING);
    assert_int_equal(count_stops(w), before + RANKS);
    assert_true(last_grace(w) >= 5 * second_ns);
    pass(w, second_ns, NOTHING);
    assert_false(lead_closed(w->lead));
    all_leave(w);
    step(w, 0);
    check_over(w, WEFT_OK);
    assert_false(last_end(w)->broken);
}

/* A rank that was presumed dead and is back may be at it. */
static void test_ranks_that_returned_are_called_in(void **state)
{
    (void)state;
    const script s = watched();
    world *w = begin(&s);
    lose(w, 1);
    hear_of(w, 1);
    assert_int_equal(w->back, 1);
    check_called_in(w);
    leave(w);
}

/* So may one that was late with what another has computed as a copy. */
static void test_copies_are_called_in(void **state)
{
    (void)state;
    const script s = plain();
    world *w = begin(&s);
    hear_wish(w, 1, 0, TILES);
    for (int i = 0; i < 20 && !w->shared[0]; i++) {
        HEAR(w, 2, (const message_news){.kind = MESSAGE_NEWS});
        hear_wish(w, 2, 0, TILES);
        step(w, second_ns);
    }
    assert_true(w->shared[0]);
    check_called_in(w);
    leave(w);
}

/* Rank 1 has tiles, is presumed dead and comes back: then it has none. */
static int64_t come_back(world *w)
{
    int64_t tile = 0;
    hear_wish(w, 1, 0, 2);
    while (w->holders[tile] != 1u << 1) {
        tile++;
    }
    lose(w, 1);
    assert_true(w->holders[tile] == 0 && w->suspect[tile]);
    hear_of(w, 1);
    assert_int_equal(w->back, 1);
    return tile;
}

/* What the rank said before it learnt of that does not count. */
static void test_messages_of_an_older_epoch(void **state)
{
    (void)state;
    const script s = watched();
    world *w = begin(&s);
    const int64_t tile = come_back(w);
    const int64_t leases = w->leases;
    assert_false(lead_lost(w->lead, 1));
    hear_wish(w, 1, 0, TILES);
    assert_int_equal(w->leases, leases);
    hear_wish(w, 1, 1, TILES);
    assert_true(w->holders[tile] == 1u << 1);
    /* Rank 1 has the tile again, and does not give it back. */
    HEAR(w, 1,
         (const message_return){
             .kind = MESSAGE_RETURN, .epoch = 0, .intervals = 1, .interval = {{tile, 1, false}}});
    for (int i = 0; i < 3; i++) {
        hear_wish(w, 2, 0, TILES);
    }
    assert_true(w->holders[tile] == 1u << 1);
    /* But in the new epoch it may. */
    HEAR(w, 1,
         (const message_return){
             .kind = MESSAGE_RETURN, .epoch = 1, .intervals = 1, .interval = {{tile, 1, false}}});
    assert_true((w->holders[tile] & 1u << 2) != 0);
    leave(w);
}

/* A grant that waits for its leases is not for a rank that was presumed dead meanwhile, also if
 * that comes back before it could be sent. */
static void test_grants_that_wait_for_a_lost_rank(void **state)
{
    (void)state;
    const script s = watched();
    world *w = begin(&s);
    w->written_ns = w->now_ns + 10 * second_ns;
    hear_wish(w, 1, 0, 2);
    lose(w, 1);
    hear_of(w, 1);
    pass(w, 10 * second_ns, NOTHING);
    assert_int_equal(count_sent(w, MESSAGE_GRANT), 1);
    hear_wish(w, 1, 1, 1);
    assert_int_equal(count_sent(w, MESSAGE_GRANT), 2);
    leave(w);
}

/* Where nothing may be computed twice, a rank that comes back has to go, and what it has computed
 * is not recorded: another rank may be at it. */
static void test_a_rank_that_has_to_go(void **state)
{
    (void)state;
    script s = watched();
    s.pure = false;
    world *w = begin(&s);
    const int64_t tile = come_back(w);
    const int64_t leases = w->leases;
    assert_int_equal(count_sent(w, MESSAGE_REJOIN), 0);
    assert_true(lead_lost(w->lead, 1) && !lead_lost(w->lead, 2));
    assert_true(last_end(w)->broken && last_end(w)->error.status == WEFT_STOPPED);
    w->computed[tile] = 1;
    const struct {
        message_report report;
        bool computed[8];
    } late = {.report = {.kind = MESSAGE_REPORT, .first = tile, .tiles = 1}, .computed = {true}};
    hear(w, 1, &late, sizeof late.report + 1);
    assert_int_equal(w->recorded[tile], 0);
    hear_wish(w, 1, 1, TILES);
    assert_int_equal(w->leases, leases);
    HEAR(w, 1, (const message_fail){.kind = MESSAGE_FAIL, .error = {WEFT_ERR_SYSTEM, "gone"}});
    step(w, 0);
    assert_int_equal(count_stops(w), 0);
    leave(w);
}

/* The grace after a signal is short, and what has not returned by then is left behind. */
static void test_signal(void **state)
{
    (void)state;
    const script s = plain();
    world *w = begin(&s);
    hear_signal(w, SIGTERM);
    assert_int_equal(w->stopped_by, SIGTERM);
    assert_int_equal(count_stops(w), RANKS);
    assert_true(last_grace(w) > 0 && last_grace(w) < second_ns);
    hear_leave(w, 0, true);
    hear_leave(w, 1, false);
    step(w, last_grace(w));
    assert_false(lead_closed(w->lead));
    assert_false(dispatch_next_careful(w->dispatch, 0, 1) == 0);
    step(w, second_ns);
    check_over(w, WEFT_STOPPED);
    assert_int_equal(w->stopping, 1);
    assert_true(last_end(w)->broken);
    assert_non_null(strstr(last_end(w)->error.text, "stopped with 0 of 10 items done"));
    leave(w);
}

/* A friendly warning lets kernels come back, and a second signal does not. */
static void test_second_signal_shortens_the_grace(void **state)
{
    (void)state;
    const script s = plain();
    world *w = begin(&s);
    hear_signal(w, SIGUSR1);
    assert_true(last_grace(w) > 60 * second_ns);
    step(w, 60 * second_ns);
    assert_false(lead_closed(w->lead));
    hear_signal(w, SIGTERM);
    assert_int_equal(count_stops(w), 2 * RANKS);
    hear_signal(w, SIGUSR1);
    assert_int_equal(count_stops(w), 2 * RANKS);
    step(w, second_ns);
    check_over(w, WEFT_STOPPED);
    assert_int_equal(w->stopping, 1);
    leave(w);
}

/* The program that has cancelled a map goes on: kernels come back, unless a signal follows. */
static void test_cancel_waits_for_kernels(void **state)
{
    (void)state;
    const script s = plain();
    world *w = begin(&s);
    hear_signal(w, SIGNAL_CANCEL);
    assert_true(last_grace(w) > 1000000 * second_ns);
    step(w, 100000 * second_ns);
    assert_false(lead_closed(w->lead));
    hear_signal(w, SIGTERM);
    step(w, second_ns);
    check_over(w, WEFT_STOPPED);
    assert_false(last_end(w)->cancelled);
    leave(w);
}

/* A rank that has said nothing when time is up may have died of what it has; the others' tiles are
 * free of suspicion. */
static void test_the_silent_are_suspects(void **state)
{
    (void)state;
    const script s = plain();
    world *w = begin(&s);
    hear_signal(w, SIGTERM);
    hear_leave(w, 1, false);
    step(w, second_ns);
    check_over(w, WEFT_STOPPED);
    assert_true(dispatch_next_careful(w->dispatch, 0, 1) == 0);
    assert_false(dispatch_next_careful(w->dispatch, TILES - 1, TILES) == TILES - 1);
    leave(w);
}

static void test_the_first_error_counts(void **state)
{
    (void)state;
    error why;
    const script s = plain();
    world *w = begin(&s);
    (void)error_set(&why, WEFT_ERR_NO_SPACE, "the first");
    lead_take_error(w->lead, &why, w->now_ns);
    (void)error_set(&why, WEFT_ERR_SYSTEM, "the second");
    lead_take_error(w->lead, &why, w->now_ns);
    assert_int_equal(w->stopping, 0);
    assert_int_equal(count_stops(w), RANKS);
    all_leave(w);
    step(w, 0);
    check_over(w, WEFT_ERR_NO_SPACE);
    assert_string_equal(last_end(w)->error.text, "the first");
    /* What comes later changes nothing. */
    lead_take_error(w->lead, &why, w->now_ns);
    step(w, second_ns);
    check_over(w, WEFT_ERR_NO_SPACE);
    leave(w);
}

/* A rank whose disk is slow is waited for after all others have left, or not: up to ten seconds, or
 * until the time limit. */
static void test_disks_of_ranks(void **state)
{
    (void)state;
    for (int limited = 0; limited < 2; limited++) {
        for (int answers = 0; answers < 2; answers++) {
            script s = plain();
            s.limit_ns = limited * 6 * second_ns;
            world *w = begin(&s);
            hear_signal(w, SIGTERM);
            const message_stop *stop = last_sent(w, MESSAGE_STOP);
            assert_int_equal(stop->disk_ns, (limited ? 6 : 10) * second_ns);
            HEAR(w, 1, (const message_left){.kind = MESSAGE_LEFT, .writing = true});
            step(w, 5 * second_ns);
            assert_false(lead_closed(w->lead));
            if (answers == 1) {
                hear_leave(w, 1, false);
            } else {
                step(w, (limited ? 0 : 4) * second_ns + second_ns / 2);
            }
            step(w, 0);
            check_over(w, WEFT_STOPPED);
            assert_true(dispatch_next_careful(w->dispatch, 0, 1) == 0);
            leave(w);
        }
    }
}

/* Each wait for a disk that answers has its own limit: the record's is not over because a rank's
 * began long ago, nor is the next rank's. */
static void test_disks_one_after_the_other(void **state)
{
    (void)state;
    script s = plain();
    s.disk_ns = 5 * second_ns;
    world *w = begin(&s);
    hear_signal(w, SIGUSR1);
    for (int rank = RANKS - 1; rank >= 0; rank--) {
        HEAR(w, rank, (const message_left){.kind = MESSAGE_LEFT, .writing = true});
        step(w, 8 * second_ns);
        assert_false(lead_closed(w->lead));
        hear_leave(w, rank, false);
        step(w, rank * 60 * second_ns);
    }
    assert_true(lead_closed(w->lead) && !lead_over(w->lead));
    step(w, 4 * second_ns);
    assert_false(lead_over(w->lead));
    step(w, second_ns);
    check_over(w, WEFT_STOPPED);
    assert_int_equal(w->warned, 0);
    assert_true(last_end(w)->disk_ns > second_ns);
    leave(w);
}

/* Where everything is recorded nobody's disk is waited for. */
static void test_copies_and_a_disk(void **state)
{
    (void)state;
    const script s = plain();
    world *w = begin(&s);
    error why;
    complete(w);
    (void)error_set(&why, WEFT_ERR_SYSTEM, "late");
    lead_take_error(w->lead, &why, w->now_ns);
    assert_int_equal(((const message_stop *)last_sent(w, MESSAGE_STOP))->disk_ns, 0);
    leave(w);
}

/* Nothing is begun that could not be over before the limit: a tile takes two seconds, and forcing
 * to disk one. */
static void test_time_limit(void **state)
{
    (void)state;
    const news n = {.computed = {.tiles = 2, .seconds = 4, .squares = 8}, .longest_s = 2};
    script s = plain();
    s.limit_ns = 60 * second_ns;
    world *w = begin(&s);
    HEAR(w, 0, (const message_news){.kind = MESSAGE_NEWS, .news = n});
    HEAR(w, 0, (const message_report){.kind = MESSAGE_REPORT, .sync_ns = second_ns});
    step(w, 55 * second_ns);
    assert_int_equal(count_stops(w), 0);
    step(w, second_ns);
    assert_int_equal(count_stops(w), RANKS);
    assert_int_equal(w->stopping, 1);
    assert_int_equal(w->stopped_by, 0);
    assert_true(w->now_ns + last_grace(w) < start_ns + 60 * second_ns);
    step(w, 4 * second_ns + second_ns / 10);
    check_over(w, WEFT_STOPPED);
    assert_true(last_end(w)->broken);
    leave(w);
}

/* A run that is complete waits for its disk, and says so once; after a signal not for ever. */
static void test_slow_disk(void **state)
{
    (void)state;
    script s = plain();
    s.disk_ns = INT64_MAX / 2;
    world *w = begin(&s);
    complete(w);
    step(w, 0);
    assert_true(lead_closed(w->lead) && !lead_over(w->lead));
    for (int i = 0; i < 100; i++) {
        step(w, second_ns);
    }
    assert_int_equal(w->warned, 1);
    assert_false(lead_over(w->lead));
    hear_signal(w, SIGTERM);
    step(w, 9 * second_ns);
    assert_false(lead_over(w->lead));
    step(w, 2 * second_ns);
    check_over(w, WEFT_STOPPED);
    assert_non_null(strstr(last_end(w)->error.text, "the disk has not answered"));
    assert_true(last_end(w)->disk_ns < second_ns);
    leave(w);
}

/* What the disk says at the very end is the run's error. */
static void test_failing_disk(void **state)
{
    (void)state;
    script s = plain();
    s.disk_ns = second_ns;
    s.disk = WEFT_ERR_NO_SPACE;
    world *w = begin(&s);
    complete(w);
    step(w, 0);
    assert_false(lead_over(w->lead));
    step(w, second_ns);
    check_over(w, WEFT_ERR_NO_SPACE);
    leave(w);
}

/* A rank that comes back while all are called in is told, too. */
static void test_late_comer_is_told(void **state)
{
    (void)state;
    const script s = watched();
    world *w = begin(&s);
    hear_signal(w, SIGUSR1);
    const int64_t grace_ns = last_grace(w);
    lose(w, 1);
    hear_of(w, 1);
    assert_int_equal(count_stops(w), RANKS + 1);
    assert_true(last_grace(w) < grace_ns);
    leave(w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_complete_at_once),
        cmocka_unit_test(test_failed_items),
        cmocka_unit_test(test_ranks_that_returned_are_called_in),
        cmocka_unit_test(test_copies_are_called_in),
        cmocka_unit_test(test_messages_of_an_older_epoch),
        cmocka_unit_test(test_grants_that_wait_for_a_lost_rank),
        cmocka_unit_test(test_a_rank_that_has_to_go),
        cmocka_unit_test(test_signal),
        cmocka_unit_test(test_second_signal_shortens_the_grace),
        cmocka_unit_test(test_cancel_waits_for_kernels),
        cmocka_unit_test(test_the_silent_are_suspects),
        cmocka_unit_test(test_the_first_error_counts),
        cmocka_unit_test(test_disks_of_ranks),
        cmocka_unit_test(test_disks_one_after_the_other),
        cmocka_unit_test(test_copies_and_a_disk),
        cmocka_unit_test(test_time_limit),
        cmocka_unit_test(test_slow_disk),
        cmocka_unit_test(test_failing_disk),
        cmocka_unit_test(test_late_comer_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
