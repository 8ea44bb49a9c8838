/* SPDX-License-Identifier: BSD-3-Clause */
/* Tests whole runs without processes: the decisions of the coordinator and of the ranks' desks,
 * with teams, messages and disks that are simulated. Ranks begin late, die, are frozen and cut off
 * and come back; signals, errors and time limits end runs; the disk is slow or fails. Whatever
 * happens, every run ends, no tile is recorded twice, all are if nothing has stopped the run, and
 * nothing of a map that is not pure is computed twice unless a rank that had it was presumed dead.
 */
#include "sched/ranks.h"

enum { RUNS = 5000 };

/* Whether memory is refused. */
static bool refuses;
void *__real_realloc(void *old, size_t count); /* NOLINT: the linker's name, see --wrap */
void *__wrap_realloc(void *old, size_t count); /* NOLINT */

void *__wrap_realloc(void *old, size_t count) /* NOLINT */
{
    return refuses ? NULL : __real_realloc(old, count);
}

static int64_t count_recorded(const world *w)
{
    int64_t recorded = 0;
    for (int64_t tile = 0; tile < w->script->tiles; tile++) {
        recorded += w->recorded[tile];
    }
    return recorded;
}

static void test_nothing_happens(void **state)
{
    (void)state;
    for (int pure = 0; pure < 2; pure++) {
        for (int ranks = 1; ranks <= MOST_RANKS; ranks++) {
            const script s = quiet(ranks, pure != 0);
            world *w = run(&s, NULL);
            assert_int_equal(lead_status(w->lead), WEFT_OK);
            assert_int_equal(w->closed_as, WEFT_OK);
            assert_int_equal(w->repeats, 0);
            assert_int_equal(w->lost + w->back + w->stopping, 0);
            assert_false(w->station[0].end.broken);
            leave_run(w);
        }
    }
}

static void test_a_rank_dies(void **state)
{
    (void)state;
    for (int pure = 0; pure < 2; pure++) {
        script s = quiet(3, pure != 0);
        s.event[s.events++] = (event){.what = HAPPENS_DEATH, .rank = 2, .at_ns = 300 * ms_ns};
        world *w = run(&s, NULL);
        assert_int_equal(lead_status(w->lead), WEFT_OK);
        assert_int_equal(w->lost, 1);
        assert_true(w->station[0].end.broken);
        leave_run(w);
    }
}

/* It costs one rank, and is computed where a crash does no harm. */
static void test_a_tile_kills(void **state)
{
    (void)state;
    script s = quiet(4, false);
    s.killer = 40;
    s.tile_ns[0] = second_ns;
    world *w = run(&s, NULL);
    assert_int_equal(lead_status(w->lead), WEFT_OK);
    assert_int_equal(w->killed, 1);
    assert_int_equal(w->lost, 1);
    leave_run(w);
}

/* A rank is frozen for long, and comes back: its tiles are with others, and it goes on if it may.
 */
static void test_a_rank_returns(void **state)
{
    (void)state;
    for (int pure = 0; pure < 2; pure++) {
        script s = quiet(3, pure != 0);
        s.tiles = 100;
        s.tile_ns[0] = s.tile_ns[1] = 200 * ms_ns;
        s.event[s.events++] = (event){
            .what = HAPPENS_FREEZE, .rank = 2, .at_ns = 300 * ms_ns, .for_ns = 3 * second_ns};
        world *w = run(&s, NULL);
        assert_int_equal(lead_status(w->lead), WEFT_OK);
        assert_int_equal(w->lost, 1);
        assert_int_equal(w->back, 1);
        assert_int_equal(w->station[2].epoch, pure);
        assert_int_equal(w->station[2].end.error.status, pure ? WEFT_OK : WEFT_STOPPED);
        leave_run(w);
    }
}

/* What never comes back is computed elsewhere, and not waited for for ever. */
static void test_a_kernel_hangs(void **state)
{
    (void)state;
    script s = quiet(3, true);
    s.hung = 30;
    s.tile_ns[0] = second_ns;
    world *w = run(&s, NULL);
    assert_int_equal(lead_status(w->lead), WEFT_OK);
    assert_int_equal(w->lost, 0);
    assert_true(w->station[0].end.broken);
    leave_run(w);
}

/* A run that is told to stop ends at once, and another one goes on where it was. */
static void test_a_signal_and_a_second_run(void **state)
{
    (void)state;
    script s = quiet(3, false);
    s.event[s.events++] =
        (event){.what = HAPPENS_SIGNAL, .rank = 1, .at_ns = 500 * ms_ns, .number = SIGTERM};
    world *w = run(&s, NULL);
    assert_int_equal(lead_status(w->lead), WEFT_STOPPED);
    assert_int_equal(w->closed_as, WEFT_STOPPED);
    assert_int_equal(w->stopping, 1);
    const int64_t recorded = count_recorded(w);
    assert_in_range(recorded, 1, s.tiles - 1);
    bool done[MOST_TILES] = {false};
    for (int64_t tile = 0; tile < s.tiles; tile++) {
        done[tile] = w->recorded[tile] > 0;
    }
    leave_run(w);
    s.events = 0;
    s.ranks = 2;
    w = run(&s, done);
    assert_int_equal(lead_status(w->lead), WEFT_OK);
    assert_int_equal(count_recorded(w), s.tiles - recorded);
    leave_run(w);
}

static void test_a_rank_fails(void **state)
{
    (void)state;
    script s = quiet(3, true);
    s.event[s.events++] = (event){.what = HAPPENS_FAILURE, .rank = 2, .at_ns = 200 * ms_ns};
    world *w = run(&s, NULL);
    assert_int_equal(lead_status(w->lead), WEFT_ERR_SYSTEM);
    assert_string_equal(w->station[1].end.error.text, "rank 2: it cannot go on");
    assert_int_equal(w->stopping, 0);
    leave_run(w);
}

static void test_the_time_limit(void **state)
{
    (void)state;
    script s = quiet(2, true);
    s.limit_ns = 1500 * ms_ns;
    world *w = run(&s, NULL);
    assert_int_equal(lead_status(w->lead), WEFT_STOPPED);
    assert_true(w->closing_ns <= start_ns + s.limit_ns);
    assert_false(w->station[1].end.broken);
    assert_in_range(count_recorded(w), 5, s.tiles - 1);
    leave_run(w);
}

static void test_the_disk_fails(void **state)
{
    (void)state;
    script s = quiet(3, true);
    s.record_fails = 3;
    world *w = run(&s, NULL);
    assert_int_equal(lead_status(w->lead), WEFT_ERR_NO_SPACE);
    assert_string_equal(w->station[1].end.error.text, "no space for a record");
    leave_run(w);
    s = quiet(3, true);
    s.lease_fails = 3;
    w = run(&s, NULL);
    assert_int_equal(lead_status(w->lead), WEFT_ERR_NO_SPACE);
    assert_string_equal(w->station[1].end.error.text, "no space for a lease");
    leave_run(w);
    s = quiet(3, true);
    s.disk = WEFT_ERR_SYSTEM;
    s.disk_ns = second_ns;
    w = run(&s, NULL);
    assert_int_equal(lead_status(w->lead), WEFT_ERR_SYSTEM);
    assert_int_equal(count_recorded(w), s.tiles);
    leave_run(w);
}

/* All others are gone: rank 0 computes the rest. */
static void test_all_others_die(void **state)
{
    (void)state;
    script s = quiet(MOST_RANKS, false);
    for (int rank = 1; rank < MOST_RANKS; rank++) {
        s.event[s.events++] =
            (event){.what = HAPPENS_DEATH, .rank = rank, .at_ns = rank * 100 * ms_ns};
    }
    world *w = run(&s, NULL);
    assert_int_equal(lead_status(w->lead), WEFT_OK);
    assert_int_equal(w->lost, MOST_RANKS - 1);
    leave_run(w);
}

/* What a dead rank had cannot be remembered: the run ends, since it would never be complete. */
static void test_no_memory(void **state)
{
    (void)state;
    script s = quiet(3, false);
    s.event[s.events++] = (event){.what = HAPPENS_DEATH, .rank = 2, .at_ns = 300 * ms_ns};
    refuses = true;
    world *w = run(&s, NULL);
    refuses = false;
    assert_int_equal(lead_status(w->lead), WEFT_ERR_MEMORY);
    leave_run(w);
}

static bool stops_runs(happening what)
{
    return what == HAPPENS_SIGNAL || what == HAPPENS_FAILURE;
}

static void add_random_event(world *w, script *s)
{
    static const int signals[] = {SIGTERM, SIGINT, SIGUSR1};
    const int what = (int)draw(w, 10);
    event v = {.what = what < 3   ? HAPPENS_DEATH
                       : what < 6 ? HAPPENS_FREEZE
                       : what < 8 ? HAPPENS_CUT
                       : what < 9 ? HAPPENS_SIGNAL
                                  : HAPPENS_FAILURE,
               .rank = (int)draw(w, s->ranks),
               .at_ns = draw(w, 4000) * ms_ns,
               .for_ns = draw(w, draw(w, 2) == 0 ? 600 : 6000) * ms_ns,
               .number = signals[draw(w, s->hung == NOTHING ? 3 : 2)]};
    /* Rank 0 ends the run for all when it dies, and is never cut off from itself. */
    if (v.rank > 0 || stops_runs(v.what) || v.what == HAPPENS_FREEZE) {
        s->event[s->events++] = v;
    }
}

static script random_script(uint32_t seed)
{
    world w = {.seed = seed * 2654435761u};
    script s = {.tiles = 1 + draw(&w, MOST_TILES),
                .ranks = 1 + (int)draw(&w, MOST_RANKS),
                .pure = draw(&w, 2) == 0,
                .technique = (technique)draw(&w, TECHNIQUE_COUNT),
                .seed = seed,
                .neighbours = draw(&w, 2) == 0,
                .killer = NOTHING,
                .hung = NOTHING,
                .workers = 1 + (int)draw(&w, WORKERS),
                .sync_ns = draw(&w, 3) == 0   ? 0
                           : draw(&w, 3) == 0 ? second_ns
                                              : 20 * ms_ns,
                .loses = draw(&w, 2) == 0,
                .latency_ns = draw(&w, 3) == 0 ? 100 * ms_ns : ms_ns,
                .lease_ns = draw(&w, 3) == 0 ? draw(&w, 3000) * ms_ns : ms_ns,
                .pulse = beats,
                .disk_ns = draw(&w, 5) == 0 ? 20 * second_ns : 0,
                .limit_ns = draw(&w, 5) == 0 ? 1 + draw(&w, 5000) * ms_ns : 0,
                .record_fails = draw(&w, 20) == 0 ? draw(&w, 20) : NOTHING,
                .lease_fails = draw(&w, 20) == 0 ? draw(&w, 20) : NOTHING};
    if (draw(&w, 4) == 0) {
        s.killer = draw(&w, s.tiles);
    }
    if (s.pure && draw(&w, 4) == 0) {
        s.hung = draw(&w, s.tiles);
    }
    for (int rank = 0; rank < s.ranks; rank++) {
        s.tile_ns[rank] = (5 + draw(&w, draw(&w, 4) == 0 ? 400 : 60)) * ms_ns;
    }
    if (draw(&w, 4) == 0) {
        /* A rank that begins late. */
        s.event[s.events++] = (event){.what = HAPPENS_FREEZE,
                                      .rank = (int)draw(&w, s.ranks),
                                      .for_ns = draw(&w, 4000) * ms_ns};
    }
    for (int64_t events = draw(&w, MOST_EVENTS + 1 - s.events); events > 0; events--) {
        add_random_event(&w, &s);
    }
    return s;
}

/* Thousands of runs in which anything may happen. */
static void test_whatever_happens(void **state)
{
    (void)state;
    int complete = 0;
    int lost_runs = 0;
    for (uint32_t seed = 1; seed <= RUNS; seed++) {
        const script s = random_script(seed);
        bool stops = s.limit_ns > 0 || s.record_fails != NOTHING || s.lease_fails != NOTHING;
        for (int i = 0; i < s.events; i++) {
            stops = stops || stops_runs(s.event[i].what);
        }
        world *w = run(&s, NULL);
        check(w, stops || lead_status(w->lead) == WEFT_OK, "a run that nothing stops is stopped");
        complete += lead_status(w->lead) == WEFT_OK;
        lost_runs += w->lost > 0;
        leave_run(w);
    }
    /* The test is about both kinds. */
    assert_in_range(complete, RUNS / 4, RUNS - RUNS / 10);
    assert_in_range(lost_runs, RUNS / 4, RUNS - RUNS / 10);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_nothing_happens), cmocka_unit_test(test_a_rank_dies),
        cmocka_unit_test(test_a_tile_kills),    cmocka_unit_test(test_a_rank_returns),
        cmocka_unit_test(test_a_kernel_hangs),  cmocka_unit_test(test_a_signal_and_a_second_run),
        cmocka_unit_test(test_a_rank_fails),    cmocka_unit_test(test_the_time_limit),
        cmocka_unit_test(test_the_disk_fails),  cmocka_unit_test(test_all_others_die),
        cmocka_unit_test(test_no_memory),       cmocka_unit_test(test_whatever_happens),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
