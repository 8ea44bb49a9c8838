/* SPDX-License-Identifier: BSD-3-Clause */
/* Tests the team: every tile is computed once with any number of workers, and what is cut or halted
 * is not computed. What hooks find is counted and asserted outside, since an assertion inside a
 * parallel region ends the process without a word. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/clock.h"
#include "host/usage.h"
#include "team/team.h"

#include <fcntl.h>
#include <fenv.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* A whole run, of this thread's. */
static void run_team(team *t, const team_hooks *hooks, void *context, int64_t span_limit)
{
    team_caller caller;
    team_note_caller(&caller);
    team_begin(t, hooks, context, span_limit, &caller);
    team_run(t);
    team_end(t);
}

enum { ROOM = 4, TILES = 5000, LIMIT_S = 600 };

typedef struct piece_of_work {
    int64_t first;
    int64_t tiles;
    int64_t computed; /* set by the block hook */
    int hooks;        /* calls of the block hook */
} piece_of_work;

/* A run: TILES tiles in blocks of various sizes. */
typedef struct scene {
    team *team;
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
    if (team_cut(s->team, s->keep, s->most, &data, &first, &tiles)) {
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
           team_offer(s->team, s->works[s->offered].tiles, false, &s->works[s->offered])) {
        s->offered++;
    }
    if (s->cutting) {
        cut_now(s);
    }
    while (team_collect(s->team) != NULL) {
        s->collected++;
    }
    if (s->halt_after > 0 && s->collected >= s->halt_after && !s->halted) {
        s->halted = true;
        team_halt(s->team);
        if (team_offer(s->team, 1, false, &s->works[0])) {
            atomic_fetch_add(&s->strangers, 1);
        }
    }
    if (team_idle(s->team) && (s->halted || s->offered == s->works_count)) {
        return false;
    }
    if (!s->busily) {
        team_rest(s->team, 1000000);
    }
    return true;
}

/* One of each size, for all tests: a team lives on between runs. */
enum { MOST_WORKERS = 3 };
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

static const team_hooks hooks = {.agent = agent_hook, .span = span_hook, .block = block_hook};

static void prepare(scene *s, int workers, int64_t span_limit, int64_t most_tiles)
{
    error e = {.status = WEFT_OK};
    *s = (scene){.workers = workers,
                 .span_limit = span_limit,
                 .main_thread = pthread_self(),
                 .until_ns = clock_now_ns() + INT64_C(1000000000) * LIMIT_S};
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
    s->team = teams[workers];
    assert_int_equal(team_start(s->team, &e), WEFT_OK);
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
            run_team(s.team, &hooks, &s, s.span_limit);
            check_order(&s);
            for (int64_t i = 0; i < TILES; i++) {
                assert_int_equal(atomic_load(&s.computed[i]), 1);
            }
            for (int i = 0; i < s.works_count; i++) {
                assert_int_equal(s.works[i].computed, s.works[i].tiles);
            }
            assert_true(team_idle(s.team));
            assert_int_equal(team_stock(s.team), 0);
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
            run_team(s.team, &hooks, &s, s.span_limit);
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
        run_team(s.team, &hooks, &s, s.span_limit);
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
            run_team(s.team, &hooks, &s, s.span_limit);
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
            assert_true(team_idle(s.team));
            finish(&s);
        }
    }
}

/* How one block of ten tiles fares when it is halted while its first span is computed. */
typedef struct pause {
    team *team;
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
        p->offered = team_offer(p->team, 10, false, &block);
        return true;
    }
    (void)pthread_mutex_lock(&p->mutex);
    const bool halt = p->begun && !p->released;
    (void)pthread_mutex_unlock(&p->mutex);
    if (halt) {
        team_halt(p->team);
        p->left_after_halt = team_stock(p->team);
        (void)pthread_mutex_lock(&p->mutex);
        p->released = true;
        (void)pthread_mutex_unlock(&p->mutex);
    }
    if (team_collect(p->team) != NULL || clock_now_ns() > p->until_ns) {
        return false;
    }
    team_rest(p->team, 1000000);
    return true;
}

static void test_what_is_begun_is_finished(void **state)
{
    (void)state;
    const team_hooks pausing = {
        .agent = pausing_agent, .span = pausing_span, .block = pausing_block};
    error e = {.status = WEFT_OK};
    pause_scene p = {.until_ns = clock_now_ns() + INT64_C(1000000000) * LIMIT_S};
    assert_int_equal(pthread_mutex_init(&p.mutex, NULL), 0);
    p.team = teams[1];
    assert_int_equal(team_start(p.team, &e), WEFT_OK);
    run_team(p.team, &pausing, &p, 1);
    assert_int_equal(p.computed, 1);
    assert_int_equal(p.left_after_halt, 0);
    assert_int_equal(p.hooks, 1);
    assert_true(team_idle(p.team));
    (void)pthread_mutex_destroy(&p.mutex);
}

/* An agent that leaves at once: what it has offered is computed all the same. */
static bool hasty_agent(void *context)
{
    scene *s = context;
    while (s->offered < ROOM &&
           team_offer(s->team, s->works[s->offered].tiles, false, &s->works[s->offered])) {
        s->offered++;
    }
    return false;
}

/* The same with coarse blocks. */
static bool coarse_agent(void *context)
{
    scene *s = context;
    while (s->offered < ROOM &&
           team_offer(s->team, s->works[s->offered].tiles, true, &s->works[s->offered])) {
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
    const team_hooks coarse = {
        .agent = coarse_agent, .span = span_hook, .prepare = prepare_hook, .block = block_hook};
    for (int workers = 0; workers <= 2; workers++) {
        scene s;
        prepare(&s, workers, 1, TILES / ROOM);
        run_team(s.team, &coarse, &s, s.span_limit);
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
    const team_hooks hasty = {.agent = hasty_agent, .span = span_hook, .block = block_hook};
    for (int round = 0; round < 60; round++) {
        scene s;
        prepare(&s, workers[round % 3], 5, 50);
        run_team(s.team, &hasty, &s, s.span_limit);
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
        run_team(s.team, &hooks, &s, s.span_limit);
        check_order(&s);
        int64_t busy_ns = 0;
        for (int i = 0; i < (workers > 0 ? workers : 1); i++) {
            assert_true(team_busy_ns(s.team, i) >= 0);
            busy_ns += team_busy_ns(s.team, i);
        }
        assert_true(busy_ns > 0);
        assert_true(team_tile_ns(s.team) > 0);
        finish(&s);
    }
    team_destroy(NULL);
}

/* Where a team's workers were, and where its agent. */
typedef struct stay {
    team *team;
    int workers;
    host_cores worker[3];
    bool seen[3];
    atomic_int here;
    host_cores agent;
    int offered;
    int64_t until_ns;
} stay;

static int64_t looking_span(void *context, void *data, int worker, int64_t first, int64_t tiles,
                            int64_t start_ns)
{
    stay *s = context;
    (void)data;
    (void)first;
    (void)tiles;
    (void)start_ns;
    host_get_cores(&s->worker[worker]);
    atomic_fetch_add(&s->here, !s->seen[worker]);
    s->seen[worker] = true;
    /* So that there is something left for the others. */
    while (atomic_load(&s->here) < s->workers && clock_now_ns() < s->until_ns) {
        clock_sleep_ns(100000);
    }
    return clock_now_ns();
}

static void ignoring_block(void *context, void *data)
{
    (void)context;
    (void)data;
}

static bool looking_agent(void *context)
{
    static int block;
    stay *s = context;
    while (s->offered < ROOM && team_offer(s->team, 50, false, &block)) {
        s->offered++;
    }
    while (team_collect(s->team) != NULL) {
    }
    host_get_cores(&s->agent);
    if (team_idle(s->team) || clock_now_ns() > s->until_ns) {
        return false;
    }
    team_rest(s->team, 1000000);
    return true;
}

static stay run_looking(int workers, const host_cores pin[])
{
    static const team_hooks looking = {
        .agent = looking_agent, .span = looking_span, .block = ignoring_block};
    error e = {.status = WEFT_OK};
    stay s = {.workers = workers, .until_ns = clock_now_ns() + INT64_C(1000000000) * LIMIT_S};
    assert_int_equal(team_create(workers, ROOM, pin, &s.team, &e), WEFT_OK);
    assert_int_equal(team_start(s.team, &e), WEFT_OK);
    run_team(s.team, &looking, &s, 1);
    team_destroy(s.team);
    return s;
}

static void check_cores(const host_cores *found, const host_cores *expected)
{
    assert_memory_equal(found, expected, sizeof *found);
}

/* Workers stay on their cores; the agent is not bound, nor is a main thread that computes. */
static void test_pinning(void **state)
{
    (void)state;
    host_cores all;
    host_cores pin[3];
    host_get_cores(&all);
    memset(pin, 0, sizeof pin);
    for (int core = 0, i = 0; i < 3; core++) {
        if (host_has_core(&all, core % HOST_MOST_CORES)) {
            host_add_core(&pin[i++], core % HOST_MOST_CORES);
        }
    }
    for (int workers = 0; workers <= 3; workers++) {
        const stay pinned = run_looking(workers, pin);
        check_cores(&pinned.agent, &all);
        for (int i = 0; i < (workers > 0 ? workers : 1); i++) {
            assert_true(pinned.seen[i]);
            check_cores(&pinned.worker[i], workers > 0 ? &pin[i] : &all);
        }
        /* Threads that OpenMP uses again are free again. */
        const stay freed = run_looking(workers, NULL);
        for (int i = 0; i < (workers > 0 ? workers : 1); i++) {
            assert_true(freed.seen[i]);
            check_cores(&freed.worker[i], &all);
        }
    }
}

/* A core that this process may not use: the worker computes where it is. */
static void test_pinning_fails(void **state)
{
    (void)state;
    host_cores all;
    host_cores none;
    host_get_cores(&all);
    memset(&none, 0, sizeof none);
    const stay s = run_looking(1, &none);
    assert_true(s.seen[0]);
    check_cores(&s.worker[0], &all);
}

static bool doze_agent(void *context)
{
    scene *s = context;
    piece_of_work *w = &s->works[0];
    if (s->offered == 0 && team_offer(s->team, w->tiles, false, w)) {
        s->offered++;
    }
    s->collected += team_collect(s->team) != NULL;
    team_rest(s->team, 1000000);
    return s->collected == 0;
}

static int64_t doze_span(void *context, void *data, int worker, int64_t first, int64_t tiles,
                         int64_t start_ns)
{
    (void)context;
    (void)data;
    (void)worker;
    (void)first;
    (void)start_ns;
    clock_sleep_ns(tiles * 5000000);
    return clock_now_ns();
}

static int64_t toil_span(void *context, void *data, int worker, int64_t first, int64_t tiles,
                         int64_t start_ns)
{
    (void)context;
    (void)data;
    (void)worker;
    (void)first;
    (void)start_ns;
    const int64_t until_ns = usage_cpu_ns() + tiles * 5000000;
    while (usage_cpu_ns() < until_ns) {
    }
    return clock_now_ns();
}

/* Whoever sleeps is busy, but needs no core for it; whoever computes does. */
static void test_cpu(void **state)
{
    (void)state;
    for (int round = 0; round < 4; round++) {
        const bool toils = round % 2 == 1;
        const team_hooks dozing = {
            .agent = doze_agent, .span = toils ? toil_span : doze_span, .block = block_hook};
        scene s;
        prepare(&s, round / 2, 5, 50);
        s.works[0].tiles = 10;
        run_team(s.team, &dozing, &s, s.span_limit);
        assert_true(team_busy_ns(s.team, 0) >= 50000000);
        assert_int_equal(team_cpu_ns(s.team, 0) >= 50000000, toils);
        finish(&s);
    }
}

/* What the workers of a run were. */
typedef struct roll {
    team *team;
    int workers;
    int offered;
    int64_t until_ns;
    atomic_int here; /* threads that wait for the others */
    int rounding[MOST_WORKERS];
    pthread_t thread[MOST_WORKERS];
} roll;

/* No worker goes on before all have come. */
static int64_t meeting_span(void *context, void *data, int worker, int64_t first, int64_t tiles,
                            int64_t start_ns)
{
    roll *r = context;
    (void)data;
    (void)first;
    (void)tiles;
    (void)start_ns;
    r->thread[worker] = pthread_self();
    r->rounding[worker] = fegetround();
    (void)fesetround(FE_TOWARDZERO);
    atomic_fetch_add(&r->here, 1);
    while (atomic_load(&r->here) < r->workers && clock_now_ns() < r->until_ns) {
        clock_sleep_ns(10000);
    }
    return clock_now_ns();
}

static bool meeting_agent(void *context)
{
    static int block;
    roll *r = context;
    while (r->offered < r->workers && team_offer(r->team, 1, false, &block)) {
        r->offered++;
    }
    while (team_collect(r->team) != NULL) {
    }
    team_rest(r->team, 1000000);
    return !team_idle(r->team);
}

static bool absent_agent(void *context)
{
    (void)context;
    return false;
}

static void count_one(int folder, const char *thread, void *count)
{
    (void)folder;
    (void)thread;
    ++*(int *)count;
}

static int count_threads(void)
{
    int count = 0;
    host_visit_folder(AT_FDCWD, "/proc/self/task", count_one, &count);
    return count;
}

/* The team's threads begin when there is something to compute, and serve every run from then on,
 * with what the calling thread has at its beginning. */
static void test_same_threads_in_every_run(void **state)
{
    (void)state;
    static const team_hooks meeting = {
        .agent = meeting_agent, .span = meeting_span, .block = ignoring_block};
    static const team_hooks absent = {
        .agent = absent_agent, .span = meeting_span, .block = ignoring_block};
    static const int modes[] = {FE_UPWARD, FE_TONEAREST, FE_DOWNWARD};
    error e = {.status = WEFT_OK};
    roll first = {.workers = MOST_WORKERS};
    const int before = count_threads();
    assert_int_equal(team_create(MOST_WORKERS, ROOM, NULL, &first.team, &e), WEFT_OK);
    run_team(first.team, &absent, &first, 1);
    assert_int_equal(count_threads(), before);
    assert_int_equal(team_start(first.team, &e), WEFT_OK);
    const int with_workers = count_threads();
    for (int run = 0; run < 3; run++) {
        roll r = {.team = first.team,
                  .workers = MOST_WORKERS,
                  .until_ns = clock_now_ns() + INT64_C(1000000000) * LIMIT_S};
        (void)fesetround(modes[run]);
        assert_int_equal(team_start(r.team, &e), WEFT_OK);
        run_team(r.team, &meeting, &r, 1);
        assert_int_equal(fegetround(), modes[run]);
        (void)fesetround(FE_TONEAREST);
        first = run == 0 ? r : first;
        for (int i = 0; i < MOST_WORKERS; i++) {
            assert_true(pthread_equal(r.thread[i], first.thread[i]) != 0);
            assert_int_equal(r.rounding[i], modes[run]);
        }
        assert_int_equal(count_threads(), with_workers);
    }
    team_destroy(first.team);
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
        cmocka_unit_test(test_pinning),
        cmocka_unit_test(test_pinning_fails),
        cmocka_unit_test(test_cpu),
        cmocka_unit_test(test_same_threads_in_every_run),
    };
    return cmocka_run_group_tests(tests, create_teams, destroy_teams);
}
