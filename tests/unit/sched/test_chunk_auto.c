/* SPDX-License-Identifier: BSD-3-Clause */
/* Tests the default technique: how long its chunks last, by what has been measured. All times are
 * sums of powers of two, so that the wanted sizes are exact. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "sched/technique.h"

/* A tile takes a rank this long. */
static const double tile_s = 1.0 / 256;

/* Four equal ranks, and more left than chunks of a second care about. */
static outlook look(int64_t remaining)
{
    return (outlook){.total = INT64_C(1) << 40,
                     .remaining = remaining,
                     .ranks = 4,
                     .step = 100,
                     .batch_remaining = remaining,
                     .mean = tile_s,
                     .recent = tile_s,
                     .weight = 1,
                     .adapted_weight = 1,
                     .rank_mean = tile_s,
                     .rank_recent = tile_s,
                     .rate = 4 / tile_s};
}

static const int64_t much = INT64_C(1) << 40;

static int64_t chunk(outlook o)
{
    return technique_chunk(TECHNIQUE_AUTO, &o);
}

static void test_probes_until_something_is_known(void **state)
{
    (void)state;
    outlook o = {.total = 1000, .remaining = 1000, .ranks = 4, .batch_remaining = 1000};
    assert_int_equal(chunk(o), 4);
    o.remaining = 24;
    assert_int_equal(chunk(o), 3);
    o.remaining = 16;
    assert_int_equal(chunk(o), 2);
    o.remaining = 7;
    assert_int_equal(chunk(o), 1);
    o.ranks = 1000000;
    assert_int_equal(chunk(o), 1);
}

static void test_at_most_a_second(void **state)
{
    (void)state;
    assert_int_equal(chunk(look(much)), 256);
    assert_int_equal(chunk(look(4 * 768)), 256);
}

static void test_a_third_of_what_is_left(void **state)
{
    (void)state;
    /* 192 tiles per rank are 0.75 s. */
    assert_int_equal(chunk(look(768)), 64);
    assert_int_equal(chunk(look(48)), 4);
    assert_int_equal(chunk(look(12)), 1);
    assert_int_equal(chunk(look(1)), 1);
}

static void test_slow_rank_gets_less(void **state)
{
    (void)state;
    outlook o = look(768);
    o.rank_recent = 2 * tile_s;
    assert_int_equal(chunk(o), 32);
    o.rank_recent = tile_s / 4;
    assert_int_equal(chunk(o), 256);
    /* Not measured yet: by its workers. */
    o.rank_recent = 0;
    o.weight = 2;
    assert_int_equal(chunk(o), 128);
    o.weight = 0.5;
    assert_int_equal(chunk(o), 32);
}

static void test_follows_the_drift(void **state)
{
    (void)state;
    outlook o = look(768);
    o.mean = 100 * tile_s;
    assert_int_equal(chunk(o), 64);
    /* Tiles cost twice as much of late: what is left takes 1.5 s, and this rank is faster. */
    o.recent = 2 * tile_s;
    assert_int_equal(chunk(o), 128);
    o.recent = 0;
    o.mean = tile_s;
    assert_int_equal(chunk(o), 64);
}

static void test_differing_tiles_make_short_chunks(void **state)
{
    (void)state;
    /* σ = 12 µ: c + 2 · 12 · √c / 16 = 1 for √c = ½ */
    outlook o = look(much);
    o.deviation = 12 * tile_s;
    assert_int_equal(chunk(o), 64);
    /* c + 1.5 √c = ¼ for √c = (√(2.25 + 1) − 1.5)/2 = 0.1514: 0.0229 s */
    o.remaining = 768;
    assert_int_equal(chunk(o), 5);
    o.deviation = 1e6;
    assert_int_equal(chunk(o), 1);
}

static void test_time_limit(void **state)
{
    (void)state;
    outlook o = look(much);
    o.time_left = 2;
    assert_int_equal(chunk(o), 128);
    o.time_left = 1000;
    assert_int_equal(chunk(o), 256);
    o.time_left = 1e-6;
    assert_int_equal(chunk(o), 1);
}

static void test_coordinator_is_spared(void **state)
{
    (void)state;
    /* 50 · 4 · h = 2 s */
    outlook o = look(much);
    o.overhead = 0.01;
    assert_int_equal(chunk(o), 512);
    o.deviation = 12 * tile_s;
    assert_int_equal(chunk(o), 512);
    o.ranks = 8;
    assert_int_equal(chunk(o), 1024);
    o.overhead = 1e-9;
    assert_int_equal(chunk(o), 64);
}

static void test_the_end_goes_before_the_coordinator(void **state)
{
    (void)state;
    outlook o = look(768);
    o.overhead = 0.01;
    assert_int_equal(chunk(o), 64);
    o.remaining = 12;
    assert_int_equal(chunk(o), 1);
    o = look(much);
    o.overhead = 0.01;
    o.time_left = 4;
    assert_int_equal(chunk(o), 256);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_probes_until_something_is_known),
        cmocka_unit_test(test_at_most_a_second),
        cmocka_unit_test(test_a_third_of_what_is_left),
        cmocka_unit_test(test_slow_rank_gets_less),
        cmocka_unit_test(test_follows_the_drift),
        cmocka_unit_test(test_differing_tiles_make_short_chunks),
        cmocka_unit_test(test_time_limit),
        cmocka_unit_test(test_coordinator_is_spared),
        cmocka_unit_test(test_the_end_goes_before_the_coordinator),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
