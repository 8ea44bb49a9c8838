/* SPDX-License-Identifier: BSD-3-Clause */
/* Tests the team: every tile is computed once with any number of workers, and what is cut or halted
 * is not computed. What hooks find is counted and asserted outside, since an assertion inside a
 * parallel region ends the process without a word. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "team/run_team.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

enum { TILES = 5000 };

typedef struct piece_of_work {
    int64_t first;
    int64_t tiles;
    int64_t computed; /* set by the block hook */
    int hooks;        /* calls of the block hook */
} piece_of_work;

/* A run: TILES tiles in blocks of various sizes. */
typedef struct scene {
    lane *lane;
    int workers;
    int64_t span_limit;
    piece_of_work *works;
    int works_count;
    int offered;
    int collected;
    int halt_after; /* blocks collected; 0: never */
    bool halted;
    bool cutting;
    bool busily; /* without a rest */
    int64_t keep;
    int64_t most;
    atomic_int too_long; /* spans above the limit */
    atomic_int prepared; /* calls of the hook */
    atomic_int *computed;
    int *cut;
    atomic_llong total;
    atomic_int strangers; /* calls by unknown workers, or by the wrong thread */
    pthread_t main_thread;
    int64_t until_ns;
    bool expired;
} scene;

static int64_t span_hook(void *context, void *data, int worker, int64_t first, int64_t tiles,
                         int64_t start_ns)
{
    scene *s = context;
    const piece_of_work *w = data;
    if (worker < 0 || worker >= (s->workers > 0 ? s->workers : 1) || start_ns > clock_now_ns() ||
        (s->workers > 0) == (pthread_equal(pthread_self(), s->main_thread) != 0)) {
        atomic_fetch_add(&s->strangers, 1);
    }
    if (tiles > s->span_limit) {
        atomic_fetch_add(&s->too_long, 1);
    }
    for (int64_t i = 0; i < tiles; i++) {
        atomic_fetch_add(&s->computed[w->first + first + i], 1);
    }
    if (s->cutting && !s->busily && first % 7 == 0) {
        clock_sleep_ns(20000); /* so that the agent finds something to cut */
    }
    atomic_fetch_add(&s->total, tiles);
    return clock_now_ns();
}

static void block_hook(void *context, void *data)
{
    scene *s = context;
    piece_of_work *w = data;
    w->hooks++;
    for (int64_t i = 0; i < w->tiles; i++) {
        w->computed += atomic_load(&s->computed[w->first + i]);
    }
    if (s->workers > 0 && w->computed > 0 && pthread_equal(pthread_self(), s->main_thread) != 0) {
        atomic_fetch_add(&s->strangers, 1);
    }
}

static void cut_now(scene *s)
{
    void *data = NULL;
    int64_t first = 0;
    int64_t tiles = 0;
    if (lane_cut(s->lane, s->keep, s->most, &data, &first, &tiles)) {
        atomic_fetch_add(&s->strangers, tiles < 1 || tiles > s->most);
        const piece_of_work *w = data;
        for (int64_t i = 0; i < tiles; i++) {
            s->cut[w->first + first + i]++;
        }
    }
}

static bool agent_hook(void *context)
{
    scene *s = context;
    if (clock_now_ns() > s->until_ns) {
        s->expired = true;
        return false;
    }
    while (!s->halted && s->offered < s->works_count &&
           lane_offer(s->lane, s->works[s->offered].tiles, false, &s->works[s->offered])) {
        s->offered++;
    }
    if (s->cutting) {
        cut_now(s);
    }
    while (lane_collect(s->lane) != NULL) {
        s->collected++;
    }
    if (s->halt_after > 0 && s->collected >= s->halt_after && !s->halted) {
        s->halted = true;
        lane_halt(s->lane);
        if (lane_offer(s->lane, 1, false, &s->works[0])) {
            atomic_fetch_add(&s->strangers, 1);
        }
    }
    if (lane_idle(s->lane) && (s->halted || s->offered == s->works_count)) {
        return false;
    }
    if (!s->busily) {
        lane_rest(s->lane, 1000000);
    }
    return true;
}

/* One of each size, for all tests: a team lives on between runs. */
static team *teams[MOST_WORKERS + 1];

static int create_teams(void **state)
{
    (void)state;
    error e = {.status = WEFT_OK};
    bool good = true;
    for (int i = 0; i <= MOST_WORKERS; i++) {
        good = team_create(i, ROOM, NULL, &teams[i], &e) == WEFT_OK && good;
    }
    return good ? 0 : -1;
}

static int destroy_teams(void **state)
{
    (void)state;
    for (int i = 0; i <= MOST_WORKERS; i++) {
        team_destroy(teams[i]);
    }
    return 0;
}

static const lane_hooks hooks = {.agent = agent_hook, .span = span_hook, .block = block_hook};

static void prepare(scene *s, int workers, int64_t span_limit, int64_t most_tiles)
{
    error e = {.status = WEFT_OK};
    *s = (scene){.workers = workers,
                 .span_limit = span_limit,
                 .main_thread = pthread_self(),
                 .until_ns = limit_ns()};
    s->works = calloc(TILES, sizeof *s->works);
    s->computed = calloc(TILES, sizeof *s->computed);
    s->cut = calloc(TILES, sizeof *s->cut);
    assert_true(s->works != NULL && s->computed != NULL && s->cut != NULL);
    for (int64_t first = 0; first < TILES;) {
        piece_of_work *w = &s->works[s->works_count++];
        w->first = first;
        w->tiles = 1 + (first * 7 + 3) % most_tiles;
        w->tiles = w->tiles < TILES - first ? w->tiles : TILES - first;
        first += w->tiles;
    }
    s->lane = team_lane(teams[workers], 0);
    assert_int_equal(lane_start(s->lane, &e), WEFT_OK);
}

static void finish(scene *s)
{
    free(s->cut);
    free(s->computed);
    free(s->works);
}

/* After a run: nobody was out of place, every tile was computed or cut at most once. */
static void check_order(const scene *s)
{
    assert_false(s->expired);
    assert_int_equal(atomic_load(&s->strangers), 0);
    assert_int_equal(atomic_load(&s->too_long), 0);
    assert_int_equal(s->collected, s->offered);
    for (int i = 0; i < s->works_count; i++) {
        assert_int_equal(s->works[i].hooks, i < s->offered ? 1 : 0);
    }
    for (int64_t i = 0; i < TILES; i++) {
        assert_true(atomic_load(&s->computed[i]) + s->cut[i] <= 1);
    }
}

static void test_every_tile_once(void **state)
{
    (void)state;
    static const int workers[] = {0, 1, 3};
    static const int64_t most[] = {1, 13, 997, TILES};
    static const int64_t limits[] = {1, 5, TILES};
    for (int w = 0; w < 3; w++) {
        for (int m = 0; m < 4; m++) {
            scene s;
            prepare(&s, workers[w], limits[(w + m) % 3], most[m]);
            run_lane(s.lane, &hooks, &s, s.span_limit);
            check_order(&s);
            for (int64_t i = 0; i < TILES; i++) {
                assert_int_equal(atomic_load(&s.computed[i]), 1);
            }
            for (int i = 0; i < s.works_count; i++) {
                assert_int_equal(s.works[i].computed, s.works[i].tiles);
            }
            assert_true(lane_idle(s.lane));
            assert_int_equal(lane_stock(s.lane), 0);
            finish(&s);
        }
    }
}

static void test_cutting(void **state)
{
    (void)state;
    static const int workers[] = {0, 1, 3};
    static const int64_t keeps[] = {0, 1, 40};
    int64_t cut = 0;
    for (int w = 0; w < 3; w++) {
        for (int k = 0; k < 3; k++) {
            scene s;
            prepare(&s, workers[w], 3, 200);
            s.cutting = true;
            s.keep = keeps[k];
            s.most = k % 2 == 0 ? INT64_MAX : 13;
            run_lane(s.lane, &hooks, &s, s.span_limit);
            check_order(&s);
            for (int64_t i = 0; i < TILES; i++) {
                assert_int_equal(atomic_load(&s.computed[i]) + s.cut[i], 1);
                cut += s.cut[i];
            }
            for (int i = 0; i < s.works_count; i++) {
                const int64_t least = s.keep < s.works[i].tiles ? s.keep : s.works[i].tiles;
                assert_true(s.works[i].computed >= least);
            }
            finish(&s);
        }
    }
    assert_true(cut > 0);
}

/* What there is to write of a block is left to a worker, also where the agent was the last to have
 * a hand in it: it cuts so often here that this happens. */
static void test_agent_writes_nothing(void **state)
{
    (void)state;
    int by_cut = 0;
    for (int round = 0; round < 60; round++) {
        scene s;
        prepare(&s, 1 + round % 2, 1, 6);
        s.cutting = true;
        s.busily = true;
        s.most = 1 + round % 3;
        run_lane(s.lane, &hooks, &s, s.span_limit);
        check_order(&s);
        for (int i = 0; i < s.works_count; i++) {
            by_cut += s.works[i].computed > 0 && s.works[i].computed < s.works[i].tiles;
        }
        finish(&s);
    }
    assert_true(by_cut > 0);
}

/* What the agent has halted stays undone; what was begun is finished. */
static void test_halt(void **state)
{
    (void)state;
    static const int workers[] = {0, 1, 3};
    for (int w = 0; w < 3; w++) {
        for (int after = 1; after < 40; after += 9) {
            scene s;
            prepare(&s, workers[w], 4, 90);
            s.halt_after = after;
            run_lane(s.lane, &hooks, &s, s.span_limit);
            check_order(&s);
            assert_true(s.halted);
            assert_true(s.offered < s.works_count);
            int64_t computed = 0;
            for (int i = 0; i < s.offered; i++) {
                computed += s.works[i].computed;
            }
            assert_int_equal(computed, atomic_load(&s.total));
            for (int64_t i = s.works[s.offered].first; i < TILES; i++) {
                assert_int_equal(atomic_load(&s.computed[i]), 0);
            }
            assert_true(lane_idle(s.lane));
            finish(&s);
        }
    }
}

/* How one block of ten tiles fares when it is halted while its first span is computed. */
typedef struct pause {
    lane *lane;
    pthread_mutex_t mutex;
    pthread_cond_t changed;
    bool begun;
    bool released;
    bool offered;
    int64_t computed;
    int64_t until_ns;
    int64_t left_after_halt;
    int hooks;
} pause_scene;

static int64_t pausing_span(void *context, void *data, int worker, int64_t first, int64_t tiles,
                            int64_t start_ns)
{
    pause_scene *p = context;
    (void)data;
    (void)worker;
    (void)first;
    (void)start_ns;
    (void)pthread_mutex_lock(&p->mutex);
    p->begun = true;
    while (!p->released && clock_now_ns() < p->until_ns) {
        (void)pthread_mutex_unlock(&p->mutex);
        clock_sleep_ns(100000);
        (void)pthread_mutex_lock(&p->mutex);
    }
    p->computed += tiles;
    (void)pthread_mutex_unlock(&p->mutex);
    return clock_now_ns();
}

static void pausing_block(void *context, void *data)
{
    (void)data;
    ((pause_scene *)context)->hooks++;
}

static bool pausing_agent(void *context)
{
    static int block;
    pause_scene *p = context;
    if (!p->offered) {
        p->offered = lane_offer(p->lane, 10, false, &block);
        return true;
    }
    (void)pthread_mutex_lock(&p->mutex);
    const bool halt = p->begun && !p->released;
    (void)pthread_mutex_unlock(&p->mutex);
    if (halt) {
        lane_halt(p->lane);
        p->left_after_halt = lane_stock(p->lane);
        (void)pthread_mutex_lock(&p->mutex);
        p->released = true;
        (void)pthread_mutex_unlock(&p->mutex);
    }
    if (lane_collect(p->lane) != NULL || clock_now_ns() > p->until_ns) {
        return false;
    }
    lane_rest(p->lane, 1000000);
    return true;
}

static void test_what_is_begun_is_finished(void **state)
{
    (void)state;
    const lane_hooks pausing = {
        .agent = pausing_agent, .span = pausing_span, .block = pausing_block};
    error e = {.status = WEFT_OK};
    pause_scene p = {.until_ns = limit_ns()};
    assert_int_equal(pthread_mutex_init(&p.mutex, NULL), 0);
    p.lane = team_lane(teams[1], 0);
    assert_int_equal(lane_start(p.lane, &e), WEFT_OK);
    run_lane(p.lane, &pausing, &p, 1);
    assert_int_equal(p.computed, 1);
    assert_int_equal(p.left_after_halt, 0);
    assert_int_equal(p.hooks, 1);
    assert_true(lane_idle(p.lane));
    (void)pthread_mutex_destroy(&p.mutex);
}

/* An agent that leaves at once: what it has offered is computed all the same. */
static bool hasty_agent(void *context)
{
    scene *s = context;
    while (s->offered < ROOM &&
           lane_offer(s->lane, s->works[s->offered].tiles, false, &s->works[s->offered])) {
        s->offered++;
    }
    return false;
}

/* The same with coarse blocks. */
static bool coarse_agent(void *context)
{
    scene *s = context;
    while (s->offered < ROOM &&
           lane_offer(s->lane, s->works[s->offered].tiles, true, &s->works[s->offered])) {
        s->offered++;
    }
    return false;
}

static bool prepare_hook(void *context, int worker)
{
    scene *s = context;
    return atomic_fetch_add(&s->prepared, 1) == worker;
}

/* Spans of coarse blocks may be above the limit, and before each the worker prepares for it. */
static void test_coarse_blocks(void **state)
{
    (void)state;
    const lane_hooks coarse = {
        .agent = coarse_agent, .span = span_hook, .prepare = prepare_hook, .block = block_hook};
    for (int workers = 0; workers <= 2; workers++) {
        scene s;
        prepare(&s, workers, 1, TILES / ROOM);
        run_lane(s.lane, &coarse, &s, s.span_limit);
        assert_true(s.too_long > 0);
        assert_in_range(s.prepared, s.too_long, s.total);
        for (int i = 0; i < ROOM; i++) {
            assert_int_equal(s.works[i].computed, s.works[i].tiles);
        }
        finish(&s);
    }
}

static void test_offered_blocks_are_finished_at_the_end(void **state)
{
    (void)state;
    static const int workers[] = {0, 1, 3};
    const lane_hooks hasty = {.agent = hasty_agent, .span = span_hook, .block = block_hook};
    for (int round = 0; round < 60; round++) {
        scene s;
        prepare(&s, workers[round % 3], 5, 50);
        run_lane(s.lane, &hasty, &s, s.span_limit);
        for (int i = 0; i < ROOM; i++) {
            assert_int_equal(s.works[i].computed, s.works[i].tiles);
            assert_int_equal(s.works[i].hooks, 1);
        }
        finish(&s);
    }
}

static void test_runs_again(void **state)
{
    (void)state;
    for (int workers = 0; workers < 4; workers++) {
        scene s;
        prepare(&s, workers, TILES, 100);
        run_lane(s.lane, &hooks, &s, s.span_limit);
        check_order(&s);
        int64_t busy_ns = 0;
        for (int i = 0; i < (workers > 0 ? workers : 1); i++) {
            assert_true(lane_busy_ns(s.lane, i) >= 0);
            busy_ns += lane_busy_ns(s.lane, i);
        }
        assert_true(busy_ns > 0);
        assert_true(lane_tile_ns(s.lane) > 0);
        finish(&s);
    }
    team_destroy(NULL);
}

typedef struct learner {
    lane *lane;
    bool offered;
    atomic_llong first_tiles; /* of the first span */
    int64_t until_ns;
} learner;

static int64_t learning_span(void *context, void *data, int worker, int64_t first, int64_t tiles,
                             int64_t start_ns)
{
    learner *w = context;
    long long none = 0;
    (void)data;
    (void)worker;
    (void)first;
    (void)start_ns;
    (void)atomic_compare_exchange_strong(&w->first_tiles, &none, tiles);
    return clock_now_ns();
}

static void learning_block(void *context, void *data)
{
    (void)context;
    (void)data;
}

static bool learning_agent(void *context)
{
    static int block;
    learner *w = context;
    if (!w->offered) {
        w->offered = lane_offer(w->lane, 1000, false, &block);
    }
    lane_rest(w->lane, 1000000);
    return lane_collect(w->lane) == NULL && clock_now_ns() < w->until_ns;
}

/* What workers have learnt of an earlier run's tiles they do not believe of the next one's. */
static void test_nothing_is_known_at_first(void **state)
{
    (void)state;
    static const lane_hooks learning = {
        .agent = learning_agent, .span = learning_span, .block = learning_block};
    for (int workers = 0; workers < 2; workers++) {
        for (int run = 0; run < 2; run++) {
            learner w = {.lane = team_lane(teams[workers], 0), .until_ns = limit_ns()};
            error e = {.status = WEFT_OK};
            assert_int_equal(lane_start(w.lane, &e), WEFT_OK);
            run_lane(w.lane, &learning, &w, INT64_MAX);
            assert_int_equal(atomic_load(&w.first_tiles), 1);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_tile_once),
        cmocka_unit_test(test_cutting),
        cmocka_unit_test(test_agent_writes_nothing),
        cmocka_unit_test(test_halt),
        cmocka_unit_test(test_what_is_begun_is_finished),
        cmocka_unit_test(test_offered_blocks_are_finished_at_the_end),
        cmocka_unit_test(test_coarse_blocks),
        cmocka_unit_test(test_runs_again),
        cmocka_unit_test(test_nothing_is_known_at_first),
    };
    return cmocka_run_group_tests(tests, create_teams, destroy_teams);
}
