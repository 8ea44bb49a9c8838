/* SPDX-License-Identifier: BSD-3-Clause */
/* Tests how long workers have been in each state, by a clock of the test's own, and what the team
 * says of its workers, at moments that gates hold. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/clock.h"
#include "team/lane.h"
#include "team/worktime.h"

#include <pthread.h>
#include <stdatomic.h>

static void test_each_state(void **state)
{
    (void)state;
    worktime w;
    states s = {.ns = {0}};
    atomic_init(&w.turn, 0);
    worktime_begin(&w, WEFT_WAITING_FOR_WORK, 100);
    worktime_enter(&w, WEFT_COMPUTING, 110);
    worktime_enter(&w, WEFT_WAITING_FOR_DISK, 210);
    worktime_enter(&w, WEFT_COMPUTING, 213);
    worktime_enter(&w, WEFT_COMPUTING, 214);
    worktime_add(&w, 220, &s);
    worktime_add(&w, 210, &s); /* that clock has not got so far */
    assert_true(s.ns[WEFT_WAITING_FOR_WORK] == 20);
    assert_true(s.ns[WEFT_WAITING_FOR_DISK] == 6);
    assert_true(s.ns[WEFT_COMPUTING] == 2 * 101 + 6);
    assert_int_equal(s.workers[WEFT_COMPUTING], 2);
    worktime_enter(&w, WEFT_ELSEWHERE, 200); /* nor this one */
    s = (states){.ns = {0}};
    worktime_add(&w, 300, &s);
    assert_true(s.ns[WEFT_ELSEWHERE] == 300 - 214);
    worktime_begin(&w, WEFT_COMPUTING, 1000);
    s = (states){.ns = {0}};
    worktime_add(&w, 1001, &s);
    assert_true(s.ns[WEFT_COMPUTING] == 1 && s.ns[WEFT_ELSEWHERE] == 0);
}

enum { CHANGES = 500000, LATER = 2000000000 };

typedef struct race {
    worktime time;
    atomic_bool over;
} race;

static void *change_states(void *context)
{
    race *r = context;
    for (int64_t now_ns = 1; !atomic_load(&r->over); now_ns++) {
        worktime_enter(&r->time, (weft_state)(now_ns % WEFT_STATES), now_ns);
    }
    return NULL;
}

/* Who looks while it changes sees sums that fit each other, unless it is kept from its core in the
 * middle of a change for long. */
static void test_looks_are_whole(void **state)
{
    (void)state;
    race r;
    pthread_t thread;
    int64_t looks = 0;
    int64_t wrong = 0;
    int64_t newest = 0;
    atomic_init(&r.time.turn, 0);
    atomic_init(&r.over, false);
    worktime_begin(&r.time, WEFT_ELSEWHERE, 0);
    assert_int_equal(pthread_create(&thread, NULL, change_states, &r), 0);
    for (; newest < CHANGES; looks++) {
        states s = {.ns = {0}};
        int64_t sum = 0;
        worktime_add(&r.time, LATER, &s);
        for (int k = 0; k < WEFT_STATES; k++) {
            sum += s.ns[k];
        }
        wrong += sum != LATER;
        newest = s.workers[WEFT_COMPUTING] > 0 ? newest : s.ns[WEFT_COMPUTING];
    }
    atomic_store(&r.over, true);
    assert_int_equal(pthread_join(thread, NULL), 0);
    assert_true(wrong <= looks / 1000);
}

enum { WORKERS = 2, LIMIT_S = 600 };

/* One tile, computed and written by one worker, which the agent lets do so step by step. */
typedef struct steps {
    team *team;
    lane *lane;
    int workers;
    atomic_int at; /* 0: to be offered, 1: computed, 2: to be written, 3: written, 4: done */
    states seen[5];
    int64_t seen_ns[5];
    int64_t begun_ns;
    int64_t until_ns;
} steps;

static void look(steps *s, int at)
{
    s->seen_ns[at] = clock_now_ns();
    lane_get_states(s->lane, s->seen_ns[at], &s->seen[at]);
}

static void await(steps *s, int at)
{
    while (atomic_load(&s->at) < at && clock_now_ns() < s->until_ns) {
        clock_sleep_ns(100000);
    }
}

static int64_t span_hook(void *context, void *data, int worker, int64_t first, int64_t tiles,
                         int64_t start_ns)
{
    steps *s = context;
    (void)data, (void)worker, (void)first, (void)tiles, (void)start_ns;
    if (s->workers == 0) {
        look(s, 1);
    }
    atomic_store(&s->at, 1);
    if (s->workers > 0) {
        await(s, 2);
    }
    return clock_now_ns();
}

static void block_hook(void *context, void *data)
{
    steps *s = context;
    (void)data;
    if (s->workers == 0) {
        look(s, 3);
    }
    atomic_store(&s->at, 3);
    if (s->workers > 0) {
        await(s, 4);
    }
}

static bool agent_hook(void *context)
{
    steps *s = context;
    if (s->seen_ns[0] == 0) {
        look(s, 0);
        return lane_offer(s->lane, 1, false, s);
    }
    if (s->workers > 0) {
        await(s, 1);
        look(s, 1);
        atomic_store(&s->at, 2);
        await(s, 3);
        look(s, 3);
        atomic_store(&s->at, 4);
    }
    while (lane_collect(s->lane) == NULL && clock_now_ns() < s->until_ns) {
        (void)lane_rest(s->lane, 1000000);
    }
    states now = {.ns = {0}};
    while (now.workers[WEFT_WAITING_FOR_WORK] < s->workers && clock_now_ns() < s->until_ns) {
        clock_sleep_ns(100000);
        lane_get_states(s->lane, clock_now_ns(), &now);
    }
    (void)lane_rest(s->lane, 1000000);
    look(s, 4);
    return false;
}

static void check_seen(const steps *s, int at, weft_state busy, weft_state idle)
{
    const int workers = s->workers > 0 ? s->workers : 1;
    const int64_t elapsed_ns = s->seen_ns[at] - s->begun_ns;
    int64_t sum_ns = 0;
    int expected[WEFT_STATES] = {0};
    expected[busy]++;
    expected[idle] += workers - 1;
    for (int i = 0; i < WEFT_STATES; i++) {
        assert_int_equal(s->seen[at].workers[i], expected[i]);
        sum_ns += s->seen[at].ns[i];
    }
    /* The run has begun at some moment after begun_ns and before the first look. */
    assert_true(sum_ns <= workers * elapsed_ns);
    assert_true(sum_ns >= workers * (s->seen_ns[at] - s->seen_ns[0]));
}

/* Before anything is offered, while a tile is computed, while it is written, and afterwards. */
static void test_what_the_team_says(void **state)
{
    (void)state;
    static const lane_hooks hooks = {.agent = agent_hook, .span = span_hook, .block = block_hook};
    for (int workers = 0; workers <= WORKERS; workers++) {
        error e = {.status = WEFT_OK};
        lane_caller caller;
        steps s = {.workers = workers,
                   .begun_ns = clock_now_ns(),
                   .until_ns = clock_now_ns() + INT64_C(1000000000) * LIMIT_S};
        lane_note_caller(&caller);
        assert_int_equal(team_create(workers, 4, NULL, &s.team, &e), WEFT_OK);
        s.lane = team_lane(s.team, 0);
        lane_begin(s.lane, &hooks, &s, 1, &caller, NULL);
        assert_int_equal(lane_start(s.lane, &e), WEFT_OK);
        lane_run(s.lane);
        lane_end(s.lane);
        check_seen(&s, 0, workers > 0 ? WEFT_WAITING_FOR_WORK : WEFT_ELSEWHERE,
                   WEFT_WAITING_FOR_WORK);
        check_seen(&s, 1, WEFT_COMPUTING, WEFT_WAITING_FOR_WORK);
        check_seen(&s, 3, WEFT_WAITING_FOR_DISK, WEFT_WAITING_FOR_WORK);
        check_seen(&s, 4, WEFT_WAITING_FOR_WORK, WEFT_WAITING_FOR_WORK);
        assert_true(s.seen[4].ns[WEFT_COMPUTING] >= s.seen[1].ns[WEFT_COMPUTING]);
        assert_true(s.seen[4].ns[WEFT_WAITING_FOR_DISK] > 0);
        team_destroy(s.team);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_each_state),
        cmocka_unit_test(test_looks_are_whole),
        cmocka_unit_test(test_what_the_team_says),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
