/* SPDX-License-Identifier: BSD-3-Clause */
/* Tests the decisions of the coordinator one by one, as ranks ask, are heard of and fall silent. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "sched/dispatch.h"
#include "sched/leases.h"

#include <stdlib.h>
#include <string.h>

static const int64_t late_ns = 500000000;

/* How often the leases of a rank have been looked through for what is late. */
static int looks;

bool __real_leases_find_overdue(leases *l, int rank, int64_t heard_ns, int64_t now_ns,
                                int64_t after_ns,
                                overdue *found); /* NOLINT: the linker's name, see --wrap */

bool __wrap_leases_find_overdue(leases *l, int rank, int64_t heard_ns, int64_t now_ns,
                                int64_t after_ns, overdue *found); /* NOLINT */

bool __wrap_leases_find_overdue(leases *l, int rank, int64_t heard_ns, int64_t now_ns,
                                int64_t after_ns, overdue *found) /* NOLINT */
{
    looks++;
    return __real_leases_find_overdue(l, rank, heard_ns, now_ns, after_ns, found);
}

static dispatch *make(int64_t tiles, int ranks, technique t, bool pure)
{
    error e = {.status = WEFT_OK};
    const dispatch_setup setup = {.tiles = tiles, .ranks = ranks, .technique = t, .pure = pure};
    dispatch *d = NULL;
    assert_int_equal(dispatch_create(&setup, &d, &e), WEFT_OK);
    assert_int_equal(dispatch_start(d, &e), WEFT_OK);
    return d;
}

/* The only order that is due. */
static order expect(dispatch *d, int64_t now_ns, order_kind kind, int rank)
{
    order o;
    order more;
    assert_true(dispatch_next(d, now_ns, &o));
    assert_int_equal(o.kind, kind);
    assert_int_equal(o.rank, rank);
    assert_false(dispatch_next(d, now_ns, &more));
    return o;
}

static void expect_none(dispatch *d, int64_t now_ns)
{
    order o;
    assert_false(dispatch_next(d, now_ns, &o));
}

static void hear(dispatch *d, int rank, int64_t left, int64_t now_ns)
{
    const news n = {.left = left};
    dispatch_hear(d, rank, &n, now_ns);
}

/* The late piece of one rank goes to another by halves, not before it is late. */
static void test_late_piece_is_halved(void **state)
{
    (void)state;
    dispatch *d = make(8, 2, TECHNIQUE_STATIC, true);
    dispatch_ask(d, 0, 4, true);
    order o = expect(d, 1000, ORDER_GRANT, 0);
    assert_int_equal(o.intervals, 1);
    assert_int_equal(o.interval[0].tiles, 4);
    dispatch_ask(d, 1, 4, true);
    o = expect(d, 1000, ORDER_GRANT, 1);
    assert_int_equal(o.interval[0].first, 4);
    for (int64_t tile = 4; tile < 8; tile++) {
        assert_true(dispatch_report(d, tile));
    }
    assert_false(dispatch_report(d, 4));
    hear(d, 0, 0, 2000);
    hear(d, 1, 0, 2000);
    dispatch_ask(d, 1, 4, true);
    expect_none(d, 2000 + late_ns - 1);
    assert_false(o.again);
    o = expect(d, 2000 + late_ns + DISPATCH_NS, ORDER_GRANT, 1);
    assert_true(o.again);
    assert_int_equal(o.holder, 0);
    assert_int_equal(o.intervals, 1);
    assert_int_equal(o.interval[0].first, 2);
    assert_int_equal(o.interval[0].tiles, 2);
    assert_int_equal(dispatch_chunks(d), 3);
    /* The one who is late himself is not given his own. */
    assert_true(dispatch_report(d, 2) && dispatch_report(d, 3));
    hear(d, 1, 0, 3 * late_ns);
    dispatch_ask(d, 0, 4, true);
    expect_none(d, 10 * late_ns);
    dispatch_destroy(d);
}

/* A rank whose workers all compute does not take another's last tile, which would be taken back
 * from it at once; once they wait, it gets it. */
static void test_last_tile_moves_once(void **state)
{
    (void)state;
    dispatch *d = make(8, 2, TECHNIQUE_STATIC, true);
    for (int rank = 0; rank < 2; rank++) {
        dispatch_ask(d, rank, 4, false);
        (void)expect(d, 1, ORDER_GRANT, rank);
    }
    hear(d, 0, 3, 2);
    hear(d, 1, 0, 2);
    dispatch_ask(d, 1, 4, false);
    assert_int_equal(dispatch_urgency(d), URGENCY_ANSWER);
    /* Three tiles are more than the next that rank 0 begins. */
    (void)expect(d, DISPATCH_NS, ORDER_RECALL, 0);
    dispatch_return(d, 0, 0, NULL, 1, 2 * DISPATCH_NS);
    for (int64_t times = 3; times < 100; times++) {
        expect_none(d, times * DISPATCH_NS);
    }
    dispatch_ask(d, 1, 0, true);
    assert_int_equal(dispatch_urgency(d), URGENCY_HUNGER);
    (void)expect(d, 100 * DISPATCH_NS, ORDER_RECALL, 0);
    dispatch_return(d, 0, 1, &(interval){.first = 3, .tiles = 1}, 0, 101 * DISPATCH_NS);
    assert_int_equal(expect(d, 101 * DISPATCH_NS, ORDER_GRANT, 1).interval[0].first, 3);
    assert_int_equal(dispatch_urgency(d), URGENCY_NONE);
    /* That it waits is said too late, as it has been answered. */
    dispatch_ask(d, 1, 0, true);
    assert_int_equal(dispatch_urgency(d), URGENCY_NONE);
    expect_none(d, 102 * DISPATCH_NS);
    dispatch_destroy(d);
}

/* Nor does it compute anything again; and what is late by what was known is not, once another tile
 * has turned out to take as long. */
static void test_copies_are_for_idle_ranks(void **state)
{
    (void)state;
    dispatch *d = make(2, 2, TECHNIQUE_STATIC, true);
    for (int rank = 0; rank < 2; rank++) {
        dispatch_ask(d, rank, 1, false);
        (void)expect(d, 1, ORDER_GRANT, rank);
        hear(d, rank, 0, 2);
    }
    dispatch_ask(d, 1, 1, false);
    expect_none(d, 4 * late_ns);
    const news n = {.computed = {.tiles = 1, .seconds = 2, .squares = 4, .elapsed = 2},
                    .longest_s = 2};
    assert_true(dispatch_report(d, 1));
    dispatch_hear(d, 1, &n, 4 * late_ns + 1);
    dispatch_ask(d, 1, 0, true);
    expect_none(d, 4 * late_ns + 2);
    expect_none(d, 7 * late_ns);
    assert_int_equal(expect(d, 9 * late_ns, ORDER_GRANT, 1).interval[0].first, 0);
    dispatch_destroy(d);
}

/* Whoever has most is asked first, and not again before he has answered. */
static void test_returned_piece_goes_to_another(void **state)
{
    (void)state;
    dispatch *d = make(12, 3, TECHNIQUE_STATIC, false);
    const news n = {.computed = {.tiles = 1, .seconds = 1, .squares = 1, .elapsed = 1}, .left = 3};
    for (int rank = 0; rank < 2; rank++) {
        dispatch_ask(d, rank, 4, true);
        assert_int_equal(expect(d, 1, ORDER_GRANT, rank).interval[0].first, 4 * rank);
    }
    dispatch_hear(d, 0, &n, 2);
    dispatch_hear(d, 1, &n, 2);
    hear(d, 0, 2, 3);
    dispatch_ask(d, 2, 4, true);
    assert_int_equal(expect(d, 3, ORDER_GRANT, 2).interval[0].first, 8);
    hear(d, 2, 0, 3);
    dispatch_ask(d, 2, 4, true);
    (void)expect(d, 2 * DISPATCH_NS, ORDER_RECALL, 1);
    expect_none(d, 2 * DISPATCH_NS + 1);
    (void)expect(d, 4 * DISPATCH_NS, ORDER_RECALL, 0);
    expect_none(d, 6 * DISPATCH_NS);
    dispatch_return(d, 0, 0, NULL, 0, 6 * DISPATCH_NS);
    expect_none(d, 8 * DISPATCH_NS);
    dispatch_return(d, 1, 1, &(interval){.first = 6, .tiles = 2}, 1, 8 * DISPATCH_NS);
    const order o = expect(d, 8 * DISPATCH_NS, ORDER_GRANT, 2);
    assert_int_equal(o.intervals, 1);
    assert_int_equal(o.interval[0].first, 6);
    dispatch_destroy(d);
    dispatch_destroy(NULL);
}

/* A rank may ask while it has plenty: then it is still one to give, and does not get it back. */
static void test_who_has_plenty_and_waits_gives(void **state)
{
    (void)state;
    dispatch *d = make(12, 2, TECHNIQUE_STATIC, true);
    const news n = {.computed = {.tiles = 1, .seconds = 1, .squares = 1, .elapsed = 1}, .left = 5};
    for (int rank = 0; rank < 2; rank++) {
        dispatch_ask(d, rank, 6, true);
        assert_int_equal(expect(d, 1, ORDER_GRANT, rank).interval[0].tiles, 6);
    }
    dispatch_hear(d, 0, &n, 2);
    dispatch_ask(d, 0, 6, true);
    hear(d, 1, 0, 2);
    dispatch_ask(d, 1, 6, true);
    (void)expect(d, 3, ORDER_RECALL, 0);
    dispatch_return(d, 0, 1, &(interval){.first = 3, .tiles = 3}, 2, 4);
    assert_int_equal(expect(d, 4, ORDER_GRANT, 1).interval[0].first, 3);
    dispatch_destroy(d);
}

/* All that comes back is to do again, in however many pieces, and nothing of it is lost. */
static void test_several_pieces_come_back(void **state)
{
    (void)state;
    dispatch *d = make(20, 2, TECHNIQUE_STATIC, false);
    static const interval back[] = {{.first = 3, .tiles = 2}, {.first = 7, .tiles = 3}};
    for (int rank = 0; rank < 2; rank++) {
        dispatch_ask(d, rank, 10, true);
        (void)expect(d, 1, ORDER_GRANT, rank);
    }
    hear(d, 0, 8, 2);
    hear(d, 1, 0, 2);
    dispatch_ask(d, 1, 10, true);
    (void)expect(d, 3, ORDER_RECALL, 0);
    dispatch_return(d, 0, 2, back, 3, 4);
    bool seen[20] = {false};
    int64_t got = 0;
    order o;
    while (dispatch_next(d, 4, &o) && o.kind == ORDER_GRANT) {
        for (int i = 0; i < o.intervals; i++) {
            for (int64_t tile = o.interval[i].first; tile < interval_end(o.interval[i]); tile++) {
                assert_false(seen[tile]);
                seen[tile] = true;
                got++;
            }
        }
        dispatch_ask(d, 1, 10, true);
    }
    assert_int_equal(got, 5);
    assert_true(seen[3] && seen[4] && seen[7] && seen[8] && seen[9]);
    dispatch_destroy(d);
}

/* Two who will be idle at about the same time leave each other alone; once one has answered, he may
 * be asked again. */
static void test_recall_where_it_helps(void **state)
{
    (void)state;
    dispatch *d = make(40, 2, TECHNIQUE_STATIC, true);
    const news n = {.computed = {.tiles = 1, .seconds = 1, .squares = 1, .elapsed = 1}, .left = 10};
    for (int rank = 0; rank < 2; rank++) {
        dispatch_ask(d, rank, 20, true);
        (void)expect(d, 1, ORDER_GRANT, rank);
        dispatch_hear(d, rank, &n, 2);
    }
    hear(d, 1, 6, 2);
    dispatch_ask(d, 1, 20, true);
    expect_none(d, 3);
    hear(d, 1, 4, 4 * DISPATCH_NS);
    (void)expect(d, 4 * DISPATCH_NS, ORDER_RECALL, 0);
    dispatch_return(d, 0, 1, &(interval){.first = 18, .tiles = 2}, 8, 5 * DISPATCH_NS);
    (void)expect(d, 5 * DISPATCH_NS, ORDER_GRANT, 1);
    hear(d, 1, 0, 6 * DISPATCH_NS);
    dispatch_ask(d, 1, 20, true);
    (void)expect(d, 6 * DISPATCH_NS, ORDER_RECALL, 0);
    dispatch_destroy(d);
}

/* Of many ranks, the leases of those that have been heard of lately are not looked through. */
static void test_only_silent_ranks_are_looked_through(void **state)
{
    enum { RANKS = 1000, SILENT = 7 };
    (void)state;
    dispatch *d = make(RANKS - 1, RANKS, TECHNIQUE_SS, true);
    for (int rank = 0; rank < RANKS - 1; rank++) {
        dispatch_ask(d, rank, 1, true);
        (void)expect(d, 1000, ORDER_GRANT, rank);
    }
    for (int rank = SILENT; rank < RANKS; rank++) {
        hear(d, rank, 0, late_ns);
    }
    looks = 0;
    dispatch_ask(d, RANKS - 1, 1, true);
    assert_true(expect(d, late_ns + 1000, ORDER_GRANT, RANKS - 1).holder < SILENT);
    assert_int_equal(looks, SILENT);
    dispatch_destroy(d);
}

/* What is late goes to those who have nothing, one piece each. */
static void test_late_pieces_are_shared_out(void **state)
{
    (void)state;
    dispatch *d = make(60, 4, TECHNIQUE_STATIC, true);
    order o;
    for (int rank = 0; rank < 4; rank++) {
        dispatch_ask(d, rank, 15, true);
        (void)expect(d, 1, ORDER_GRANT, rank);
    }
    for (int64_t tile = 30; tile < 60; tile++) {
        assert_true(dispatch_report(d, tile));
    }
    const int64_t then = 2 * late_ns;
    hear(d, 0, 0, 1);
    hear(d, 1, 3, 1);
    hear(d, 2, 0, 1);
    hear(d, 3, 0, 1);
    for (int rank = 1; rank < 4; rank++) {
        dispatch_ask(d, rank, 15, true);
    }
    /* Rank 1 still has some, so the first late piece, its own, and that of rank 0 go to others. */
    for (int rank = 2; rank < 4; rank++) {
        assert_true(dispatch_next(d, then, &o));
        if (o.kind == ORDER_RECALL) {
            assert_int_equal(o.rank, 1);
            assert_true(dispatch_next(d, then, &o));
        }
        assert_int_equal(o.kind, ORDER_GRANT);
        assert_int_equal(o.rank, rank);
    }
    expect_none(d, then);
    dispatch_destroy(d);
}

/* Where tiles take long, a rank may be silent for longer. */
static void test_patience_follows_the_longest_tile(void **state)
{
    (void)state;
    dispatch *d = make(4, 2, TECHNIQUE_STATIC, true);
    const news n = {.computed = {.tiles = 2, .seconds = 2, .squares = 2, .elapsed = 2},
                    .longest_s = 1};
    for (int rank = 0; rank < 2; rank++) {
        dispatch_ask(d, rank, 2, true);
        (void)expect(d, 1, ORDER_GRANT, rank);
    }
    hear(d, 0, 0, 1);
    dispatch_hear(d, 1, &n, 1);
    assert_true(dispatch_report(d, 2) && dispatch_report(d, 3));
    dispatch_ask(d, 1, 2, true);
    expect_none(d, 4 * late_ns);
    (void)expect(d, 4 * late_ns + 2 * DISPATCH_NS, ORDER_GRANT, 1);
    dispatch_destroy(d);
}

/* Nobody is left out because others ask again and again. */
static void test_waiting_in_turn(void **state)
{
    (void)state;
    dispatch *d = make(6, 3, TECHNIQUE_SS, true);
    for (int rank = 2; rank >= 0; rank--) {
        dispatch_ask(d, rank, 1, true);
        dispatch_ask(d, 2, 1, true);
    }
    for (int rank = 2; rank >= 0; rank--) {
        order o;
        assert_true(dispatch_next(d, 1, &o));
        assert_int_equal(o.rank, rank);
        assert_int_equal(o.interval[0].first, 2 - rank);
    }
    expect_none(d, 1);
    dispatch_destroy(d);
}

/* Chunks that touch reach a rank as one piece, however many they are. */
static void test_chunks_are_joined(void **state)
{
    (void)state;
    dispatch *d = make(100000, 2, TECHNIQUE_SS, true);
    dispatch_ask(d, 0, 1000, true);
    const order o = expect(d, 1, ORDER_GRANT, 0);
    assert_int_equal(o.intervals, 1);
    assert_int_equal(o.interval[0].tiles, 1000);
    assert_int_equal(dispatch_chunks(d), 1000);
    dispatch_destroy(d);
}

/* What was done earlier is left out, however it is scattered. */
static void test_scattered_tiles(void **state)
{
    (void)state;
    error e = {.status = WEFT_OK};
    enum { SCATTERED = 1000 };
    for (int t = 0; t < (int)TECHNIQUE_COUNT; t++) {
        const dispatch_setup setup = {
            .tiles = SCATTERED, .ranks = 3, .technique = (technique)t, .pure = true};
        dispatch *d = NULL;
        bool seen[SCATTERED] = {false};
        assert_int_equal(dispatch_create(&setup, &d, &e), WEFT_OK);
        for (int64_t tile = 0; tile < SCATTERED; tile += 2) {
            dispatch_set_done(d, tile);
        }
        assert_int_equal(dispatch_start(d, &e), WEFT_OK);
        assert_int_equal(dispatch_undone(d), SCATTERED / 2);
        int64_t got = 0;
        for (int i = 0; i < 2000 && got < SCATTERED / 2; i++) {
            dispatch_ask(d, i % 3, 1000, true);
            const order o = expect(d, 1, ORDER_GRANT, i % 3);
            for (int k = 0; k < o.intervals; k++) {
                assert_int_equal(o.interval[k].tiles, 1);
                assert_int_equal(o.interval[k].first % 2, 1);
                assert_false(seen[o.interval[k].first]);
                seen[o.interval[k].first] = true;
                got++;
            }
        }
        assert_int_equal(got, SCATTERED / 2);
        assert_true(dispatch_chunks(d) > 0);
        dispatch_destroy(d);
    }
}

/* A rank that waits, owes an answer, or is expected to give some back, dies. */
static void test_nobody_waits_for_the_dead(void **state)
{
    (void)state;
    dispatch *d = make(12, 3, TECHNIQUE_STATIC, false);
    const news n = {.computed = {.tiles = 1, .seconds = 1, .squares = 1, .elapsed = 1}, .left = 3};
    for (int rank = 0; rank < 3; rank++) {
        dispatch_ask(d, rank, 4, true);
        assert_int_equal(expect(d, 1, ORDER_GRANT, rank).interval[0].first, 4 * rank);
    }
    dispatch_hear(d, 0, &n, 2);
    dispatch_hear(d, 1, &n, 2);
    hear(d, 2, 0, 2);
    dispatch_ask(d, 2, 4, true);
    const int64_t later_ns = 2 * DISPATCH_NS;
    const order recall = expect(d, later_ns, ORDER_RECALL, 0);
    assert_int_equal(dispatch_bury(d, recall.rank), 4);
    const order o = expect(d, later_ns + 1, ORDER_GRANT, 2);
    assert_int_equal(o.interval[0].first, 0);
    assert_int_equal(o.interval[0].tiles, 4);
    dispatch_ask(d, 2, 4, true);
    assert_int_equal(dispatch_bury(d, 2), 8);
    expect_none(d, 10 * DISPATCH_NS);
    dispatch_ask(d, 0, 100, true);
    assert_int_equal(dispatch_undone(d), 12);
    int64_t granted = 0;
    order each;
    while (dispatch_next(d, 12 * DISPATCH_NS, &each)) {
        assert_int_equal(each.kind, ORDER_GRANT);
        assert_int_equal(each.rank, 0);
        for (int i = 0; i < each.intervals; i++) {
            granted += each.interval[i].tiles;
        }
        dispatch_ask(d, 0, 100, true);
        if (granted == 8) {
            break;
        }
    }
    assert_int_equal(granted, 8);
    dispatch_destroy(d);
}

/* Nobody is asked to give back what was in a grave; and who has risen owes nothing. */
static void test_the_dead_are_not_asked(void **state)
{
    (void)state;
    dispatch *d = make(16, 4, TECHNIQUE_STATIC, false);
    for (int rank = 0; rank < 4; rank++) {
        dispatch_ask(d, rank, 4, true);
        assert_int_equal(expect(d, 1, ORDER_GRANT, rank).interval[0].first, 4 * rank);
    }
    for (int64_t tile = 4; tile < 16; tile++) {
        assert_true(dispatch_report(d, tile));
    }
    hear(d, 0, 3, 2);
    hear(d, 1, 2, 2);
    hear(d, 2, 0, 2);
    hear(d, 3, 0, 2);
    dispatch_ask(d, 2, 4, true);
    const int64_t now_ns = 2 * DISPATCH_NS;
    (void)expect(d, now_ns, ORDER_RECALL, 0);
    assert_int_equal(dispatch_bury(d, 1), 0);
    dispatch_ask(d, 3, 4, true);
    expect_none(d, now_ns + 1);
    expect_none(d, now_ns + 4 * DISPATCH_NS);
    assert_int_equal(dispatch_bury(d, 0), 4);
    order o;
    int64_t granted = 0;
    while (granted < 4 && dispatch_next(d, now_ns + 5 * DISPATCH_NS, &o)) {
        granted += o.kind == ORDER_GRANT ? o.interval[0].tiles : 0;
    }
    assert_int_equal(granted, 4);
    hear(d, 0, 3, now_ns + 6 * DISPATCH_NS);
    hear(d, 2, 0, now_ns + 6 * DISPATCH_NS);
    hear(d, 3, 0, now_ns + 6 * DISPATCH_NS);
    dispatch_ask(d, 2, 4, true);
    assert_true(dispatch_next(d, now_ns + 8 * DISPATCH_NS, &o));
    assert_int_equal(o.kind, ORDER_RECALL);
    assert_int_equal(o.rank, 0);
    dispatch_destroy(d);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_nobody_waits_for_the_dead),
        cmocka_unit_test(test_the_dead_are_not_asked),
        cmocka_unit_test(test_late_piece_is_halved),
        cmocka_unit_test(test_last_tile_moves_once),
        cmocka_unit_test(test_copies_are_for_idle_ranks),
        cmocka_unit_test(test_returned_piece_goes_to_another),
        cmocka_unit_test(test_who_has_plenty_and_waits_gives),
        cmocka_unit_test(test_several_pieces_come_back),
        cmocka_unit_test(test_recall_where_it_helps),
        cmocka_unit_test(test_only_silent_ranks_are_looked_through),
        cmocka_unit_test(test_late_pieces_are_shared_out),
        cmocka_unit_test(test_patience_follows_the_longest_tile),
        cmocka_unit_test(test_waiting_in_turn),
        cmocka_unit_test(test_chunks_are_joined),
        cmocka_unit_test(test_scattered_tiles),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
