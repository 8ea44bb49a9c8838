/* SPDX-License-Identifier: BSD-3-Clause */
/* Tests a rank's queue of tiles: whatever is added, taken and given back, none is lost or doubled.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "sched/granted.h"

#include <string.h>

static job *make_job(int64_t count, int64_t grain, int64_t bytes)
{
    error e = {.status = WEFT_OK};
    job *j = NULL;
    assert_int_equal(job_create("granted", 1, &count, &j, &e), WEFT_OK);
    assert_int_equal(job_add_field(j, "a", WEFT_UINT8, 1, &bytes, NULL, NULL, &e), WEFT_OK);
    assert_int_equal(job_settle(j, 0, grain, &e), WEFT_OK);
    return j;
}

static granted *make_supply(int workers, int64_t item_bytes)
{
    error e = {.status = WEFT_OK};
    granted *s = NULL;
    job *j = make_job(1000000, 1, item_bytes);
    assert_int_equal(granted_create(workers, 1, j, &s, &e), WEFT_OK);
    job_destroy(j);
    return s;
}

static void test_empty(void **state)
{
    (void)state;
    granted *s = make_supply(2, 8);
    interval p;
    assert_int_equal(granted_queued(s), 0);
    assert_false(granted_next(s, 0, &p));
    assert_false(granted_take_back(s, (granted_queued(s) + 1) / 2, &p));
    assert_true(granted_wanted(s, 0) >= 2);
    granted_clear(s);
    granted_destroy(s);
    granted_destroy(NULL);
}

static void test_front_is_next_and_back_is_given_back(void **state)
{
    (void)state;
    error e = {.status = WEFT_OK};
    granted *s = make_supply(1, 8);
    interval p;
    granted_observe(s, 1000000);
    assert_int_equal(granted_add(s, (interval){.first = 100, .tiles = 40}, &e), WEFT_OK);
    assert_int_equal(granted_add(s, (interval){.first = 140, .tiles = 20}, &e), WEFT_OK);
    assert_int_equal(granted_add(s, (interval){.first = 10, .tiles = 10}, &e), WEFT_OK);
    assert_int_equal(granted_queued(s), 70);
    assert_true(granted_next(s, 0, &p));
    assert_int_equal(p.first, 100);
    const int64_t block = p.tiles;
    assert_in_range(block, 1, 60);
    assert_true(granted_take_back(s, (granted_queued(s) + 1) / 2, &p));
    assert_int_equal(p.first, 10);
    assert_int_equal(p.tiles, 10);
    assert_true(granted_take_back(s, (granted_queued(s) + 1) / 2, &p));
    assert_int_equal(p.first + p.tiles, 160);
    assert_int_equal(p.tiles, (60 - block + 1) / 2);
    assert_int_equal(granted_return(s, (interval){.first = 100, .tiles = 2}, &e), WEFT_OK);
    assert_true(granted_next(s, 0, &p));
    assert_int_equal(p.first, 100);
    granted_clear(s);
    assert_int_equal(granted_queued(s), 0);
    assert_false(granted_next(s, 0, &p));
    granted_destroy(s);
}

static void test_blocks_have_bounds(void **state)
{
    (void)state;
    static const int64_t item_bytes[] = {1, 8, 1 << 20, 2 << 20, 100 << 20};
    static const int64_t tile_ns[] = {0, 1, 100, 1000000, INT64_C(10000000000)};
    for (size_t i = 0; i < 5; i++) {
        for (size_t k = 0; k < 5; k++) {
            for (int workers = 0; workers < 4; workers++) {
                granted *s = make_supply(workers, item_bytes[i]);
                granted_observe(s, tile_ns[k]);
                const int64_t room = granted_block_room(s);
                assert_true(room >= 1);
                assert_true(room == 1 || room * item_bytes[i] <= 2 << 20);
                assert_true(room < 1 << 20);
                assert_in_range(granted_block_tiles(s), 1, room);
                assert_true(granted_wanted(s, 0) >= 1);
                assert_int_equal(granted_wanted(s, INT64_C(1) << 40), 0);
                granted_destroy(s);
            }
        }
    }
}

/* Large grains, as far as a job may be described. */
/* From wherever they begin, long blocks end where a power of two divides, so that their records
 * fill large pages; from 256 tiles on they lose a quarter of their length for that at most. */
static void test_long_blocks_are_aligned(void **state)
{
    (void)state;
    static const int64_t tile_ns[] = {1, 40000, 200000};
    for (int i = 0; i < 3; i++) {
        error e = {.status = WEFT_OK};
        interval p;
        granted *s = make_supply(1, 8);
        granted_observe(s, tile_ns[i]);
        const int64_t most = granted_block_tiles(s);
        assert_int_equal(granted_add(s, (interval){.first = 777, .tiles = 10 * most}, &e), WEFT_OK);
        for (int n = 0; n < 8; n++) {
            assert_true(granted_next(s, 0, &p));
            assert_int_equal((p.first + p.tiles) % 64, 0);
            assert_true(most < 4096 || (p.first + p.tiles) % 1024 == 0);
            assert_true(n == 0 || most < 256 || p.tiles > 3 * most / 4 - 1);
        }
        granted_destroy(s);
    }
}

static void test_large_tiles(void **state)
{
    (void)state;
    error e = {.status = WEFT_OK};
    static const int64_t grains[] = {1000000, INT64_C(1) << 40, INT64_C(1) << 61, INT64_MAX};
    for (size_t i = 0; i < sizeof grains / sizeof grains[0]; i++) {
        job *j = make_job(10, grains[i], 8);
        granted *s = NULL;
        assert_int_equal(granted_create(1, 1, j, &s, &e), WEFT_OK);
        assert_true(granted_block_room(s) >= 1);
        granted_destroy(s);
        job_destroy(j);
    }
}

enum { TILES = 5000, OPERATIONS = 20000 };

static uint32_t draw(uint32_t *seed)
{
    *seed = *seed * 1664525u + 1013904223u;
    return *seed >> 8;
}

/* Which tiles are in the queue, as it should be. */
typedef struct model {
    granted *granted;
    bool queued[TILES];
    int64_t count;
    uint32_t seed;
} model;

/* Whatever happens to a piece, it stays as careful as it was. */
static bool is_careful(int64_t tile)
{
    return tile / 40 % 3 == 1;
}

static void enter(model *m, interval p, bool queued)
{
    assert_true(p.tiles >= 1 && p.first >= 0 && p.first + p.tiles <= TILES);
    for (int64_t i = p.first; i < p.first + p.tiles; i++) {
        assert_int_equal(p.careful, is_careful(i));
        assert_int_equal(m->queued[i], !queued);
        m->queued[i] = queued;
    }
    m->count += queued ? p.tiles : -p.tiles;
    assert_int_equal(granted_queued(m->granted), m->count);
}

/* A run of tiles that are not queued. */
static bool find_free(model *m, interval *p)
{
    p->first = draw(&m->seed) % TILES;
    p->tiles = 0;
    p->careful = is_careful(p->first);
    const int64_t most = 1 + draw(&m->seed) % 60;
    while (p->tiles < most && p->first + p->tiles < TILES && !m->queued[p->first + p->tiles] &&
           is_careful(p->first + p->tiles) == (p->careful != 0)) {
        p->tiles++;
    }
    return p->tiles > 0;
}

static void do_something(model *m)
{
    error e = {.status = WEFT_OK};
    interval p;
    const uint32_t what = draw(&m->seed) % 16;
    if (what < 5 && find_free(m, &p)) {
        assert_int_equal(granted_add(m->granted, p, &e), WEFT_OK);
        enter(m, p, true);
    } else if (what < 9 && granted_next(m->granted, draw(&m->seed) % 3, &p)) {
        assert_true(p.tiles <= granted_block_room(m->granted));
        enter(m, p, false);
        if (draw(&m->seed) % 2 == 0) {
            /* All of it comes back, or its end as from a block that was cut. */
            const int64_t cut = draw(&m->seed) % (uint32_t)p.tiles;
            p = (interval){.first = p.first + cut, .tiles = p.tiles - cut, .careful = p.careful};
            assert_int_equal(granted_return(m->granted, p, &e), WEFT_OK);
            enter(m, p, true);
            interval next;
            assert_true(granted_next(m->granted, 0, &next));
            assert_int_equal(next.first, p.first);
            enter(m, next, false);
        }
    } else if (what < 12) {
        const int64_t before = granted_queued(m->granted);
        if (granted_take_back(m->granted, (before + 1) / 2, &p)) {
            assert_true(p.tiles <= (before + 1) / 2);
            enter(m, p, false);
        } else {
            assert_int_equal(m->count, 0);
        }
    } else if (what < 14 && find_free(m, &p)) {
        assert_int_equal(granted_return(m->granted, p, &e), WEFT_OK);
        enter(m, p, true);
    } else {
        granted_observe(m->granted, draw(&m->seed) % 3000000);
    }
}

static void test_nothing_is_lost_or_doubled(void **state)
{
    (void)state;
    static model m;
    for (uint32_t round = 0; round < 12; round++) {
        m = (model){.granted = make_supply(1 + (int)(round % 3), 1 << round), .seed = round + 1};
        for (int i = 0; i < OPERATIONS; i++) {
            do_something(&m);
        }
        interval p;
        while (granted_next(m.granted, 0, &p)) {
            enter(&m, p, false);
        }
        assert_int_equal(m.count, 0);
        assert_int_equal(granted_queued(m.granted), 0);
        granted_destroy(m.granted);
    }
}

/* A few cheap tiles at the beginning are no reason to ask for very many. */
static void test_trust_grows(void **state)
{
    (void)state;
    error e = {.status = WEFT_OK};
    granted *s = make_supply(2, 8);
    interval p;
    granted_observe(s, 1);
    int64_t had = 0;
    for (int i = 0; i < 40; i++) {
        const int64_t want = granted_wanted(s, 0);
        assert_in_range(want, 4, 4 + 4 * had);
        assert_int_equal(granted_add(s, (interval){.first = had, .tiles = want}, &e), WEFT_OK);
        while (granted_queued(s) > 0 && granted_next(s, 0, &p)) {
            had += p.tiles;
        }
    }
    assert_int_equal(granted_wanted(s, 0), 2 * 2 * 30000000);
    granted_destroy(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_empty),
        cmocka_unit_test(test_front_is_next_and_back_is_given_back),
        cmocka_unit_test(test_blocks_have_bounds),
        cmocka_unit_test(test_long_blocks_are_aligned),
        cmocka_unit_test(test_large_tiles),
        cmocka_unit_test(test_nothing_is_lost_or_doubled),
        cmocka_unit_test(test_trust_grows),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
