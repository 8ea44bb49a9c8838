/* SPDX-License-Identifier: BSD-3-Clause */
/* Tests two lanes of a team, each with a driver's thread of its own: every tile of both runs is
 * computed once and as its own caller would, the earlier run comes first, and each has its own
 * sums. What hooks find is counted and asserted outside. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "team/run_team.h"

#include <fenv.h>
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>

enum { TILES = 600, RUNS = 60, BLOCK_TILES = 23 };

/* Runs in a lane, one after the other, of one driver. */
typedef struct driver {
    lane *lane;
    int workers;
    int mode; /* in which its kernels are to round */
    int cut;  /* every so many steps of the agent it cuts; 0: never */
    int halt; /* after so many blocks it halts; 0: never */
    unsigned steps;
    bool halted;
    int64_t offered;
    int collected;
    int64_t until_ns;
    atomic_int computed[TILES];
    int taken_back[TILES];
    atomic_int wrong; /* in the wrong mode, or of another run */
    bool bad;
} driver;

/* A block's data says of which tile it begins. */
static int64_t span_hook(void *context, void *data, int worker, int64_t first, int64_t tiles,
                         int64_t start_ns)
{
    driver *d = context;
    const atomic_int *begin = data;
    const int64_t from = begin - d->computed + first;
    atomic_fetch_add(&d->wrong, fegetround() != d->mode || from < 0 || from + tiles > TILES ||
                                    worker >= d->workers || start_ns > clock_now_ns());
    for (int64_t i = from; i < from + tiles && from >= 0 && i < TILES; i++) {
        atomic_fetch_add(&d->computed[i], 1);
    }
    return clock_now_ns();
}

static void block_hook(void *context, void *data)
{
    (void)context;
    (void)data;
}

static void cut(driver *d)
{
    void *data = NULL;
    int64_t first = 0;
    int64_t tiles = 0;
    if (lane_cut(d->lane, 1, 5, &data, &first, &tiles)) {
        const int64_t from = (const atomic_int *)data - d->computed + first;
        for (int64_t i = from; i < from + tiles; i++) {
            d->taken_back[i]++;
        }
    }
}

static bool agent_hook(void *context)
{
    driver *d = context;
    d->steps++;
    while (d->offered < TILES && !d->halted) {
        const int64_t left = TILES - d->offered;
        const int64_t tiles = left < BLOCK_TILES ? left : BLOCK_TILES;
        if (!lane_offer(d->lane, tiles, false, &d->computed[d->offered])) {
            break;
        }
        d->offered += tiles;
    }
    if (d->cut > 0 && d->steps % (unsigned)d->cut == 0) {
        cut(d);
    }
    while (lane_collect(d->lane) != NULL) {
        d->collected++;
    }
    if (d->halt > 0 && d->collected >= d->halt && !d->halted) {
        d->halted = true;
        lane_halt(d->lane);
    }
    if ((d->offered == TILES || d->halted) && lane_idle(d->lane)) {
        return false;
    }
    (void)lane_rest(d->lane, 1000000);
    return clock_now_ns() < d->until_ns;
}

static const lane_hooks hooks = {.agent = agent_hook, .span = span_hook, .block = block_hook};

/* Whether every tile of a run was computed, or taken back, once, and the sums fit. */
static bool check_run(driver *d, int64_t began_ns)
{
    bool good = atomic_load(&d->wrong) == 0;
    states sums;
    int64_t all_ns = 0;
    const int64_t now_ns = clock_now_ns();
    lane_get_states(d->lane, now_ns, &sums);
    for (int i = 0; i < WEFT_STATES; i++) {
        all_ns += sums.ns[i];
    }
    for (int64_t i = 0; i < TILES; i++) {
        const int times = atomic_load(&d->computed[i]) + d->taken_back[i];
        good = good && (times == 1 || (d->halted && times == 0));
    }
    return good && all_ns <= d->workers * (now_ns - began_ns) &&
           sums.ns[WEFT_COMPUTING] <= d->workers * (now_ns - began_ns);
}

static void *drive(void *context)
{
    driver *d = context;
    error e = {.status = WEFT_OK};
    for (int run = 0; run < RUNS && !d->bad; run++) {
        lane_caller caller;
        const int64_t began_ns = clock_now_ns();
        for (int64_t i = 0; i < TILES; i++) {
            atomic_store(&d->computed[i], 0);
        }
        memset(d->taken_back, 0, sizeof d->taken_back);
        d->offered = 0;
        d->collected = 0;
        d->halted = false;
        d->halt = run % 7 == 3 ? 5 : 0;
        d->cut = run % 5 == 2 ? 3 : 0;
        d->mode = run % 2 == 0 ? d->mode : d->mode == FE_UPWARD ? FE_DOWNWARD : FE_UPWARD;
        (void)fesetround(d->mode);
        lane_note_caller(&caller);
        (void)fesetround(FE_TONEAREST);
        lane_begin(d->lane, &hooks, d, 1 + run % 9, &caller, NULL);
        d->bad = lane_start(d->lane, &e) != WEFT_OK;
        lane_run(d->lane);
        lane_end(d->lane);
        d->bad = d->bad || !check_run(d, began_ns);
    }
    return NULL;
}

static void test_two_runs_at_a_time(void **state)
{
    (void)state;
    for (int workers = 1; workers <= MOST_WORKERS; workers++) {
        static driver drivers[TEAM_LANES];
        pthread_t thread[TEAM_LANES];
        team *t = NULL;
        error e = {.status = WEFT_OK};
        memset(drivers, 0, sizeof drivers);
        assert_int_equal(team_create(workers, ROOM, NULL, &t, &e), WEFT_OK);
        for (int i = 0; i < TEAM_LANES; i++) {
            drivers[i].lane = team_lane(t, i);
            drivers[i].workers = workers;
            drivers[i].mode = i == 0 ? FE_UPWARD : FE_DOWNWARD;
            drivers[i].until_ns = limit_ns();
            assert_int_equal(pthread_create(&thread[i], NULL, drive, &drivers[i]), 0);
        }
        for (int i = 0; i < TEAM_LANES; i++) {
            assert_int_equal(pthread_join(thread[i], NULL), 0);
            assert_false(drivers[i].bad);
        }
        team_destroy(t);
    }
}

/* Two runs of one worker, whose spans are let go one by one. */
typedef struct turns {
    lane *lane[TEAM_LANES];
    atomic_int begun;    /* spans, of both */
    atomic_int released; /* so many may end */
    int order[8];        /* of which lane each of them is */
    atomic_int written;  /* blocks */
    int64_t until_ns;
} turns;

typedef struct turn_of {
    turns *turns;
    int lane;
} turn_of;

static int64_t waiting_span(void *context, void *data, int worker, int64_t first, int64_t tiles,
                            int64_t start_ns)
{
    const turn_of *mine = context;
    turns *t = mine->turns;
    (void)data, (void)worker, (void)first, (void)tiles, (void)start_ns;
    const int number = atomic_load(&t->begun);
    t->order[number] = mine->lane;
    atomic_store(&t->begun, number + 1);
    while (atomic_load(&t->released) <= number && clock_now_ns() < t->until_ns) {
        clock_sleep_ns(50000);
    }
    return clock_now_ns();
}

static void counting_block(void *context, void *data)
{
    (void)data;
    atomic_fetch_add(&((const turn_of *)context)->turns->written, 1);
}

static bool no_agent(void *context)
{
    (void)context;
    return false;
}

static void await_begun(turns *t, int spans)
{
    while (atomic_load(&t->begun) < spans && clock_now_ns() < t->until_ns) {
        clock_sleep_ns(50000);
    }
    assert_int_equal(atomic_load(&t->begun), spans);
}

static int workers_in(const lane *l, weft_state state)
{
    states sums;
    lane_get_states(l, clock_now_ns(), &sums);
    return sums.workers[state];
}

static const lane_hooks waiting = {
    .agent = no_agent, .span = waiting_span, .block = counting_block};

/* Both runs of a team of one begin. */
static team *begin_turns(turns *t, turn_of mine[TEAM_LANES], int earlier)
{
    team *all = NULL;
    error e = {.status = WEFT_OK};
    lane_caller caller;
    *t = (turns){.until_ns = limit_ns()};
    lane_note_caller(&caller);
    assert_int_equal(team_create(1, ROOM, NULL, &all, &e), WEFT_OK);
    for (int i = 0; i < TEAM_LANES; i++) {
        const int number = i == 0 ? earlier : 1 - earlier;
        mine[number] = (turn_of){.turns = t, .lane = number};
        t->lane[number] = team_lane(all, number);
        lane_begin(t->lane[number], &waiting, &mine[number], 1, &caller, NULL);
        assert_int_equal(lane_start(t->lane[number], &e), WEFT_OK);
    }
    return all;
}

/* A worker at the later run goes back to the earlier one at its next span, and what it does for one
 * is elsewhere for the other. */
static void test_earlier_run_first(void **state)
{
    (void)state;
    static int block;
    for (int earlier = 0; earlier < TEAM_LANES; earlier++) {
        const int later = 1 - earlier;
        turns t;
        turn_of mine[TEAM_LANES];
        team *all = begin_turns(&t, mine, earlier);
        assert_true(lane_waits(t.lane[earlier]) && lane_waits(t.lane[later]));
        assert_int_equal(workers_in(t.lane[later], WEFT_WAITING_FOR_WORK), 1);
        assert_true(lane_offer(t.lane[later], 3, false, &block));
        await_begun(&t, 1);
        assert_true(lane_waits(t.lane[earlier]));
        assert_false(lane_waits(t.lane[later]));
        assert_int_equal(workers_in(t.lane[later], WEFT_COMPUTING), 1);
        assert_int_equal(workers_in(t.lane[earlier], WEFT_ELSEWHERE), 1);
        assert_true(lane_offer(t.lane[earlier], 2, false, &block));
        atomic_store(&t.released, 1);
        await_begun(&t, 2);
        assert_false(lane_waits(t.lane[earlier]));
        assert_int_equal(workers_in(t.lane[earlier], WEFT_COMPUTING), 1);
        assert_int_equal(workers_in(t.lane[later], WEFT_ELSEWHERE), 1);
        atomic_store(&t.released, 5);
        lane_end(t.lane[earlier]);
        lane_end(t.lane[later]);
        await_begun(&t, 5);
        const int expected[] = {later, earlier, earlier, later, later};
        assert_memory_equal(t.order, expected, sizeof expected);
        assert_true(lane_busy_ns(t.lane[earlier], 0) > 0 && lane_busy_ns(t.lane[later], 0) > 0);
        team_destroy(all);
    }
}

/* What is left of a later run that is halted does not wait until there is nothing to compute. */
static void test_halted_behind_another(void **state)
{
    (void)state;
    static int block;
    turns t;
    turn_of mine[TEAM_LANES];
    team *all = begin_turns(&t, mine, 0);
    assert_true(lane_offer(t.lane[1], 2, false, &block));
    await_begun(&t, 1);
    assert_true(lane_offer(t.lane[0], 4, false, &block));
    atomic_store(&t.released, 1);
    await_begun(&t, 2);
    lane_halt(t.lane[1]);
    assert_int_equal(atomic_load(&t.written), 0);
    atomic_store(&t.released, 2);
    await_begun(&t, 3);
    assert_int_equal(atomic_load(&t.written), 1);
    lane_end(t.lane[1]);
    assert_int_equal(atomic_load(&t.begun), 3);
    atomic_store(&t.released, 5);
    lane_end(t.lane[0]);
    assert_int_equal(atomic_load(&t.begun), 5);
    team_destroy(all);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_two_runs_at_a_time),
        cmocka_unit_test(test_earlier_run_first),
        cmocka_unit_test(test_halted_behind_another),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
