/* SPDX-License-Identifier: BSD-3-Clause */
/* Tests the book of who has which tiles. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "sched/leases.h"

static const int64_t late_ns = 1000;

/* Whether memory is refused. */
static bool refuses;
void *__real_realloc(void *old, size_t count); /* NOLINT: the linker's name, see --wrap */
void *__wrap_realloc(void *old, size_t count); /* NOLINT */

void *__wrap_realloc(void *old, size_t count) /* NOLINT */
{
    return refuses ? NULL : __real_realloc(old, count);
}

static leases *make(int64_t tiles, int ranks)
{
    error e = {.status = WEFT_OK};
    leases *l = NULL;
    assert_int_equal(leases_create(tiles, ranks, &l, &e), WEFT_OK);
    return l;
}

/* As much as a chunk brings at once. */
static interval take_chunk(leases *l, int rank, int64_t most, int64_t now_ns)
{
    if (leases_reserved(l, rank) == 0) {
        (void)leases_reserve(l, rank, most);
    }
    return leases_take(l, rank, most, now_ns);
}

static void take(leases *l, int rank, int64_t most, int64_t first, int64_t tiles)
{
    const interval p = take_chunk(l, rank, most, 1);
    assert_int_equal(p.tiles, tiles);
    if (tiles > 0) {
        assert_int_equal(p.first, first);
    }
}

static void test_each_tile_is_taken_once(void **state)
{
    (void)state;
    leases *l = make(10, 2);
    assert_true(leases_report(l, 3));
    assert_false(leases_report(l, 3));
    take(l, 0, 5, 0, 3);
    take(l, 1, 4, 6, 4);
    take(l, 0, 5, 4, 2);
    take(l, 1, 5, 0, 0);
    assert_int_equal(leases_undone(l), 9);
    leases_destroy(l);
    leases_destroy(NULL);
}

static void test_no_tiles(void **state)
{
    (void)state;
    leases *l = make(0, 1);
    overdue late;
    take(l, 0, 5, 0, 0);
    assert_int_equal(leases_undone(l), 0);
    assert_false(leases_find_overdue(l, 0, 0, INT64_C(1) << 60, late_ns, &late));
    leases_destroy(l);
}

static void test_returned_tiles_are_taken_first(void **state)
{
    (void)state;
    leases *l = make(20, 2);
    take(l, 0, 10, 0, 10);
    leases_return(l, 0, (interval){.first = 6, .tiles = 3});
    assert_true(leases_report(l, 6));
    take(l, 1, 10, 7, 2);
    take(l, 1, 4, 10, 4);
    leases_destroy(l);
}

/* All pieces of a rank that are overdue, in the order in which they are copied. */
static int copy_all(leases *l, int from, int to, int64_t now_ns, interval copies[], int most)
{
    int count = 0;
    overdue late;
    while (count < most && leases_find_overdue(l, from, 0, now_ns, late_ns, &late) &&
           late.copies == 0) {
        copies[count] = leases_copy(l, &late, to, now_ns);
        count += copies[count].tiles > 0;
    }
    return count;
}

/* A returned piece, in the middle or over several leases, is no longer its former holder's. */
static void test_returned_tiles_are_not_copied(void **state)
{
    (void)state;
    leases *l = make(30, 3);
    take(l, 0, 10, 0, 10);
    take(l, 1, 5, 10, 5);
    take(l, 0, 15, 15, 15);
    leases_return(l, 0, (interval){.first = 4, .tiles = 3});
    leases_return(l, 0, (interval){.first = 9, .tiles = 8});
    interval copies[32];
    bool seen[30] = {false};
    const int count = copy_all(l, 0, 2, 2 * late_ns, copies, 32);
    for (int i = 0; i < count; i++) {
        for (int64_t tile = copies[i].first; tile < interval_end(copies[i]); tile++) {
            assert_false(seen[tile]);
            seen[tile] = true;
        }
    }
    for (int64_t tile = 0; tile < 30; tile++) {
        assert_int_equal(seen[tile], tile < 4 || tile == 7 || tile == 8 || tile >= 17);
    }
    leases_destroy(l);
}

static void test_patience_doubles(void **state)
{
    (void)state;
    leases *l = make(1, 2);
    overdue late;
    take(l, 0, 1, 0, 1);
    assert_false(leases_find_overdue(l, 0, 0, late_ns, late_ns, &late));
    assert_true(leases_find_overdue(l, 0, 0, 1 + late_ns, late_ns, &late));
    assert_false(leases_find_overdue(l, 0, 2, 1 + late_ns, late_ns, &late));
    assert_int_equal(late.copies, 0);
    const int64_t then = 1 + late_ns;
    assert_int_equal(leases_copy(l, &late, 1, then).tiles, 1);
    assert_false(leases_find_overdue(l, 0, 0, then + 2 * late_ns - 1, late_ns, &late));
    assert_true(leases_find_overdue(l, 0, 0, then + 2 * late_ns, late_ns, &late));
    assert_int_equal(late.copies, 1);
    assert_true(leases_report(l, 0));
    assert_int_equal(leases_copy(l, &late, 1, then + 2 * late_ns).tiles, 0);
    assert_false(leases_find_overdue(l, 0, 0, INT64_C(1) << 60, late_ns, &late));
    leases_destroy(l);
}

/* Who gives a copy back leaves the tile with its holder: handed out again, it would go from rank to
 * rank as long as its holder is at it. */
static void test_a_copy_goes_back_to_its_holder(void **state)
{
    (void)state;
    leases *l = make(1, 3);
    overdue late;
    take(l, 0, 1, 0, 1);
    assert_true(leases_find_overdue(l, 0, 0, 1 + late_ns, late_ns, &late));
    assert_int_equal(leases_copy(l, &late, 1, 1 + late_ns).tiles, 1);
    assert_int_equal(leases_return(l, 1, (interval){.first = 0, .tiles = 1}), 0);
    assert_int_equal(take_chunk(l, 2, 1, 1 + late_ns).tiles, 0);
    /* It can be copied again, after twice the time; and should the holder give it back, it is to be
     * handed out. */
    assert_true(leases_find_overdue(l, 0, 0, 1 + 3 * late_ns, late_ns, &late));
    assert_int_equal(late.copier, -1);
    assert_int_equal(leases_return(l, 0, (interval){.first = 0, .tiles = 1}), 1);
    assert_int_equal(take_chunk(l, 2, 1, 2 * late_ns).tiles, 1);
    leases_destroy(l);
}

static int64_t bury(leases *l, int rank)
{
    int64_t reserved = 0;
    return leases_bury(l, rank, &reserved);
}

/* What a dead rank had, less what is done of it, goes to others. */
static void test_the_dead_have_nothing(void **state)
{
    (void)state;
    leases *l = make(20, 3);
    assert_int_equal(bury(l, 1), 0);
    assert_int_equal(take_chunk(l, 1, 4, 1).first, 0);
    assert_int_equal(take_chunk(l, 2, 4, 1).first, 4);
    assert_int_equal(take_chunk(l, 1, 4, 1).first, 8);
    assert_true(leases_report(l, 0));
    assert_true(leases_report(l, 2));
    assert_true(leases_report(l, 9));
    assert_int_equal(bury(l, 1), 5);
    assert_int_equal(bury(l, 1), 0);
    bool taken[20] = {false};
    for (interval p = take_chunk(l, 2, 3, 2); p.tiles > 0; p = take_chunk(l, 2, 3, 2)) {
        for (int64_t tile = p.first; tile < interval_end(p); tile++) {
            assert_false(taken[tile]);
            taken[tile] = true;
        }
    }
    for (int64_t tile = 0; tile < 20; tile++) {
        const bool others = tile == 0 || tile == 2 || tile == 9 || (tile >= 4 && tile < 8);
        assert_int_equal(taken[tile], !others);
    }
    leases_destroy(l);
}

/* A tile that has been copied is with the copier when its rank dies, and to do again only when that
 * dies as well. */
static void test_copies_outlive_the_dead(void **state)
{
    (void)state;
    leases *l = make(2, 3);
    overdue found;
    assert_int_equal(take_chunk(l, 0, 1, 1).tiles, 1);
    assert_int_equal(take_chunk(l, 1, 1, 1).tiles, 1);
    assert_true(leases_find_overdue(l, 0, 1, 1000, 10, &found));
    assert_int_equal(leases_copy(l, &found, 2, 1000).first, 0);
    assert_int_equal(bury(l, 0), 0);
    assert_int_equal(take_chunk(l, 1, 2, 1001).tiles, 0);
    assert_int_equal(bury(l, 2), 1);
    assert_int_equal(take_chunk(l, 1, 2, 1002).first, 0);
    /* The copier is the first to die. */
    assert_true(leases_find_overdue(l, 1, 1, 5000, 10, &found));
    assert_int_equal(leases_copy(l, &found, 2, 5000).tiles, 1);
    assert_int_equal(bury(l, 2), 0);
    assert_int_equal(bury(l, 1), 2);
    leases_destroy(l);
}

/* What a rank was late with is suspect when it dies, also where another has taken it over; and so
 * is what a dead one had a copy of. */
static void test_copies_of_the_dead_are_careful(void **state)
{
    (void)state;
    leases *l = make(12, 3);
    overdue found;
    take(l, 0, 8, 0, 8);
    assert_true(leases_find_overdue(l, 0, 1, 1000, 10, &found));
    assert_int_equal(leases_copy(l, &found, 1, 1000).first, 4);
    take(l, 1, 4, 8, 4);
    assert_int_equal(bury(l, 0), 4);
    for (int64_t tile = 0; tile < 12; tile++) {
        assert_int_equal(leases_next_careful(l, tile, tile + 1) == tile, tile < 8);
    }
    leases_destroy(l);
    l = make(1, 2);
    take(l, 0, 1, 0, 1);
    assert_true(leases_find_overdue(l, 0, 1, 1000, 10, &found));
    assert_int_equal(leases_copy(l, &found, 1, 1000).tiles, 1);
    assert_int_equal(bury(l, 1), 0);
    assert_true(leases_next_careful(l, 0, 1) == 0);
    leases_destroy(l);
}

/* A chunk is leased piece by piece; others get what is not, and of a dead rank's tiles only those
 * that it had are careful. */
static void test_reserved_tiles(void **state)
{
    (void)state;
    leases *l = make(40, 2);
    int64_t reserved = 0;
    assert_true(leases_report(l, 5));
    assert_int_equal(leases_reserve(l, 0, 19), 19);
    assert_int_equal(leases_take(l, 0, 2, 1).first, 0);
    assert_int_equal(leases_take(l, 0, 2, 1).first, 2);
    assert_int_equal(leases_reserved(l, 0), 15);
    assert_int_equal(leases_steal(l, 0, 1), 8);
    assert_int_equal(leases_reserved(l, 0), 7);
    assert_int_equal(leases_take(l, 1, 40, 1).first, 12);
    assert_int_equal(leases_reserved(l, 1), 0);
    assert_int_equal(leases_bury(l, 0, &reserved), 4);
    assert_int_equal(reserved, 7);
    bool taken[40] = {false};
    for (interval p = take_chunk(l, 1, 40, 1); p.tiles > 0; p = take_chunk(l, 1, 40, 1)) {
        for (int64_t tile = p.first; tile < interval_end(p); tile++) {
            assert_false(taken[tile]);
            taken[tile] = true;
            assert_int_equal(p.careful, tile < 4);
        }
    }
    for (int64_t tile = 0; tile < 40; tile++) {
        assert_int_equal(taken[tile], tile != 5 && (tile < 12 || tile >= 20));
        assert_int_equal(leases_next_careful(l, tile, tile + 1) == tile, tile < 4);
    }
    leases_destroy(l);
}

/* What is taken, reported and careful is what a look at each single tile would find, however tiles
 * that are alike lie together. */
static void test_any_pattern(void **state)
{
    enum { TILES = 500 };
    (void)state;
    uint64_t random = 1;
    for (int round = 0; round < 200; round++) {
        leases *l = make(TILES, 1);
        bool done[TILES] = {false};
        bool careful[TILES] = {false};
        for (int64_t first = 0; first < TILES;) {
            random = random * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
            const int64_t run = 1 + (int64_t)(random >> 33) % (round % 2 == 0 ? 60 : 12);
            for (int64_t tile = first; tile < first + run && tile < TILES; tile++) {
                done[tile] = (random >> 40 & 3) == 0;
                careful[tile] = (random >> 42 & 3) == 0;
                if (careful[tile]) {
                    leases_set_careful(l, tile);
                }
                assert_true(!done[tile] || leases_report(l, tile));
            }
            first += run;
        }
        int64_t next = TILES;
        for (int64_t tile = TILES - 1; tile >= 0; tile--) {
            next = careful[tile] ? tile : next;
            assert_int_equal(leases_next_careful(l, tile, TILES), next);
        }
        int64_t at = 0;
        for (interval p = take_chunk(l, 0, 33, 1); p.tiles > 0; p = take_chunk(l, 0, 33, 1)) {
            for (; at < p.first; at++) {
                assert_true(done[at]);
            }
            for (; at < interval_end(p); at++) {
                assert_false(done[at]);
                assert_int_equal(p.careful, careful[at]);
            }
        }
        for (; at < TILES; at++) {
            assert_true(done[at]);
        }
        for (int64_t tile = 0; tile < TILES;) {
            int64_t fresh = 0;
            while (tile + fresh < TILES && !done[tile + fresh]) {
                fresh++;
            }
            assert_int_equal(leases_report_run(l, tile, TILES - tile), fresh);
            tile += fresh + 1;
        }
        assert_int_equal(leases_undone(l), 0);
        leases_destroy(l);
    }
}

/* A tile that would never be handed out again is not passed over in silence. */
static void test_no_memory(void **state)
{
    (void)state;
    for (int way = 0; way < 3; way++) {
        error e = {.status = WEFT_OK};
        leases *l = make(10, 2);
        int64_t reserved = 0;
        refuses = way == 0;
        take(l, 0, 5, 0, 5);
        assert_int_equal(leases_status(l, &e), way == 0 ? WEFT_ERR_MEMORY : WEFT_OK);
        refuses = true;
        if (way == 1) {
            (void)leases_return(l, 0, (interval){.first = 3, .tiles = 2});
        } else {
            (void)leases_bury(l, 0, &reserved);
        }
        assert_int_equal(leases_status(l, &e), WEFT_ERR_MEMORY);
        refuses = false;
        leases_destroy(l);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_each_tile_is_taken_once),
        cmocka_unit_test(test_no_tiles),
        cmocka_unit_test(test_returned_tiles_are_taken_first),
        cmocka_unit_test(test_returned_tiles_are_not_copied),
        cmocka_unit_test(test_patience_doubles),
        cmocka_unit_test(test_a_copy_goes_back_to_its_holder),
        cmocka_unit_test(test_the_dead_have_nothing),
        cmocka_unit_test(test_copies_outlive_the_dead),
        cmocka_unit_test(test_copies_of_the_dead_are_careful),
        cmocka_unit_test(test_reserved_tiles),
        cmocka_unit_test(test_any_pattern),
        cmocka_unit_test(test_no_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
