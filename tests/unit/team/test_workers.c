/* SPDX-License-Identifier: BSD-3-Clause */
/* Tests the workers of a team: the cores they stay on, the time that they took, and that the same
 * threads serve every run. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "team/run_team.h"

#include "host/host.h"
#include "host/usage.h"

#include <fcntl.h>
#include <fenv.h>
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>

/* Where a team's workers were, and where its agent. */
typedef struct stay {
    team *team;
    lane *lane;
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
    while (s->offered < ROOM && lane_offer(s->lane, 50, false, &block)) {
        s->offered++;
    }
    while (lane_collect(s->lane) != NULL) {
    }
    host_get_cores(&s->agent);
    if (lane_idle(s->lane) || clock_now_ns() > s->until_ns) {
        return false;
    }
    lane_rest(s->lane, 1000000);
    return true;
}

static stay run_looking(int workers, const host_cores pin[])
{
    static const lane_hooks looking = {
        .agent = looking_agent, .span = looking_span, .block = ignoring_block};
    error e = {.status = WEFT_OK};
    stay s = {.workers = workers, .until_ns = limit_ns()};
    assert_int_equal(team_create(workers, ROOM, pin, &s.team, &e), WEFT_OK);
    s.lane = team_lane(s.team, 0);
    assert_int_equal(lane_start(s.lane, &e), WEFT_OK);
    run_lane(s.lane, &looking, &s, 1);
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

/* A run of one block. */
typedef struct nap {
    team *team;
    lane *lane;
    bool offered;
} nap;

static bool doze_agent(void *context)
{
    static int block;
    nap *n = context;
    n->offered = n->offered || lane_offer(n->lane, 10, false, &block);
    const bool collected = lane_collect(n->lane) != NULL;
    lane_rest(n->lane, 1000000);
    return !collected;
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
        const lane_hooks dozing = {
            .agent = doze_agent, .span = toils ? toil_span : doze_span, .block = ignoring_block};
        error e = {.status = WEFT_OK};
        nap n = {.offered = false};
        assert_int_equal(team_create(round / 2, ROOM, NULL, &n.team, &e), WEFT_OK);
        n.lane = team_lane(n.team, 0);
        assert_int_equal(lane_start(n.lane, &e), WEFT_OK);
        run_lane(n.lane, &dozing, &n, 5);
        assert_true(lane_busy_ns(n.lane, 0) >= 50000000);
        assert_int_equal(lane_cpu_ns(n.lane, 0) >= 50000000, toils);
        team_destroy(n.team);
    }
}

/* What the workers of a run were. */
typedef struct roll {
    team *team;
    lane *lane;
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
    while (r->offered < r->workers && lane_offer(r->lane, 1, false, &block)) {
        r->offered++;
    }
    while (lane_collect(r->lane) != NULL) {
    }
    lane_rest(r->lane, 1000000);
    return !lane_idle(r->lane);
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
    static const lane_hooks meeting = {
        .agent = meeting_agent, .span = meeting_span, .block = ignoring_block};
    static const lane_hooks absent = {
        .agent = absent_agent, .span = meeting_span, .block = ignoring_block};
    static const int modes[] = {FE_UPWARD, FE_TONEAREST, FE_DOWNWARD};
    error e = {.status = WEFT_OK};
    roll first = {.workers = MOST_WORKERS};
    const int before = count_threads();
    assert_int_equal(team_create(MOST_WORKERS, ROOM, NULL, &first.team, &e), WEFT_OK);
    first.lane = team_lane(first.team, 0);
    run_lane(first.lane, &absent, &first, 1);
    assert_int_equal(count_threads(), before);
    assert_int_equal(lane_start(first.lane, &e), WEFT_OK);
    const int with_workers = count_threads();
    for (int run = 0; run < 3; run++) {
        roll r = {.lane = first.lane, .workers = MOST_WORKERS, .until_ns = limit_ns()};
        (void)fesetround(modes[run]);
        assert_int_equal(lane_start(r.lane, &e), WEFT_OK);
        run_lane(r.lane, &meeting, &r, 1);
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
        cmocka_unit_test(test_pinning),
        cmocka_unit_test(test_pinning_fails),
        cmocka_unit_test(test_cpu),
        cmocka_unit_test(test_same_threads_in_every_run),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
