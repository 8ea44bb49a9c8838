/* SPDX-License-Identifier: BSD-3-Clause */
/* Tests the decisions of the coordinator with ranks that are simulated: fast, slow, silent, dead.
 * Whatever they do, every tile is computed; and only once where nobody is late or the map is not
 * pure. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "sched/dispatch.h"

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
typedef struct mate {
    habit habit;
    int64_t queue[2 * MOST_TILES];
    int64_t head;
    int64_t tail;
    int64_t speed; /* tiles per step */
    int64_t away_from;
    int64_t away_until;
    int64_t recalls;
    bool waits;
} mate;

typedef struct world {
    dispatch *dispatch;
    int64_t tiles;
    int ranks;
    bool pure;
    bool done[MOST_TILES];
    bool careful[MOST_TILES]; /* has killed somebody, or may have */
    int granted[MOST_TILES];  /* less what was given back */
    int computed[MOST_TILES];
    mate *mate;
    int64_t now_ns;
    uint32_t seed;
    int64_t repeats;
} world;

static bool is_away(const world *w, const mate *r)
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
    w->mate = calloc((size_t)ranks, sizeof *w->mate);
    assert_non_null(w->mate);
    const dispatch_setup setup = {
        .tiles = tiles, .ranks = ranks, .technique = t, .seed = seed, .pure = pure};
    assert_int_equal(dispatch_create(&setup, &w->dispatch, &e), WEFT_OK);
    for (int64_t tile = 0; tile < tiles; tile++) {
        /* What earlier runs have done: nothing, single tiles, or long runs of them. */
        if (seed % 3 == 1 ? draw(&w->seed) % 3 == 0 : seed % 3 == 2 && tile / 50 % 2 == 0) {
            dispatch_set_done(w->dispatch, tile);
            w->done[tile] = true;
        } else if (seed % 4 == 3 && draw(&w->seed) % 16 == 0) {
            dispatch_set_careful(w->dispatch, tile);
            w->careful[tile] = true;
        }
    }
    for (int r = 0; r < ranks; r++) {
        w->mate[r].speed = 1 + draw(&w->seed) % 7;
    }
    assert_int_equal(dispatch_start(w->dispatch, &e), WEFT_OK);
}

static void end(world *w)
{
    dispatch_destroy(w->dispatch);
    free(w->mate);
}

static void append(world *w, mate *r, int64_t tile)
{
    if (r->tail == 2 * MOST_TILES) {
        memmove(r->queue, r->queue + r->head, sizeof(int64_t) * (size_t)(r->tail - r->head));
        r->tail -= r->head;
        r->head = 0;
    }
    assert_true(r->tail < 2 * MOST_TILES);
    r->queue[r->tail++] = tile;
    w->repeats += w->granted[tile] > 0;
    w->granted[tile]++;
}

static void take_grant(world *w, const order *o)
{
    mate *r = &w->mate[o->rank];
    assert_true(r->waits);
    r->waits = false;
    assert_in_range(o->intervals, 1, ORDER_INTERVALS);
    for (int i = 0; i < o->intervals; i++) {
        const interval p = o->interval[i];
        assert_true(p.tiles >= 1 && p.first >= 0 && interval_end(p) <= w->tiles);
        bool careful = false;
        for (int64_t tile = p.first; tile < interval_end(p); tile++) {
            append(w, r, tile);
            assert_int_equal(dispatch_next_careful(w->dispatch, tile, tile + 1) == tile,
                             w->careful[tile]);
            assert_true(o->again || w->careful[tile] == (p.careful != 0));
            careful = careful || w->careful[tile];
        }
        assert_int_equal(p.careful, careful);
    }
}

/* Carries out what is ordered now. */
static void obey(world *w)
{
    order o;
    for (int i = 0; dispatch_next(w->dispatch, w->now_ns, &o); i++) {
        assert_true(i < 100000);
        assert_in_range(o.rank, 0, w->ranks - 1);
        if (o.kind == ORDER_GRANT) {
            take_grant(w, &o);
        } else {
            w->mate[o.rank].recalls++;
        }
    }
}

static int64_t count_queued(const mate *r)
{
    return r->tail - r->head;
}

/* Gives back a run of tiles from the end of the queue, or none. */
static void give_back(world *w, int number)
{
    mate *r = &w->mate[number];
    int64_t kept = r->tail - (count_queued(r) + 1) / 2;
    while (kept < r->tail - 1 && r->queue[r->tail - 1] - r->queue[kept] != r->tail - 1 - kept) {
        kept++;
    }
    interval p = {.tiles = r->tail - kept};
    p.first = p.tiles > 0 ? r->queue[kept] : 0;
    for (int64_t tile = p.first; tile < interval_end(p); tile++) {
        w->granted[tile]--;
    }
    r->tail = kept;
    dispatch_return(w->dispatch, number, p.tiles > 0, &p, count_queued(r), w->now_ns);
}

static void compute(world *w, int number)
{
    mate *r = &w->mate[number];
    const bool slow = r->habit == HABIT_SLOW && draw(&w->seed) % 20 != 0;
    news n = {.computed = {.elapsed = 1e-9 * (double)step_ns}};
    for (int64_t i = 0; i < r->speed && r->head < r->tail && !slow; i++) {
        const int64_t tile = r->queue[r->head++];
        const double seconds = 1e-9 * (double)step_ns / (double)r->speed;
        w->computed[tile]++;
        n.computed.tiles++;
        n.computed.seconds += seconds;
        n.computed.squares += seconds * seconds;
        n.longest_s = seconds;
        assert_int_equal(dispatch_report(w->dispatch, tile), !w->done[tile]);
        w->done[tile] = true;
    }
    n.left = count_queued(r);
    if (n.computed.tiles > 0) {
        dispatch_hear(w->dispatch, number, &n, w->now_ns);
    }
}

/* One step of time. */
static void step(world *w)
{
    w->now_ns += step_ns;
    for (int number = 0; number < w->ranks; number++) {
        mate *r = &w->mate[number];
        if (is_away(w, r)) {
            continue;
        }
        if (r->recalls > 0) {
            r->recalls = 0;
            give_back(w, number);
        }
        compute(w, number);
        if (count_queued(r) < 3 && !r->waits) {
            r->waits = true;
            dispatch_ask(w->dispatch, number, 1 + draw(&w->seed) % 40, true);
        }
        obey(w);
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
    for (int64_t i = 0; i < most_steps && dispatch_undone(w->dispatch) > 0; i++) {
        step(w);
        if (i % 50 == 0) {
            assert_int_equal(dispatch_undone(w->dispatch), count_undone(w));
        }
    }
    assert_int_equal(dispatch_undone(w->dispatch), count_undone(w));
    return dispatch_undone(w->dispatch) == 0;
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
                    order o;
                    dispatch_ask(w.dispatch, 0, 5, true);
                    assert_false(dispatch_next(w.dispatch, w.now_ns + 10 * late_ns, &o));
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
            mate *each = &w.mate[r];
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
        assert_int_equal(dispatch_undone(w.dispatch), 0);
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
            mate *each = &w.mate[r];
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

/* Presumes a rank dead: what it had in its queue is lost with it. */
static void bury(world *w, int number)
{
    mate *r = &w->mate[number];
    int64_t lost = 0;
    for (int64_t i = r->head; i < r->tail; i++) {
        const int64_t tile = r->queue[i];
        lost += !w->done[tile];
        w->careful[tile] = w->careful[tile] || !w->done[tile];
        w->granted[tile]--;
    }
    r->head = r->tail = 0;
    r->waits = false;
    r->recalls = 0;
    r->habit = HABIT_DEAD;
    r->away_from = 0;
    r->away_until = INT64_MAX;
    assert_int_equal(dispatch_bury(w->dispatch, number), lost);
}

/* Ranks die, and some rise again with nothing in their hands: every tile is computed, and without
 * side effects twice. */
static void test_dead_ranks_are_replaced(void **state)
{
    (void)state;
    static world w;
    static bool before[MOST_TILES];
    for (uint32_t seed = 1; seed <= 200; seed++) {
        const int ranks = 2 + (int)(seed % (MOST_RANKS - 1));
        begin(&w, (technique)(seed % TECHNIQUE_COUNT), counts[3 + seed % 5], ranks, false, seed);
        memcpy(before, w.done, sizeof before);
        const int survivor = (int)(seed % (uint32_t)ranks);
        for (int i = 0; i < 100000 && dispatch_undone(w.dispatch) > 0; i++) {
            const int chosen = (int)(draw(&w.seed) % (uint32_t)ranks);
            mate *each = &w.mate[chosen];
            if (draw(&w.seed) % 10 == 0 && chosen != survivor) {
                if (each->habit == HABIT_DEAD) {
                    each->habit = HABIT_STEADY;
                } else {
                    bury(&w, chosen);
                }
            }
            step(&w);
        }
        assert_int_equal(dispatch_undone(w.dispatch), 0);
        check_once(&w, before);
        end(&w);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_once_when_nobody_is_late),
        cmocka_unit_test(test_all_is_done_whoever_dies),
        cmocka_unit_test(test_impure_is_never_repeated),
        cmocka_unit_test(test_dead_ranks_are_replaced),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
