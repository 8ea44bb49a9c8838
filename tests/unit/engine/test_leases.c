/* SPDX-License-Identifier: BSD-3-Clause */
/* Tests the decisions of the coordinator with ranks that are simulated: fast, slow, silent, dead.
 * Whatever they do, every tile is computed; and only once where nobody is late or the map is not
 * pure. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "engine/leases.h"

#include <stdlib.h>
#include <string.h>

enum { MOST_TILES = 3000, MOST_RANKS = 9 };

static const int64_t step_ns = 1000000;
static const int64_t late_ns = 500000000;

static uint32_t draw(uint32_t *seed)
{
    *seed = *seed * 1664525u + 1013904223u;
    return *seed >> 8;
}

typedef enum habit {
    HABIT_STEADY,
    HABIT_SLOW,
    HABIT_SILENT, /* goes quiet for long, then reports after all */
    HABIT_DEAD    /* from some time on */
} habit;

/* A simulated rank: the tiles it holds, front to back. */
typedef struct rank {
    habit habit;
    int64_t queue[2 * MOST_TILES];
    int64_t head;
    int64_t tail;
    int64_t speed; /* tiles per step */
    int64_t away_from;
    int64_t away_until;
    int64_t recalls;
} rank;

typedef struct world {
    leases *leases;
    int64_t tiles;
    int ranks;
    bool pure;
    bool done[MOST_TILES];
    int granted[MOST_TILES]; /* less what was given back */
    int computed[MOST_TILES];
    rank *rank;
    int64_t now_ns;
    uint32_t seed;
    int64_t repeats;
} world;

static bool is_away(const world *w, const rank *r)
{
    return r->habit >= HABIT_SILENT && w->now_ns >= r->away_from && w->now_ns < r->away_until;
}

static void begin(world *w, technique t, int64_t tiles, int ranks, bool pure, uint32_t seed)
{
    error e = {.status = WEFT_OK};
    memset(w, 0, sizeof *w);
    w->tiles = tiles;
    w->ranks = ranks;
    w->pure = pure;
    w->seed = seed;
    w->now_ns = INT64_C(1000000000000);
    w->rank = calloc((size_t)ranks, sizeof *w->rank);
    assert_non_null(w->rank);
    assert_int_equal(leases_create(tiles, ranks, pure, &w->leases, &e), WEFT_OK);
    for (int64_t tile = 0; tile < tiles; tile++) {
        /* What earlier runs have done: nothing, single tiles, or long runs of them. */
        if (seed % 3 == 1 ? draw(&w->seed) % 3 == 0 : seed % 3 == 2 && tile / 50 % 2 == 0) {
            leases_set_done(w->leases, tile);
            w->done[tile] = true;
        }
    }
    for (int r = 0; r < ranks; r++) {
        w->rank[r].speed = 1 + draw(&w->seed) % 7;
    }
    leases_start(w->leases, t);
}

static void end(world *w)
{
    leases_destroy(w->leases);
    free(w->rank);
}

static void ask(world *w, int number)
{
    rank *r = &w->rank[number];
    grant g;
    memset(&g, 0xFF, sizeof g);
    leases_grant(w->leases, number, 1 + draw(&w->seed) % 40, w->now_ns, late_ns, &g);
    assert_in_range(g.pieces, 0, 64);
    for (int i = 0; i < g.pieces; i++) {
        const piece p = g.piece[i];
        assert_true(p.tiles >= 1 && p.first >= 0 && p.first + p.tiles <= w->tiles);
        for (int64_t tile = p.first; tile < p.first + p.tiles; tile++) {
            if (r->tail == 2 * MOST_TILES) {
                memmove(r->queue, r->queue + r->head,
                        sizeof(int64_t) * (size_t)(r->tail - r->head));
                r->tail -= r->head;
                r->head = 0;
            }
            assert_true(r->tail < 2 * MOST_TILES);
            r->queue[r->tail++] = tile;
            w->repeats += w->granted[tile] > 0;
            w->granted[tile]++;
        }
    }
    int holder = -1;
    if (g.pieces == 0 && leases_recall(w->leases, number, w->now_ns, &holder)) {
        assert_in_range(holder, 0, w->ranks - 1);
        assert_int_not_equal(holder, number);
        w->rank[holder].recalls++;
    }
}

/* Gives back a run of tiles from the end of the queue. */
static void give_back(world *w, int number)
{
    rank *r = &w->rank[number];
    int64_t kept = r->tail - (r->tail - r->head + 1) / 2;
    while (kept < r->tail - 1 && r->queue[r->tail - 1] - r->queue[kept] != r->tail - 1 - kept) {
        kept++;
    }
    if (kept < r->tail) {
        const piece p = {.first = r->queue[kept], .tiles = r->tail - kept};
        for (int64_t tile = p.first; tile < p.first + p.tiles; tile++) {
            w->granted[tile]--;
        }
        r->tail = kept;
        leases_return(w->leases, number, p, w->now_ns);
    }
}

static void compute(world *w, int number)
{
    rank *r = &w->rank[number];
    const bool slow = r->habit == HABIT_SLOW && draw(&w->seed) % 20 != 0;
    for (int64_t i = 0; i < r->speed && r->head < r->tail && !slow; i++) {
        const int64_t tile = r->queue[r->head++];
        w->computed[tile]++;
        leases_hear(w->leases, number, w->now_ns);
        assert_int_equal(leases_report(w->leases, tile), !w->done[tile]);
        w->done[tile] = true;
    }
}

/* One step of time. */
static void step(world *w)
{
    w->now_ns += step_ns;
    for (int number = 0; number < w->ranks; number++) {
        rank *r = &w->rank[number];
        if (is_away(w, r)) {
            continue;
        }
        if (r->recalls > 0) {
            r->recalls = 0;
            give_back(w, number);
        }
        compute(w, number);
        if (r->tail - r->head < 3) {
            ask(w, number);
        }
    }
}

static int64_t count_undone(const world *w)
{
    int64_t undone = 0;
    for (int64_t tile = 0; tile < w->tiles; tile++) {
        undone += !w->done[tile];
    }
    return undone;
}

/* Runs until all is done, for so many steps at most. */
static bool complete(world *w, int64_t most_steps)
{
    for (int64_t i = 0; i < most_steps && leases_undone(w->leases) > 0; i++) {
        step(w);
        if (i % 50 == 0) {
            assert_int_equal(leases_undone(w->leases), count_undone(w));
        }
    }
    assert_int_equal(leases_undone(w->leases), count_undone(w));
    return leases_undone(w->leases) == 0;
}

static void check_once(const world *w, const bool before[])
{
    for (int64_t tile = 0; tile < w->tiles; tile++) {
        assert_int_equal(w->computed[tile], before[tile] ? 0 : 1);
    }
    assert_int_equal(w->repeats, 0);
}

static const int64_t counts[] = {0, 1, 2, 3, 17, 64, 1009, MOST_TILES};
enum { COUNTS = sizeof counts / sizeof counts[0] };

static void test_once_when_nobody_is_late(void **state)
{
    (void)state;
    static world w;
    static bool before[MOST_TILES];
    uint32_t seed = 0;
    for (int t = 0; t < (int)TECHNIQUE_COUNT; t++) {
        for (int c = 0; c < COUNTS; c++) {
            for (int ranks = 1; ranks <= MOST_RANKS; ranks += 2) {
                for (int pure = 0; pure < 2; pure++) {
                    begin(&w, (technique)t, counts[c], ranks, pure != 0, ++seed);
                    memcpy(before, w.done, sizeof before);
                    assert_true(complete(&w, 20000));
                    check_once(&w, before);
                    grant g;
                    leases_grant(w.leases, 0, 5, w.now_ns + 10 * late_ns, late_ns, &g);
                    assert_int_equal(g.pieces, 0);
                    end(&w);
                }
            }
        }
    }
}

/* Some die or go quiet, but one: what they hold is given out again, and nothing is missing. */
static void test_all_is_done_whoever_dies(void **state)
{
    (void)state;
    static world w;
    for (uint32_t seed = 1; seed <= 150; seed++) {
        const int ranks = 2 + (int)(seed % (MOST_RANKS - 1));
        begin(&w, (technique)(seed % TECHNIQUE_COUNT), counts[3 + seed % 5], ranks, true, seed);
        const int survivor = (int)(seed % (uint32_t)ranks);
        for (int r = 0; r < ranks; r++) {
            rank *each = &w.rank[r];
            each->habit = r == survivor ? HABIT_STEADY : (habit)(draw(&w.seed) % 4);
            each->away_from = w.now_ns + step_ns * (int64_t)(draw(&w.seed) % 300);
            each->away_until = each->habit == HABIT_DEAD
                                   ? INT64_MAX
                                   : each->away_from + step_ns * (int64_t)(draw(&w.seed) % 3000);
        }
        assert_true(complete(&w, 200000));
        /* Those who come back late have what they report counted once. */
        for (int i = 0; i < 4000; i++) {
            step(&w);
        }
        assert_int_equal(leases_undone(w.leases), 0);
        for (int64_t tile = 0; tile < w.tiles; tile++) {
            assert_true(w.done[tile]);
        }
        end(&w);
    }
}

/* A map with side effects: never twice, even if that means that it waits for the dead. */
static void test_impure_is_never_repeated(void **state)
{
    (void)state;
    static world w;
    static bool before[MOST_TILES];
    for (uint32_t seed = 1; seed <= 60; seed++) {
        const int ranks = 2 + (int)(seed % (MOST_RANKS - 1));
        begin(&w, (technique)(seed % TECHNIQUE_COUNT), counts[3 + seed % 5], ranks, false, seed);
        memcpy(before, w.done, sizeof before);
        bool any_dead = false;
        for (int r = 0; r < ranks; r++) {
            rank *each = &w.rank[r];
            each->habit = (habit)(draw(&w.seed) % 4);
            any_dead = any_dead || each->habit == HABIT_DEAD;
            each->away_from = w.now_ns + step_ns * (int64_t)(draw(&w.seed) % 100);
            each->away_until =
                each->habit == HABIT_DEAD ? INT64_MAX : each->away_from + 5 * late_ns;
        }
        const bool completed = complete(&w, 12000);
        assert_true(completed || any_dead);
        assert_int_equal(w.repeats, 0);
        for (int64_t tile = 0; tile < w.tiles; tile++) {
            assert_in_range(w.computed[tile], 0, before[tile] ? 0 : 1);
        }
        end(&w);
    }
}

/* The late piece of one rank goes to another by halves, not before it is late. */
static void test_late_piece_is_halved(void **state)
{
    (void)state;
    error e = {.status = WEFT_OK};
    leases *l = NULL;
    grant g;
    assert_int_equal(leases_create(8, 2, true, &l, &e), WEFT_OK);
    leases_start(l, TECHNIQUE_STATIC);
    leases_grant(l, 0, 100, 1000, late_ns, &g);
    assert_int_equal(g.pieces, 1);
    assert_int_equal(g.piece[0].tiles, 4);
    leases_grant(l, 1, 100, 1000, late_ns, &g);
    assert_int_equal(g.piece[0].first, 4);
    for (int64_t tile = 4; tile < 8; tile++) {
        assert_true(leases_report(l, tile));
    }
    assert_false(leases_report(l, 4));
    leases_grant(l, 1, 100, 1000 + late_ns - 1, late_ns, &g);
    assert_int_equal(g.pieces, 0);
    leases_hear(l, 0, 2000);
    leases_grant(l, 1, 100, 1000 + late_ns, late_ns, &g);
    assert_int_equal(g.pieces, 0);
    leases_grant(l, 1, 100, 2000 + late_ns, late_ns, &g);
    assert_int_equal(g.pieces, 1);
    assert_int_equal(g.piece[0].first, 2);
    assert_int_equal(g.piece[0].tiles, 2);
    /* The one who is late himself is not given his own. */
    leases_grant(l, 0, 100, 3000 + late_ns, late_ns, &g);
    assert_int_equal(g.pieces, 0);
    leases_destroy(l);
}

static void test_returned_piece_goes_to_another(void **state)
{
    (void)state;
    error e = {.status = WEFT_OK};
    leases *l = NULL;
    grant g;
    int holder = -1;
    assert_int_equal(leases_create(10, 2, false, &l, &e), WEFT_OK);
    leases_start(l, TECHNIQUE_STATIC);
    leases_grant(l, 0, 10, 1, late_ns, &g);
    leases_grant(l, 0, 10, 2, late_ns, &g);
    assert_int_equal(g.piece[0].first, 5);
    leases_grant(l, 1, 10, 3, late_ns, &g);
    assert_int_equal(g.pieces, 0);
    assert_true(leases_recall(l, 1, late_ns, &holder));
    assert_int_equal(holder, 0);
    /* Not again at once, and nobody is asked for himself. */
    assert_false(leases_recall(l, 1, late_ns + 1, &holder));
    assert_false(leases_recall(l, 0, 2 * late_ns, &holder));
    leases_return(l, 0, (piece){.first = 7, .tiles = 3}, 4);
    int64_t got = 0;
    for (int i = 0; i < 3 && got < 3; i++) {
        leases_grant(l, 1, 10, 5, late_ns, &g);
        for (int k = 0; k < g.pieces; k++) {
            assert_int_equal(g.piece[k].first, 7 + got);
            got += g.piece[k].tiles;
        }
    }
    assert_int_equal(got, 3);
    leases_grant(l, 1, 10, 6, late_ns, &g);
    assert_int_equal(g.pieces, 0);
    leases_destroy(l);
    leases_destroy(NULL);
}

/* What was done earlier is left out, however it is scattered. */
static void test_scattered_tiles(void **state)
{
    (void)state;
    error e = {.status = WEFT_OK};
    enum { SCATTERED = 1000 };
    for (int t = 0; t < (int)TECHNIQUE_COUNT; t++) {
        leases *l = NULL;
        bool seen[SCATTERED] = {false};
        assert_int_equal(leases_create(SCATTERED, 3, true, &l, &e), WEFT_OK);
        for (int64_t tile = 0; tile < SCATTERED; tile += 2) {
            leases_set_done(l, tile);
        }
        leases_start(l, (technique)t);
        assert_int_equal(leases_undone(l), SCATTERED / 2);
        int64_t got = 0;
        for (int i = 0; i < 2000 && got < SCATTERED / 2; i++) {
            grant g;
            leases_grant(l, i % 3, 1000, 1, late_ns, &g);
            for (int k = 0; k < g.pieces; k++) {
                assert_int_equal(g.piece[k].tiles, 1);
                assert_int_equal(g.piece[k].first % 2, 1);
                assert_false(seen[g.piece[k].first]);
                seen[g.piece[k].first] = true;
                got++;
            }
        }
        assert_int_equal(got, SCATTERED / 2);
        assert_true(leases_chunks(l) > 0);
        leases_destroy(l);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_once_when_nobody_is_late),
        cmocka_unit_test(test_all_is_done_whoever_dies),
        cmocka_unit_test(test_impure_is_never_repeated),
        cmocka_unit_test(test_late_piece_is_halved),
        cmocka_unit_test(test_returned_piece_goes_to_another),
        cmocka_unit_test(test_scattered_tiles),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
