/* SPDX-License-Identifier: BSD-3-Clause */
/* Tests the scheduling techniques: their published chunk sizes, and that no technique ever loses
 * or repeats a tile. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "range/technique.h"

#define LENGTH(array) ((int)(sizeof(array) / sizeof(array)[0]))

static void check_chunks(technique t, int64_t total, int64_t ranks, int64_t minimum,
                         const int64_t *want, int count)
{
    schedule s;
    schedule_init(&s, t, total, ranks, minimum);
    for (int i = 0; i < count; i++) {
        assert_int_equal(schedule_next(&s), want[i]);
    }
    assert_int_equal(s.remaining, 0);
    assert_int_equal(schedule_next(&s), 0);
    assert_int_equal(s.step, count);
}

#define CHECK_CHUNKS(t, total, ranks, minimum, ...)                 \
    do {                                                            \
        const int64_t want[] = {__VA_ARGS__};                       \
        check_chunks(t, total, ranks, minimum, want, LENGTH(want)); \
    } while (0)

static void test_names(void **state)
{
    (void)state;
    assert_string_equal(technique_names(), "static, ss, gss, fac2");
    for (int i = 0; i < TECHNIQUE_COUNT; i++) {
        technique t = TECHNIQUE_COUNT;
        assert_true(technique_find(technique_name((technique)i), &t));
        assert_int_equal(t, i);
    }
    technique t;
    assert_true(technique_find("static", &t) && t == TECHNIQUE_STATIC);
    assert_true(technique_find("ss", &t) && t == TECHNIQUE_SS);
    assert_true(technique_find("gss", &t) && t == TECHNIQUE_GSS);
    assert_true(technique_find("fac2", &t) && t == TECHNIQUE_FAC2);
}

static void test_unknown_names(void **state)
{
    (void)state;
    technique t = TECHNIQUE_GSS;
    assert_false(technique_find("", &t));
    assert_false(technique_find("s", &t));
    assert_false(technique_find("sss", &t));
    assert_false(technique_find("GSS", &t));
    assert_false(technique_find("fac", &t));
    assert_false(technique_find("static, ss", &t));
    assert_int_equal(t, TECHNIQUE_GSS);
    assert_string_equal(technique_name(TECHNIQUE_COUNT), "?");
    assert_string_equal(technique_text(TECHNIQUE_COUNT), "?");
}

static void test_text_names_the_source(void **state)
{
    (void)state;
    assert_string_equal(technique_text(TECHNIQUE_GSS),
                        "guided self-scheduling, R/P (Polychronopoulos & Kuck 1987)");
}

static void test_static_chunks(void **state)
{
    (void)state;
    CHECK_CHUNKS(TECHNIQUE_STATIC, 1000, 4, 1, 250, 250, 250, 250);
    CHECK_CHUNKS(TECHNIQUE_STATIC, 10, 4, 1, 3, 3, 3, 1);
    CHECK_CHUNKS(TECHNIQUE_STATIC, 3, 4, 1, 1, 1, 1);
    CHECK_CHUNKS(TECHNIQUE_STATIC, 10, 4, 4, 4, 4, 2);
    CHECK_CHUNKS(TECHNIQUE_STATIC, 10, 1, 1, 10);
}

static void test_ss_chunks(void **state)
{
    (void)state;
    CHECK_CHUNKS(TECHNIQUE_SS, 5, 4, 1, 1, 1, 1, 1, 1);
    CHECK_CHUNKS(TECHNIQUE_SS, 5, 4, 2, 2, 2, 1);
    CHECK_CHUNKS(TECHNIQUE_SS, 3, 1, 1, 1, 1, 1);
}

/* The vectors for N = 1000, P = 4 are what DLS4LB hands out. */
static void test_gss_chunks(void **state)
{
    (void)state;
    CHECK_CHUNKS(TECHNIQUE_GSS, 1000, 4, 1, 250, 188, 141, 106, 79, 59, 45, 33, 25, 19, 14, 11, 8,
                 6, 4, 3, 3, 2, 1, 1, 1, 1);
    CHECK_CHUNKS(TECHNIQUE_GSS, 1000, 4, 50, 250, 188, 141, 106, 79, 59, 50, 50, 50, 27);
    CHECK_CHUNKS(TECHNIQUE_GSS, 2, 2, 1, 1, 1);
    CHECK_CHUNKS(TECHNIQUE_GSS, 3, 2, 1, 2, 1);
    CHECK_CHUNKS(TECHNIQUE_GSS, 1000, 1, 1, 1000);
}

static void test_fac2_chunks(void **state)
{
    (void)state;
    CHECK_CHUNKS(TECHNIQUE_FAC2, 1000, 4, 1, 125, 125, 125, 125, 63, 63, 63, 63, 31, 31, 31, 31, 16,
                 16, 16, 16, 8, 8, 8, 8, 4, 4, 4, 4, 2, 2, 2, 2, 1, 1, 1, 1);
    CHECK_CHUNKS(TECHNIQUE_FAC2, 1000, 4, 100, 125, 125, 125, 125, 100, 100, 100, 100, 100);
    CHECK_CHUNKS(TECHNIQUE_FAC2, 10, 1, 1, 5, 3, 1, 1);
    CHECK_CHUNKS(TECHNIQUE_FAC2, 3, 2, 1, 1, 1, 1);
}

static void test_minimum_below_one_counts_as_one(void **state)
{
    (void)state;
    CHECK_CHUNKS(TECHNIQUE_SS, 3, 2, 0, 1, 1, 1);
    CHECK_CHUNKS(TECHNIQUE_GSS, 3, 2, -5, 2, 1);
    CHECK_CHUNKS(TECHNIQUE_FAC2, 3, 2, INT64_MIN, 1, 1, 1);
    schedule s;
    schedule_init(&s, TECHNIQUE_GSS, 3, 2, 0);
    assert_int_equal(s.minimum, 1);
}

static int64_t first_chunk(technique t, int64_t total, int64_t ranks, int64_t minimum)
{
    schedule s;
    schedule_init(&s, t, total, ranks, minimum);
    return schedule_next(&s);
}

static void test_nothing_overflows(void **state)
{
    (void)state;
    const int64_t most = INT64_MAX;
    assert_int_equal(first_chunk(TECHNIQUE_STATIC, most, 1, 1), most);
    assert_int_equal(first_chunk(TECHNIQUE_GSS, most, 1, 1), most);
    assert_int_equal(first_chunk(TECHNIQUE_FAC2, most, 1, 1), most / 2 + 1);
    assert_int_equal(first_chunk(TECHNIQUE_STATIC, most, 1000000, 1), INT64_C(9223372036855));
    assert_int_equal(first_chunk(TECHNIQUE_GSS, most, 1000000, 1), INT64_C(9223372036855));
    assert_int_equal(first_chunk(TECHNIQUE_FAC2, most, 1000000, 1), INT64_C(4611686018428));
    for (int t = 0; t < TECHNIQUE_COUNT; t++) {
        assert_int_equal(first_chunk((technique)t, most, most, 1), 1);
        assert_int_equal(first_chunk((technique)t, 7, most, 1), 1);
        assert_int_equal(first_chunk((technique)t, most, 3, most), most);
        assert_int_equal(first_chunk((technique)t, 7, 3, most), 7);
    }
}

/* Hands out everything. Chunks follow one another from 0 on, so they cannot overlap; they cover
 * all if the last ends at the total. Returns false at the first chunk that breaks a promise. */
static bool covers_exactly(technique t, int64_t total, int64_t ranks, int64_t minimum)
{
    schedule s;
    schedule_init(&s, t, total, ranks, minimum);
    int64_t end = 0;
    while (end < total) {
        int64_t left = total - end;
        int64_t chunk = schedule_next(&s);
        if (chunk < (left < minimum ? left : minimum) || chunk > left) {
            return false;
        }
        end += chunk;
        if (s.remaining != total - end) {
            return false;
        }
    }
    /* Late askers get nothing, as often as they ask. */
    int64_t late = schedule_next(&s);
    late += schedule_next(&s);
    return late == 0;
}

static const int64_t ranks_tried[] = {1, 2, 3, 4, 7, 1000, 1000000};

static void test_small_totals_are_covered_exactly(void **state)
{
    (void)state;
    static const int64_t totals[] = {0,  1,  2,  3,   4,    5,    6,    7,    8,     9,      10,
                                     11, 13, 97, 999, 1000, 1001, 7919, 4096, 65536, 104729, 99991};
    static const int64_t minima[] = {1, 2, 3, 64, 200000};
    for (int t = 0; t < TECHNIQUE_COUNT; t++) {
        for (int n = 0; n < LENGTH(totals); n++) {
            for (int p = 0; p < LENGTH(ranks_tried); p++) {
                for (int m = 0; m < LENGTH(minima); m++) {
                    assert_true(covers_exactly((technique)t, totals[n], ranks_tried[p], minima[m]));
                }
            }
        }
    }
}

static void test_large_totals_are_covered_exactly(void **state)
{
    (void)state;
    static const int64_t totals[] = {(INT64_C(1) << 31) - 1, (INT64_C(1) << 31) + 1,
                                     INT64_C(1000000000000), (INT64_C(1) << 40) + 1,
                                     (INT64_C(1) << 62) - 1, INT64_MAX};
    for (int t = 0; t < TECHNIQUE_COUNT; t++) {
        for (int n = 0; n < LENGTH(totals); n++) {
            for (int p = 0; p < LENGTH(ranks_tried); p++) {
                /* Few steps, but for techniques whose chunks halve without a minimum as well. */
                int64_t minimum = totals[n] / 20000;
                assert_true(covers_exactly((technique)t, totals[n], ranks_tried[p], minimum));
                if (t != TECHNIQUE_SS && ranks_tried[p] <= 1000) {
                    assert_true(covers_exactly((technique)t, totals[n], ranks_tried[p], 1));
                }
            }
        }
    }
}

static void test_no_loss_up_to_as_many_tiles_as_ranks(void **state)
{
    (void)state;
    for (int t = 0; t < TECHNIQUE_COUNT; t++) {
        for (int64_t ranks = 1; ranks <= 40; ranks++) {
            for (int64_t total = 0; total <= ranks; total++) {
                assert_true(covers_exactly((technique)t, total, ranks, 1));
            }
        }
    }
}

static void test_batches_have_equal_chunks(void **state)
{
    (void)state;
    schedule s;
    schedule_init(&s, TECHNIQUE_FAC2, INT64_C(1000000007), 7, 1);
    int64_t first = 0;
    while (s.remaining > 7) {
        bool starts_batch = s.step % 7 == 0;
        int64_t chunk = schedule_next(&s);
        first = starts_batch ? chunk : first;
        assert_true(chunk == first);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_names),
        cmocka_unit_test(test_unknown_names),
        cmocka_unit_test(test_text_names_the_source),
        cmocka_unit_test(test_static_chunks),
        cmocka_unit_test(test_ss_chunks),
        cmocka_unit_test(test_gss_chunks),
        cmocka_unit_test(test_fac2_chunks),
        cmocka_unit_test(test_minimum_below_one_counts_as_one),
        cmocka_unit_test(test_nothing_overflows),
        cmocka_unit_test(test_small_totals_are_covered_exactly),
        cmocka_unit_test(test_large_totals_are_covered_exactly),
        cmocka_unit_test(test_no_loss_up_to_as_many_tiles_as_ranks),
        cmocka_unit_test(test_batches_have_equal_chunks),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
