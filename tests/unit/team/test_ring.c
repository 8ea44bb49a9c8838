/* SPDX-License-Identifier: BSD-3-Clause */
/* Tests the ring of blocks: each tile is taken or cut once, by threads and an agent at a time. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/clock.h"
#include "team/ring.h"

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

static int labels[64];

static void test_empty(void **state)
{
    (void)state;
    ring *r = ring_create(3);
    assert_non_null(r);
    int64_t at = 0;
    int64_t left = 0;
    ring_span span;
    bool finished = true;
    assert_false(ring_look(r, &at, &left));
    assert_null(ring_collect(r));
    assert_int_equal(ring_stock(r), 0);
    assert_int_equal(ring_blocks(r), 0);
    assert_int_equal(ring_left(r, 0), 0);
    assert_false(ring_cut(r, 0, 1, &span, &finished));
    assert_false(finished);
    ring_destroy(r);
    ring_destroy(NULL);
}

static void test_coarse_blocks(void **state)
{
    (void)state;
    ring *r = ring_create(2);
    int64_t at = 0;
    int64_t left = 0;
    ring_span span;
    for (int i = 0; i < 4; i++) {
        assert_true(ring_offer(r, 1, i % 2 == 1, &labels[i]));
        assert_true(ring_look(r, &at, &left));
        assert_int_equal(ring_coarse(r, at), i % 2 == 1);
        assert_true(ring_take(r, at, 1, &span));
        assert_true(ring_finish(r, &span));
        ring_publish(r, &span);
        assert_ptr_equal(ring_collect(r), &labels[i]);
    }
    ring_destroy(r);
}

static void test_life_of_a_block(void **state)
{
    (void)state;
    ring *r = ring_create(1);
    int64_t at = 0;
    int64_t left = 0;
    ring_span a;
    ring_span b;
    assert_true(ring_offer(r, 5, false, &labels[1]));
    assert_int_equal(ring_stock(r), 5);
    assert_int_equal(ring_left(r, 0), 5);
    assert_true(ring_look(r, &at, &left));
    assert_int_equal(left, 5);
    assert_true(ring_take(r, at, 3, &a));
    assert_int_equal(a.first, 0);
    assert_int_equal(a.tiles, 3);
    assert_false(a.last);
    assert_ptr_equal(a.data, &labels[1]);
    assert_int_equal(ring_stock(r), 2);
    assert_true(ring_take(r, at, 10, &b));
    assert_int_equal(b.first, 3);
    assert_int_equal(b.tiles, 2);
    assert_true(b.last);
    assert_false(ring_take(r, at, 1, &a));
    assert_false(ring_look(r, &at, &left));
    assert_int_equal(ring_stock(r), 0);
    assert_int_equal(ring_blocks(r), 1);
    a = (ring_span){.block = b.block, .first = 0, .tiles = 3};
    assert_false(ring_finish(r, &b));
    assert_null(ring_collect(r));
    assert_true(ring_finish(r, &a));
    assert_null(ring_collect(r));
    ring_publish(r, &a);
    assert_ptr_equal(ring_collect(r), &labels[1]);
    assert_null(ring_collect(r));
    assert_int_equal(ring_blocks(r), 0);
    ring_destroy(r);
}

/* Offers until the ring is full; how many it took. */
static int fill_up(ring *r)
{
    int blocks = 0;
    while (blocks < 64 && ring_offer(r, 1, false, &labels[blocks])) {
        blocks++;
    }
    return blocks;
}

static void take_and_finish(ring *r, int64_t *at)
{
    int64_t left = 0;
    ring_span span;
    assert_true(ring_look(r, at, &left));
    assert_true(ring_take(r, *at, left, &span));
    assert_true(ring_finish(r, &span));
    ring_publish(r, &span);
}

static void test_full(void **state)
{
    (void)state;
    for (int blocks = 1; blocks < 20; blocks++) {
        ring *r = ring_create(blocks);
        const int room = fill_up(r);
        assert_in_range(room, blocks, 2 * blocks);
        assert_int_equal(ring_blocks(r), room);
        assert_true(ring_full(r));
        int64_t at = 0;
        for (int round = 0; round < 3 * room; round++) {
            take_and_finish(r, &at);
            assert_false(ring_offer(r, 1, false, &labels[0]));
            assert_non_null(ring_collect(r));
            assert_false(ring_full(r));
            assert_true(ring_offer(r, 1, false, &labels[round % 64]));
        }
        ring_destroy(r);
    }
}

static void test_blocks_finish_in_any_order(void **state)
{
    (void)state;
    ring *r = ring_create(4);
    ring_span spans[4];
    assert_int_equal(fill_up(r), 4);
    for (int i = 0; i < 4; i++) {
        assert_true(ring_take(r, i, 1, &spans[i]));
    }
    static const int order[] = {2, 0, 3, 1};
    for (int i = 0; i < 4; i++) {
        assert_true(ring_finish(r, &spans[order[i]]));
        ring_publish(r, &spans[order[i]]);
        assert_ptr_equal(ring_collect(r), &labels[order[i]]);
        assert_null(ring_collect(r));
    }
    assert_int_equal(ring_blocks(r), 0);
    ring_destroy(r);
}

/* A long tile occupies one entry, for however many blocks; and the agent's view of order, what is
 * left, and cuts are of the blocks that there are. */
static void test_long_tile_holds_nothing_up(void **state)
{
    (void)state;
    enum { ROOM = 4, ROUNDS = 1000 };
    ring *r = ring_create(ROOM);
    ring_span longest[2];
    ring_span span;
    bool finished = false;
    int64_t at = 0;
    int64_t left = 0;
    int held = 0;
    for (int round = 0; round < ROUNDS; round++) {
        const int before = held;
        assert_int_equal(fill_up(r), round == 0 ? ROOM : ROOM - before);
        for (int i = 0; i < ROOM - before; i++) {
            const bool is_long = (round == 0 && i == 0) || (round == ROUNDS / 2 && i == 1);
            assert_true(ring_look(r, &at, &left));
            assert_true(ring_take(r, at, 1, is_long ? &longest[held] : &span));
            held += is_long;
            if (!is_long) {
                assert_true(ring_finish(r, &span));
                ring_publish(r, &span);
                assert_ptr_equal(ring_collect(r), span.data);
            }
        }
        assert_null(ring_collect(r));
        assert_int_equal(ring_blocks(r), held);
        assert_int_equal(ring_stock(r), 0);
    }
    /* A worker that comes from the long tile finds what is on offer now. */
    at = 0;
    assert_true(ring_offer(r, 3, false, &labels[5]));
    assert_true(ring_look(r, &at, &left));
    assert_int_equal(left, 3);
    assert_int_equal(ring_left(r, 0), 0);
    assert_int_equal(ring_left(r, 2), 3);
    assert_true(ring_cut(r, 2, 1, &span, &finished));
    assert_ptr_equal(span.data, &labels[5]);
    assert_true(ring_cut_youngest(r, 0, 2, &span, &finished));
    assert_int_equal(span.tiles, 2);
    assert_true(finished);
    ring_publish(r, &span);
    assert_ptr_equal(ring_collect(r), &labels[5]);
    for (int i = 0; i < held; i++) {
        assert_true(ring_finish(r, &longest[i]));
        ring_publish(r, &longest[i]);
        assert_ptr_equal(ring_collect(r), longest[i].data);
    }
    assert_int_equal(held, 2);
    assert_int_equal(ring_blocks(r), 0);
    ring_destroy(r);
}

static void test_cut(void **state)
{
    (void)state;
    ring *r = ring_create(2);
    ring_span taken;
    ring_span cut;
    bool finished = true;
    assert_true(ring_offer(r, 10, false, &labels[0]));
    assert_true(ring_offer(r, 4, false, &labels[1]));
    assert_true(ring_take(r, 0, 3, &taken));
    assert_true(ring_cut(r, 0, 2, &cut, &finished));
    assert_false(finished);
    assert_int_equal(cut.first, 8);
    assert_int_equal(cut.tiles, 2);
    assert_ptr_equal(cut.data, &labels[0]);
    assert_int_equal(ring_left(r, 0), 5);
    assert_int_equal(ring_stock(r), 9);
    assert_false(ring_cut_youngest(r, 5, 100, &cut, &finished));
    assert_true(ring_cut_youngest(r, 4, 100, &cut, &finished));
    assert_ptr_equal(cut.data, &labels[0]);
    assert_int_equal(cut.first, 7);
    assert_int_equal(cut.tiles, 1);
    assert_true(ring_cut_youngest(r, 0, 1, &cut, &finished));
    assert_ptr_equal(cut.data, &labels[1]);
    assert_int_equal(cut.tiles, 1);
    assert_false(finished);
    assert_true(ring_cut_youngest(r, 0, 100, &cut, &finished));
    assert_true(finished);
    assert_int_equal(cut.first, 0);
    assert_int_equal(cut.tiles, 3);
    ring_publish(r, &cut);
    assert_ptr_equal(ring_collect(r), &labels[1]);
    assert_true(ring_cut(r, 0, 100, &cut, &finished));
    assert_false(finished);
    assert_int_equal(cut.first, 3);
    assert_int_equal(cut.tiles, 4);
    assert_true(ring_cut(r, 0, 100, &cut, &finished));
    assert_int_equal(cut.tiles, 0);
    assert_false(finished);
    assert_true(ring_finish(r, &taken));
    ring_publish(r, &taken);
    assert_ptr_equal(ring_collect(r), &labels[0]);
    assert_false(ring_cut(r, 0, 1, &cut, &finished));
    ring_destroy(r);
}

static void test_late_worker_takes_nothing_of_another_block(void **state)
{
    (void)state;
    ring *r = ring_create(1);
    int64_t at = 0;
    ring_span span;
    assert_true(ring_offer(r, 1, false, &labels[0]));
    take_and_finish(r, &at);
    assert_ptr_equal(ring_collect(r), &labels[0]);
    assert_true(ring_offer(r, 1, false, &labels[1]));
    assert_false(ring_take(r, 0, 1, &span));
    int64_t left = 0;
    at = 0;
    assert_true(ring_look(r, &at, &left));
    assert_int_equal(at, 1);
    assert_true(ring_take(r, at, 1, &span));
    assert_ptr_equal(span.data, &labels[1]);
    ring_destroy(r);
}

static void test_largest_block(void **state)
{
    (void)state;
    ring *r = ring_create(1);
    ring_span span;
    bool finished = false;
    assert_true(ring_offer(r, RING_BLOCK_TILES, false, &labels[0]));
    assert_int_equal(ring_stock(r), RING_BLOCK_TILES);
    assert_true(ring_take(r, 0, 1, &span));
    assert_true(ring_cut(r, 0, 1, &span, &finished));
    assert_int_equal(span.first, RING_BLOCK_TILES - 1);
    assert_true(ring_take(r, 0, RING_BLOCK_TILES, &span));
    assert_int_equal(span.first, 1);
    assert_int_equal(span.tiles, RING_BLOCK_TILES - 2);
    ring_destroy(r);
}

enum { THREADS = 3, MOST_TILES = 97, BLOCKS = 3000, LIMIT_S = 600 };

/* One block of the concurrent test: how often each tile was taken, and cut. */
typedef struct tally {
    int64_t tiles;
    atomic_int taken[MOST_TILES];
    int cut[MOST_TILES];
    int finished; /* by whoever finishes it; once */
    int collected;
} tally;

typedef struct arena {
    ring *ring;
    tally *tallies;
    atomic_bool ending;
    atomic_int wrong;
    atomic_int starts;
} arena;

static void *take_spans(void *argument)
{
    arena *a = argument;
    unsigned seed = 17u * (unsigned)atomic_fetch_add(&a->starts, 1) + 1u;
    int64_t at = 0;
    while (!atomic_load(&a->ending)) {
        int64_t left = 0;
        ring_span span;
        seed = seed * 1103515245u + 12345u;
        if (!ring_look(a->ring, &at, &left)) {
            (void)sched_yield();
            continue;
        }
        if (!ring_take(a->ring, at, 1 + (int64_t)(seed >> 16) % 9, &span)) {
            continue;
        }
        tally *t = span.data;
        for (int64_t i = span.first; i < span.first + span.tiles; i++) {
            atomic_fetch_add(&t->taken[i], 1);
        }
        if (ring_finish(a->ring, &span)) {
            /* What other workers did to the block is seen by the one that finishes it. */
            for (int64_t i = 0; i < t->tiles; i++) {
                if (atomic_load(&t->taken[i]) > 1) {
                    atomic_fetch_add(&a->wrong, 1);
                }
            }
            t->finished++;
            ring_publish(a->ring, &span);
        }
    }
    return NULL;
}

static void cut_some(arena *a, unsigned number)
{
    ring_span span;
    bool finished = false;
    const int blocks = ring_blocks(a->ring);
    if (blocks == 0 ||
        !ring_cut(a->ring, (int)(number % (unsigned)blocks), number / 7 % 5, &span, &finished)) {
        return;
    }
    tally *t = span.data;
    for (int64_t i = span.first; i < span.first + span.tiles; i++) {
        t->cut[i]++;
    }
    if (finished) {
        t->finished++;
        ring_publish(a->ring, &span);
    }
}

static void collect_all(arena *a, int *collected)
{
    for (tally *t = ring_collect(a->ring); t != NULL; t = ring_collect(a->ring)) {
        t->collected++;
        *collected += 1;
    }
}

static void run_agent(arena *a, unsigned seed)
{
    int offered = 0;
    int collected = 0;
    const int64_t until = clock_now_ns() + INT64_C(1000000000) * LIMIT_S;
    while (collected < BLOCKS && clock_now_ns() < until) {
        seed = seed * 1103515245u + 12345u;
        if (offered < BLOCKS &&
            ring_offer(a->ring, a->tallies[offered].tiles, false, &a->tallies[offered])) {
            offered++;
        } else {
            (void)sched_yield();
        }
        if ((seed >> 16) % 3 == 0) {
            cut_some(a, seed >> 18);
        }
        collect_all(a, &collected);
    }
    atomic_store(&a->ending, true);
}

static int64_t count_wrong(const arena *a, int64_t *cut)
{
    int64_t wrong = atomic_load(&a->wrong);
    for (int b = 0; b < BLOCKS; b++) {
        const tally *t = &a->tallies[b];
        wrong += t->finished != 1 || t->collected != 1;
        for (int64_t i = 0; i < t->tiles; i++) {
            wrong += atomic_load(&t->taken[i]) + t->cut[i] != 1;
            *cut += t->cut[i];
        }
    }
    return wrong;
}

static void test_threads_and_cuts(void **state)
{
    (void)state;
    int64_t cut = 0;
    for (int round = 0; round < 4; round++) {
        arena a = {.ring = ring_create(1 << round), .tallies = calloc(BLOCKS, sizeof(tally))};
        assert_non_null(a.tallies);
        for (int b = 0; b < BLOCKS; b++) {
            a.tallies[b].tiles = 1 + (b * 31 + round) % MOST_TILES;
        }
        pthread_t threads[THREADS];
        for (int i = 0; i < THREADS; i++) {
            assert_int_equal(pthread_create(&threads[i], NULL, take_spans, &a), 0);
        }
        run_agent(&a, (unsigned)round + 1u);
        for (int i = 0; i < THREADS; i++) {
            (void)pthread_join(threads[i], NULL);
        }
        assert_int_equal(count_wrong(&a, &cut), 0);
        assert_int_equal(ring_blocks(a.ring), 0);
        free(a.tallies);
        ring_destroy(a.ring);
    }
    assert_true(cut > 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_empty),
        cmocka_unit_test(test_life_of_a_block),
        cmocka_unit_test(test_coarse_blocks),
        cmocka_unit_test(test_full),
        cmocka_unit_test(test_blocks_finish_in_any_order),
        cmocka_unit_test(test_long_tile_holds_nothing_up),
        cmocka_unit_test(test_cut),
        cmocka_unit_test(test_late_worker_takes_nothing_of_another_block),
        cmocka_unit_test(test_largest_block),
        cmocka_unit_test(test_threads_and_cuts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
