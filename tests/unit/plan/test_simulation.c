/* SPDX-License-Identifier: BSD-3-Clause */
/* Tests simulated runs against what can be said of them with pencil and paper. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "plan/simulation.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static const int64_t any_count = 1000;

/* A scene without any cost but computing: what is left are the rests of the agents. */
static simulation_setup make_scene(int ranks, int workers, int64_t tiles,
                                   double (*tile_ns)(const void *, int64_t))
{
    error e = {.status = WEFT_OK};
    job *j = NULL;
    assert_int_equal(job_create("simulation", 1, &any_count, &j, &e), WEFT_OK);
    assert_int_equal(job_add_field(j, "a", WEFT_UINT8, 0, NULL, NULL, NULL, &e), WEFT_OK);
    assert_int_equal(job_settle(j, 0, 1, &e), WEFT_OK);
    return (simulation_setup){.job = j,
                              .tiles = tiles,
                              .tile_ns = tile_ns,
                              .ranks = ranks,
                              .workers = workers,
                              .technique = TECHNIQUE_AUTO,
                              .seed = 1,
                              .pure = true,
                              .cpu_share = 1};
}

static simulation_result run_scene(const simulation_setup *setup)
{
    error e = {.status = WEFT_OK};
    simulation_result r;
    memset(&r, 0, sizeof r);
    assert_int_equal(simulate(setup, &r, &e), WEFT_OK);
    return r;
}

static void leave(const simulation_setup *setup)
{
    job_destroy((job *)(uintptr_t)setup->job);
}

static void assert_near(double value, double expected, double tolerance)
{
    if (fabs(value - expected) > tolerance) {
        fail_msg("%.9g is not within %.3g of %.9g", value, tolerance, expected);
    }
}

static double ten_ms(const void *context, int64_t tile)
{
    (void)context;
    (void)tile;
    return 1e7;
}

static double giant(const void *context, int64_t tile)
{
    (void)context;
    return tile == 30 ? 5e9 : 1e7;
}

/* From 0 to 20 ms, scattered. */
static double scattered(const void *context, int64_t tile)
{
    (void)context;
    return (double)((uint64_t)tile * UINT64_C(0x9e3779b97f4a7c15) >> 44) * 20;
}

static double nothing(const void *context, int64_t tile)
{
    (void)context;
    (void)tile;
    return 0;
}

/* Every technique computes every tile, on every layout, and what was done is not computed again. */
static void test_every_tile_once(void **state)
{
    (void)state;
    static const int ranks[] = {1, 2, 7, 40};
    static const int64_t tiles[] = {0, 1, 5, 39, 2000};
    bool done[2000] = {false};
    int64_t done_before[2001] = {0};
    for (int i = 0; i < 2000; i++) {
        done[i] = i % 3 == 1 || (i > 500 && i < 900);
        done_before[i + 1] = done_before[i] + done[i];
    }
    for (int i = 0; i < TECHNIQUE_COUNT * 4 * 5; i++) {
        simulation_setup setup = make_scene(ranks[i % 4], 1 + i % 3, tiles[i / 4 % 5], scattered);
        setup.technique = (technique)(i / 20);
        setup.costs = simulation_usual_costs;
        setup.pure = i % 2 == 0;
        simulation_result r = run_scene(&setup);
        assert_int_equal(r.tiles, setup.tiles);
        assert_true(r.computed >= r.tiles + r.duplicates);
        assert_true(setup.pure || r.duplicates == 0);
        setup.done = done;
        r = run_scene(&setup);
        assert_int_equal(r.tiles, setup.tiles - done_before[setup.tiles]);
        assert_true(r.computed >= r.tiles + r.duplicates);
        leave(&setup);
    }
}

/* One worker: the sum of its tiles, and nothing else but a few rests of the agent. */
static void test_one_worker(void **state)
{
    (void)state;
    simulation_setup setup = make_scene(1, 1, 300, scattered);
    const simulation_result r = run_scene(&setup);
    double sum_s = 0;
    double longest_s = 0;
    for (int64_t tile = 0; tile < 300; tile++) {
        sum_s += 1e-9 * scattered(NULL, tile);
        longest_s = fmax(longest_s, 1e-9 * scattered(NULL, tile));
    }
    assert_near(r.work_s, sum_s, 1e-9);
    assert_near(r.busy_s, sum_s, 1e-6);
    assert_near(r.longest_s, longest_s, 1e-9);
    assert_near(r.makespan_s, sum_s, 5e-3);
    assert_true(r.makespan_s >= sum_s);
    assert_int_equal(r.computed, 300);
    leave(&setup);
}

/* Equal workers, equal tiles: as many rounds as it takes. */
static void test_equal_shares(void **state)
{
    (void)state;
    for (int workers = 1; workers <= 8; workers++) {
        simulation_setup one = make_scene(1, workers, 240, ten_ms);
        const simulation_result r = run_scene(&one);
        assert_near(r.makespan_s, ceil(240.0 / workers) * 0.01, 3e-3);
        assert_near(r.busy_s, 2.4, 1e-6);
        leave(&one);
    }
    simulation_setup many = make_scene(8, 1, 800, ten_ms);
    const simulation_result r = run_scene(&many);
    assert_near(r.makespan_s, 1, 0.05);
    assert_near(r.first_idle_s, 1, 0.05);
    assert_near(r.last_idle_s, 1, 0.05);
    assert_true(r.first_idle_s <= r.last_idle_s && r.last_idle_s <= r.makespan_s);
    leave(&many);
}

/* Costs are paid by whom they are put on. */
static void test_costs(void **state)
{
    (void)state;
    simulation_setup setup = make_scene(1, 1, 100, ten_ms);
    const double free_s = run_scene(&setup).makespan_s;
    setup.costs = (simulation_costs){.sync_s = 0.5};
    assert_near(run_scene(&setup).makespan_s, free_s + 0.5, 0.01);
    /* 25 ms of tiles to a block: 100 tiles make some 50 blocks, each written by its last worker. */
    setup.costs = (simulation_costs){.block_s = 0.01};
    const double written_s = run_scene(&setup).makespan_s;
    assert_near(written_s, free_s + 0.5, 0.2);
    setup.costs = (simulation_costs){.byte_s = 0.01};
    assert_near(run_scene(&setup).makespan_s, free_s + 1, 0.05);
    setup.costs = (simulation_costs){.message_s = 1e-4};
    const simulation_result r = run_scene(&setup);
    assert_near(r.coordinator * r.makespan_s, 1e-4 * (double)r.messages, 1e-9);
    assert_true(r.coordinator > 0);
    setup.costs = (simulation_costs){.tile_s = 1e-4};
    const simulation_result tiles = run_scene(&setup);
    assert_near(tiles.coordinator * tiles.makespan_s, 1e-4 * 100, 1e-9);
    setup.costs = (simulation_costs){.record_s = 1e-3};
    const simulation_result reports = run_scene(&setup);
    assert_true(reports.coordinator * reports.makespan_s > 0.9e-3);
    leave(&setup);
    setup = make_scene(2, 1, 200, ten_ms);
    const double near_s = run_scene(&setup).makespan_s;
    setup.costs = (simulation_costs){.latency_s = 0.2};
    assert_true(run_scene(&setup).makespan_s > near_s + 0.1);
    leave(&setup);
}

/* One tile as long as five seconds of the others: nothing can be shorter than that, and idle ranks
 * try it again, twice or so, not all of them all the time. The run ends once their kernels have
 * returned, too. */
static void test_giant(void **state)
{
    (void)state;
    simulation_setup setup = make_scene(4, 2, 200, giant);
    const simulation_result r = run_scene(&setup);
    assert_near(r.longest_s, 5, 1e-9);
    assert_true(r.makespan_s > 5.5 && r.makespan_s < 10.5);
    assert_true(r.computed > 200 && r.computed < 210);
    setup.pure = false;
    const simulation_result once = run_scene(&setup);
    assert_true(once.makespan_s >= 5 && once.makespan_s < 5.5);
    assert_true(once.first_idle_s < 1);
    assert_int_equal(once.computed, 200);
    leave(&setup);
}

/* A rank at a quarter of the speed computes a quarter as much, and all end together. */
static void test_slow_rank(void **state)
{
    (void)state;
    static const double speed[] = {1, 0.25, 1, 1};
    simulation_setup setup = make_scene(4, 1, 1300, ten_ms);
    setup.speed = speed;
    const simulation_result r = run_scene(&setup);
    assert_near(r.makespan_s, 4, 0.2);
    assert_near(r.first_idle_s, 4, 0.2);
    assert_near(r.last_idle_s, 4, 0.2);
    leave(&setup);
}

/* A rank that got much at once gives back what it has queued. */
static void test_giving_back(void **state)
{
    (void)state;
    static const double speed[] = {1, 0.25, 1, 1};
    simulation_setup setup = make_scene(4, 1, 1300, ten_ms);
    setup.speed = speed;
    setup.technique = TECHNIQUE_STATIC;
    const simulation_result r = run_scene(&setup);
    assert_near(r.makespan_s, 4, 0.3);
    leave(&setup);
}

/* What a rank that has all but stopped holds is computed by others, who wait until they may; then
 * the run waits for that rank's kernel, for five seconds or so. */
static void test_rescue(void **state)
{
    (void)state;
    static const double speed[] = {1, 0.0001, 1, 1};
    simulation_setup setup = make_scene(4, 1, 600, ten_ms);
    setup.speed = speed;
    const simulation_result r = run_scene(&setup);
    assert_true(r.makespan_s > 7 && r.makespan_s < 12);
    assert_in_range(r.computed, 600, 602);
    leave(&setup);
}

/* Four workers on two cores are as fast as two, if they compute all the time. */
static void test_contention(void **state)
{
    (void)state;
    simulation_setup setup = make_scene(2, 2, 400, ten_ms);
    const double free_s = run_scene(&setup).makespan_s;
    assert_near(free_s, 1, 0.03);
    setup.cores = 2;
    const simulation_result r = run_scene(&setup);
    assert_near(r.makespan_s, 2, 0.05);
    assert_near(r.work_s, 4, 1e-9);
    assert_near(r.busy_s, 8, 0.1);
    setup.cpu_share = 0.5;
    assert_near(run_scene(&setup).makespan_s, free_s, 1e-9);
    setup.cpu_share = 0.75;
    assert_near(run_scene(&setup).makespan_s, 1.5, 0.05);
    setup.cpu_share = 0;
    assert_near(run_scene(&setup).makespan_s, free_s, 1e-9);
    setup.cpu_share = 1;
    setup.cores = 4;
    assert_near(run_scene(&setup).makespan_s, free_s, 1e-9);
    leave(&setup);
}

static void test_repeatable(void **state)
{
    (void)state;
    simulation_setup setup = make_scene(13, 3, 5000, scattered);
    setup.costs = simulation_usual_costs;
    setup.technique = TECHNIQUE_RND;
    const simulation_result first = run_scene(&setup);
    const simulation_result second = run_scene(&setup);
    assert_memory_equal(&first, &second, sizeof first);
    setup.seed = 2;
    const simulation_result other = run_scene(&setup);
    assert_memory_not_equal(&first, &other, sizeof first);
    leave(&setup);
}

/* Tiles that take no time at all, and more ranks than tiles. */
static void test_extremes(void **state)
{
    (void)state;
    simulation_setup setup = make_scene(3, 2, 100000, nothing);
    setup.costs = simulation_usual_costs;
    setup.call_tiles = 10;
    assert_int_equal(run_scene(&setup).tiles, 100000);
    leave(&setup);
    setup = make_scene(20000, 1, 300, ten_ms);
    setup.costs = simulation_usual_costs;
    const simulation_result r = run_scene(&setup);
    assert_int_equal(r.tiles, 300);
    assert_true(r.makespan_s < 2);
    leave(&setup);
}

static double an_hour(const void *context, int64_t tile)
{
    (void)context;
    (void)tile;
    return 3.6e12;
}

static double a_day_among_microseconds(const void *context, int64_t tile)
{
    (void)context;
    return tile == 7 ? 8.64e13 : 1e3;
}

static double absurd(const void *context, int64_t tile)
{
    (void)context;
    (void)tile;
    return 1e200;
}

/* A rank that has seen nanoseconds takes many tiles at once, among them hours of work: others wait
 * for long, and pass what little is left among each other. */
static double nanoseconds_and_days(const void *context, int64_t tile)
{
    (void)context;
    return tile % 2 == 0 ? 8.64e13 : 1;
}

/* However long tiles take, a run is simulated by what happens in it: the messages are counted here,
 * of which there were ever more, the longer somebody had to wait. */
static void test_long_tiles(void **state)
{
    (void)state;
    enum { TILES = 1000, MOST_MESSAGES = 100000 };
    static double (*const times[])(const void *, int64_t) = {an_hour, a_day_among_microseconds,
                                                             absurd};
    static const int ranks[] = {1, 4, 64, 256};
    for (int i = 0; i < 12; i++) {
        simulation_setup setup = make_scene(ranks[i % 4], 2, TILES, times[i / 4]);
        setup.costs = simulation_usual_costs;
        const simulation_result r = run_scene(&setup);
        assert_true(r.messages < MOST_MESSAGES);
        const double rounds = ceil(TILES / (2.0 * ranks[i % 4]));
        if (times[i / 4] == a_day_among_microseconds) {
            /* Idle ranks compute the long one, too. */
            assert_near(r.makespan_s / r.longest_s, 1.5, 0.52);
        } else {
            assert_near(r.makespan_s / r.longest_s, rounds, 0.02 * rounds + 0.3);
        }
        assert_near(r.busy_s / r.work_s, 1, 0.1 + (double)(r.computed - TILES));
        leave(&setup);
    }
    for (int i = 0; i < 4; i++) {
        simulation_setup setup = make_scene(ranks[i], 2, TILES, nanoseconds_and_days);
        setup.costs = simulation_usual_costs;
        assert_true(run_scene(&setup).messages < 2 * MOST_MESSAGES);
        leave(&setup);
    }
}

/* A coordinator that cannot keep up is what the run waits for. */
static void test_saturation(void **state)
{
    (void)state;
    simulation_setup setup = make_scene(500, 1, 50000, ten_ms);
    setup.costs.message_s = 1e-5;
    const simulation_result quick = run_scene(&setup);
    setup.costs.message_s = 1e-3;
    const simulation_result slow = run_scene(&setup);
    assert_true(quick.coordinator < 0.9);
    assert_true(slow.coordinator > 0.9);
    assert_true(slow.makespan_s > 2 * quick.makespan_s);
    leave(&setup);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_tile_once), cmocka_unit_test(test_one_worker),
        cmocka_unit_test(test_equal_shares),    cmocka_unit_test(test_costs),
        cmocka_unit_test(test_giant),           cmocka_unit_test(test_slow_rank),
        cmocka_unit_test(test_giving_back),     cmocka_unit_test(test_rescue),
        cmocka_unit_test(test_contention),      cmocka_unit_test(test_repeatable),
        cmocka_unit_test(test_extremes),        cmocka_unit_test(test_long_tiles),
        cmocka_unit_test(test_saturation),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
