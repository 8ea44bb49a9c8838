/* SPDX-License-Identifier: BSD-3-Clause */
/* Tests the formulas of the techniques: their published chunk sizes, and that a chunk is between 1
 * and what remains whatever has been measured. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "sched/technique.h"

#include <math.h>
#include <string.h>

#define LENGTH(array) ((int)(sizeof(array) / sizeof(array)[0]))

enum { MOST_RANKS = 4 };

/* A run in which ranks ask in turn, and what is measured of them never changes. */
typedef struct run {
    int64_t total;
    int64_t ranks;
    uint64_t seed;
    double mean;
    double deviation;
    double overhead;
    double spread;
    double rate;
    double weight[MOST_RANKS]; /* by workers */
    double adapted_weight[MOST_RANKS];
    double rank_mean[MOST_RANKS];
} run;

/* What the rank of this step sees. */
static outlook look(const run *r, int64_t step, int64_t remaining, int64_t batch_remaining)
{
    const int64_t rank = step % r->ranks % MOST_RANKS;
    return (outlook){.total = r->total,
                     .remaining = remaining,
                     .ranks = r->ranks,
                     .step = step,
                     .batch_remaining = batch_remaining,
                     .mean = r->mean,
                     .deviation = r->deviation,
                     .overhead = r->overhead,
                     .weight = r->weight[rank],
                     .adapted_weight = r->adapted_weight[rank],
                     .rank_mean = r->rank_mean[rank],
                     .spread = r->spread,
                     .rate = r->rate,
                     .seed = r->seed};
}

static void check_chunks(technique t, const run *r, const int64_t *want, int count)
{
    int64_t remaining = r->total;
    int64_t batch_remaining = 0;
    for (int i = 0; i < count; i++) {
        assert_true(remaining > 0);
        batch_remaining = i % r->ranks == 0 ? remaining : batch_remaining;
        const outlook o = look(r, i, remaining, batch_remaining);
        assert_int_equal(technique_chunk(t, &o), want[i]);
        remaining -= want[i];
    }
    assert_int_equal(remaining, 0);
}

#define CHECK_RUN(t, r, ...)                       \
    do {                                           \
        const int64_t want[] = {__VA_ARGS__};      \
        check_chunks(t, &(r), want, LENGTH(want)); \
    } while (0)

/* Nothing is measured. */
#define CHECK_CHUNKS(t, n, p, ...)                      \
    do {                                                \
        const run plain = {.total = (n), .ranks = (p)}; \
        CHECK_RUN(t, plain, __VA_ARGS__);               \
    } while (0)

static void test_names(void **state)
{
    (void)state;
    const char *const names =
        "auto, static, ss, fsc, mfsc, gss, tss, fac, fac2, wf, awf-b, awf-c, awf-d, awf-e, af, "
        "tap, tfss, fiss, viss, pls, rnd";
    assert_string_equal(technique_names(), names);
    for (int i = 0; i < TECHNIQUE_COUNT; i++) {
        technique t = TECHNIQUE_COUNT;
        assert_true(technique_find(technique_name((technique)i), &t));
        assert_int_equal(t, i);
    }
    technique t;
    assert_true(technique_find("auto", &t) && t == TECHNIQUE_AUTO);
    assert_true(technique_find("awf-c", &t) && t == TECHNIQUE_AWF_C);
    assert_true(technique_find("fac2", &t) && t == TECHNIQUE_FAC2);
    assert_true(technique_find("rnd", &t) && t == TECHNIQUE_RND);
}

static void test_unknown_names(void **state)
{
    (void)state;
    technique t = TECHNIQUE_GSS;
    assert_false(technique_find("", &t));
    assert_false(technique_find("s", &t));
    assert_false(technique_find("sss", &t));
    assert_false(technique_find("GSS", &t));
    assert_false(technique_find("awf", &t));
    assert_false(technique_find("awf_b", &t));
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
    for (int t = 0; t < TECHNIQUE_COUNT; t++) {
        const char *text = technique_text((technique)t);
        assert_non_null(strchr(text, '('));
        assert_in_range(strlen(text), 20, 90);
    }
}

static void test_fixed_chunks(void **state)
{
    (void)state;
    CHECK_CHUNKS(TECHNIQUE_STATIC, 1000, 4, 250, 250, 250, 250);
    CHECK_CHUNKS(TECHNIQUE_STATIC, 10, 4, 3, 3, 3, 1);
    CHECK_CHUNKS(TECHNIQUE_STATIC, 3, 4, 1, 1, 1);
    CHECK_CHUNKS(TECHNIQUE_STATIC, 10, 1, 10);
    CHECK_CHUNKS(TECHNIQUE_SS, 5, 4, 1, 1, 1, 1, 1);
    CHECK_CHUNKS(TECHNIQUE_SS, 3, 1, 1, 1, 1);
}

static void test_mfsc_chunks(void **state)
{
    (void)state;
    /* T = 250: 0.55 + 250 · 0.693147 / 5.521461 = 31.93 */
    CHECK_CHUNKS(TECHNIQUE_MFSC, 1000, 4, 31, 31, 31, 31, 31, 31, 31, 31, 31, 31, 31, 31, 31, 31,
                 31, 31, 31, 31, 31, 31, 31, 31, 31, 31, 31, 31, 31, 31, 31, 31, 31, 31, 8);
    /* T = 10: 3.56; T = 4: exactly 2.55, since ln 4 = 2 ln 2; T = 2: 2.55; T = 1 has no logarithm
     */
    CHECK_CHUNKS(TECHNIQUE_MFSC, 10, 1, 3, 3, 3, 1);
    CHECK_CHUNKS(TECHNIQUE_MFSC, 10, 3, 2, 2, 2, 2, 2);
    CHECK_CHUNKS(TECHNIQUE_MFSC, 3, 2, 2, 1);
    CHECK_CHUNKS(TECHNIQUE_MFSC, 2, 2, 1, 1);
    CHECK_CHUNKS(TECHNIQUE_MFSC, 1, 1, 1);
}

static void test_fsc_chunks(void **state)
{
    (void)state;
    /* (√2 · 1000 · h/σ / (4 √ln 4))^⅔ = (300.27 h/σ)^⅔: 44.84 · (h/σ)^⅔ */
    const run fine = {.total = 1000, .ranks = 4, .deviation = 1, .overhead = 1};
    CHECK_RUN(TECHNIQUE_FSC, fine, 45, 45, 45, 45, 45, 45, 45, 45, 45, 45, 45, 45, 45, 45, 45, 45,
              45, 45, 45, 45, 45, 45, 10);
    /* 8^⅔ = 4: 179.4 */
    const run coarse = {.total = 1000, .ranks = 4, .deviation = 0.5, .overhead = 4};
    CHECK_RUN(TECHNIQUE_FSC, coarse, 180, 180, 180, 180, 180, 100);
    /* Never more than an equal share. */
    const run dear = {.total = 1000, .ranks = 4, .deviation = 0.5, .overhead = 1e30};
    CHECK_RUN(TECHNIQUE_FSC, dear, 250, 250, 250, 250);
    const run alone = {.total = 10, .ranks = 1, .deviation = 1, .overhead = 1};
    CHECK_RUN(TECHNIQUE_FSC, alone, 10);
    CHECK_CHUNKS(TECHNIQUE_FSC, 10, 1, 10);
    /* As mfsc without σ or h. */
    const run free = {.total = 10, .ranks = 3, .deviation = 1};
    CHECK_RUN(TECHNIQUE_FSC, free, 2, 2, 2, 2, 2);
    const run even = {.total = 10, .ranks = 3, .overhead = 1};
    CHECK_RUN(TECHNIQUE_FSC, even, 2, 2, 2, 2, 2);
}

/* Published, and what DLS4LB hands out. */
static void test_gss_chunks(void **state)
{
    (void)state;
    CHECK_CHUNKS(TECHNIQUE_GSS, 1000, 4, 250, 188, 141, 106, 79, 59, 45, 33, 25, 19, 14, 11, 8, 6,
                 4, 3, 3, 2, 1, 1, 1, 1);
    CHECK_CHUNKS(TECHNIQUE_GSS, 10, 3, 4, 2, 2, 1, 1);
    CHECK_CHUNKS(TECHNIQUE_GSS, 2, 2, 1, 1);
    CHECK_CHUNKS(TECHNIQUE_GSS, 3, 2, 2, 1);
    CHECK_CHUNKS(TECHNIQUE_GSS, 1000, 1, 1000);
}

static void test_tss_chunks(void **state)
{
    (void)state;
    /* Published. f = 125, n = ⌈2000/126⌉ = 16, δ = ⌊124/15⌋ = 8 */
    CHECK_CHUNKS(TECHNIQUE_TSS, 1000, 4, 125, 117, 109, 101, 93, 85, 77, 69, 61, 53, 45, 37, 28);
    /* f = 250000, n = ⌈2000000/250001⌉ = 8, δ = ⌊249999/7⌋ = 35714 */
    CHECK_CHUNKS(TECHNIQUE_TSS, 1000000, 2, 250000, 214286, 178572, 142858, 107144, 71430, 35710);
    /* f = 5, n = ⌈20/6⌉ = 4, δ = ⌊4/3⌋ = 1 */
    CHECK_CHUNKS(TECHNIQUE_TSS, 10, 1, 5, 4, 1);
    /* f = 2, n = 7, δ = 0 */
    CHECK_CHUNKS(TECHNIQUE_TSS, 10, 3, 2, 2, 2, 2, 2);
    CHECK_CHUNKS(TECHNIQUE_TSS, 2, 2, 1, 1);
    CHECK_CHUNKS(TECHNIQUE_TSS, 3, 2, 1, 1, 1);
    CHECK_CHUNKS(TECHNIQUE_TSS, 1, 1, 1);
}

static void test_tfss_chunks(void **state)
{
    (void)state;
    /* Four tss chunks at a time: (125 + 117 + 109 + 101)/4 = 113, then 32 fewer. */
    CHECK_CHUNKS(TECHNIQUE_TFSS, 1000, 4, 113, 113, 113, 113, 81, 81, 81, 81, 49, 49, 49, 49, 17,
                 11);
    /* f = 167, n = ⌈2000/168⌉ = 12, δ = ⌊166/11⌋ = 15: 167 − 15, then 45 fewer */
    CHECK_CHUNKS(TECHNIQUE_TFSS, 1000, 3, 152, 152, 152, 107, 107, 107, 62, 62, 62, 17, 17, 3);
    CHECK_CHUNKS(TECHNIQUE_TFSS, 10, 1, 5, 4, 1);
    CHECK_CHUNKS(TECHNIQUE_TFSS, 10, 3, 2, 2, 2, 2, 2);
    CHECK_CHUNKS(TECHNIQUE_TFSS, 3, 2, 1, 1, 1);
    /* ⌊250000 − 35714/2⌋ = 232143, then 71428 fewer */
    CHECK_CHUNKS(TECHNIQUE_TFSS, 1000000, 2, 232143, 232143, 160715, 160715, 89287, 89287, 17859,
                 17851);
}

static void test_fac2_chunks(void **state)
{
    (void)state;
    CHECK_CHUNKS(TECHNIQUE_FAC2, 1000, 4, 125, 125, 125, 125, 63, 63, 63, 63, 31, 31, 31, 31, 16,
                 16, 16, 16, 8, 8, 8, 8, 4, 4, 4, 4, 2, 2, 2, 2, 1, 1, 1, 1);
    CHECK_CHUNKS(TECHNIQUE_FAC2, 10, 1, 5, 3, 1, 1);
    CHECK_CHUNKS(TECHNIQUE_FAC2, 10, 3, 2, 2, 2, 1, 1, 1, 1);
    CHECK_CHUNKS(TECHNIQUE_FAC2, 3, 2, 1, 1, 1);
    /* What is not measured: the same. */
    CHECK_CHUNKS(TECHNIQUE_FAC, 10, 1, 5, 3, 1, 1);
    CHECK_CHUNKS(TECHNIQUE_WF, 10, 1, 5, 3, 1, 1);
    CHECK_CHUNKS(TECHNIQUE_AWF_B, 10, 1, 5, 3, 1, 1);
    CHECK_CHUNKS(TECHNIQUE_AWF_D, 10, 1, 5, 3, 1, 1);
    CHECK_CHUNKS(TECHNIQUE_AF, 10, 1, 5, 3, 1, 1);
}

static void test_fac_chunks(void **state)
{
    (void)state;
    /* v = 4/(2√1000) = 0.0632, x = 1 + 0.004 + 0.0632 √2.004 = 1.0935: 228.6; then of 84:
     * v = 4/(2√84) = 0.2182, x = 2 + 0.0476 + 0.2182 √4.0476 = 2.4866: 8.45; and so on */
    const run r = {.total = 1000, .ranks = 4, .mean = 1, .deviation = 1};
    CHECK_RUN(TECHNIQUE_FAC, r, 229, 229, 229, 229, 9, 9, 9, 9, 5, 5, 5, 5, 3, 3, 3, 3, 2, 2, 2, 2,
              1, 1, 1, 1, 1, 1, 1, 1);
    const run alone = {.total = 10, .ranks = 1, .mean = 2, .deviation = 2};
    CHECK_RUN(TECHNIQUE_FAC, alone, 8, 1, 1);
    const run even = {.total = 10, .ranks = 3, .mean = 2};
    CHECK_RUN(TECHNIQUE_FAC, even, 2, 2, 2, 1, 1, 1, 1);
}

static void test_weighted_chunks(void **state)
{
    (void)state;
    /* ⌊w · 125⌋, then of 501 ⌊w · 63⌋, … */
    const run uneven = {.total = 1000, .ranks = 4, .weight = {0.5, 0.5, 1, 2}};
    CHECK_RUN(TECHNIQUE_WF, uneven, 62, 62, 125, 250, 31, 31, 63, 126, 16, 16, 32, 64, 8, 8, 16, 32,
              4, 4, 8, 16, 2, 2, 4, 8, 1, 1, 2, 4, 1, 1);
    /* One rank half as fast as three others: 8/7 and 4/7. ⌊8/7 · 125 + 0.55⌋ = ⌊143.41⌋ */
    const double fast = 8.0 / 7;
    const run slow = {.total = 1000, .ranks = 4, .adapted_weight = {fast, fast, fast, fast / 2}};
    CHECK_RUN(TECHNIQUE_AWF_B, slow, 143, 143, 143, 71, 72, 72, 72, 36, 35, 35, 35, 18, 18, 18, 18,
              9, 9, 9, 9, 5, 5, 5, 5, 2, 2, 2, 2, 1, 1, 1, 1, 1, 1, 1);
    CHECK_RUN(TECHNIQUE_AWF_D, slow, 143, 143, 143, 71, 72, 72, 72, 36, 35, 35, 35, 18, 18, 18, 18,
              9, 9, 9, 9, 5, 5, 5, 5, 2, 2, 2, 2, 1, 1, 1, 1, 1, 1, 1);
    /* Of what remains at each chunk: ⌊8/7 · ⌈857/8⌉ + 0.55⌋ = ⌊123.98⌋ */
    CHECK_RUN(TECHNIQUE_AWF_C, slow, 143, 123, 105, 45, 83, 72, 62, 26, 49, 42, 37, 15, 29, 25, 21,
              9, 17, 15, 13, 5, 9, 8, 7, 3, 6, 5, 5, 2, 3, 2, 2, 1, 2, 2, 1, 1, 1, 1, 1, 1, 1);
    CHECK_RUN(TECHNIQUE_AWF_E, slow, 143, 123, 105, 45, 83, 72, 62, 26, 49, 42, 37, 15, 29, 25, 21,
              9, 17, 15, 13, 5, 9, 8, 7, 3, 6, 5, 5, 2, 3, 2, 2, 1, 2, 2, 1, 1, 1, 1, 1, 1, 1);
}

static void test_af_chunks(void **state)
{
    (void)state;
    /* µ = 1, 1, 1, 2 and σ = ½, ½, ½, 1: E = 3 · ¼ + ½ = 1.25, T = 1/3.5; of 1000:
     * (1.25 + 571.43 − √(1.5625 + 1428.57)) / 2 = 267.4; µ = 2 halves it */
    const run r = {
        .total = 1000, .ranks = 4, .spread = 1.25, .rate = 3.5, .rank_mean = {1, 1, 1, 2}};
    CHECK_RUN(TECHNIQUE_AF, r, 267, 194, 141, 51, 89, 65, 47, 18, 30, 23, 17, 6, 11, 9, 6, 3, 4, 3,
              3, 1, 2, 2, 1, 1, 1, 1, 1, 1, 1, 1);
    /* Without any deviation a rank gets its whole share, µ = 1: R/P */
    const run even = {.total = 16, .ranks = 4, .rate = 4, .rank_mean = {1, 1, 1, 1}};
    CHECK_RUN(TECHNIQUE_AF, even, 4, 3, 2, 2, 1, 1, 1, 1, 1);
}

static void test_tap_chunks(void **state)
{
    (void)state;
    /* v = 1.3: 250 + 0.845 − 1.3 √(500 + 0.4225) = 221.76 */
    const run r = {.total = 1000, .ranks = 4, .mean = 1, .deviation = 1};
    CHECK_RUN(TECHNIQUE_TAP, r, 222, 170, 131, 101, 78, 60, 47, 36, 29, 22, 18, 14, 11, 9, 8, 6, 5,
              4, 4, 3, 2, 2, 2, 2, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1);
    const run alone = {.total = 10, .ranks = 1, .mean = 2, .deviation = 2};
    CHECK_RUN(TECHNIQUE_TAP, alone, 5, 2, 1, 1, 1);
    CHECK_CHUNKS(TECHNIQUE_TAP, 10, 3, 4, 2, 2, 1, 1);
    /* Infinity less infinity. */
    const run absurd = {.total = 3, .ranks = 1, .mean = 1e-300, .deviation = 1e300};
    CHECK_RUN(TECHNIQUE_TAP, absurd, 1, 1, 1);
}

static void test_increasing_chunks(void **state)
{
    (void)state;
    /* B = 3, X = 5: ⌊1000/20⌋ = 50, ⌊2000 · (1 − 3/5) / (4 · 3 · 2)⌋ = 33 */
    CHECK_CHUNKS(TECHNIQUE_FISS, 1000, 4, 50, 50, 50, 50, 83, 83, 83, 83, 116, 116, 116, 116, 4);
    /* B = 2, X = 4: ⌊1000/12⌋ = 83, ⌊2000 · ½ / (3 · 2)⌋ = 166 */
    CHECK_CHUNKS(TECHNIQUE_FISS, 1000, 3, 83, 83, 83, 249, 249, 249, 4);
    /* ⌊10/4⌋ = 2, ⌊20 · ½ / 2⌋ = 5 */
    CHECK_CHUNKS(TECHNIQUE_FISS, 10, 1, 2, 7, 1);
    /* 0 and 1: the third batch has chunks of 2 */
    CHECK_CHUNKS(TECHNIQUE_FISS, 10, 3, 1, 1, 1, 1, 1, 1, 2, 2);
    CHECK_CHUNKS(TECHNIQUE_FISS, 3, 2, 1, 1, 1);
    /* k = ⌈1000/16⌉ = 63, then ⌊63 · 3/2⌋ and ⌊63 · 7/4⌋ */
    CHECK_CHUNKS(TECHNIQUE_VISS, 1000, 4, 63, 63, 63, 63, 94, 94, 94, 94, 110, 110, 110, 42);
    CHECK_CHUNKS(TECHNIQUE_VISS, 1000, 3, 112, 112, 112, 168, 168, 168, 160);
    CHECK_CHUNKS(TECHNIQUE_VISS, 10, 3, 2, 2, 2, 3, 1);
    CHECK_CHUNKS(TECHNIQUE_VISS, 10, 1, 10);
    CHECK_CHUNKS(TECHNIQUE_VISS, 3, 2, 1, 1, 1);
}

static void test_pls_chunks(void **state)
{
    (void)state;
    /* A half in P chunks of ⌈500/4⌉, then ⌈R/4⌉ from 500 on. */
    CHECK_CHUNKS(TECHNIQUE_PLS, 1000, 4, 125, 125, 125, 125, 125, 94, 71, 53, 40, 30, 22, 17, 12, 9,
                 7, 5, 4, 3, 2, 2, 1, 1, 1, 1);
    CHECK_CHUNKS(TECHNIQUE_PLS, 10, 1, 5, 5);
    CHECK_CHUNKS(TECHNIQUE_PLS, 10, 3, 2, 2, 2, 2, 1, 1);
    CHECK_CHUNKS(TECHNIQUE_PLS, 10, 4, 2, 2, 2, 2, 1, 1);
    CHECK_CHUNKS(TECHNIQUE_PLS, 2, 2, 1, 1);
}

/* The wanted numbers are from the same hash, written a second time in Python. */
static void test_rnd_chunks(void **state)
{
    (void)state;
    const run r = {.total = 1000, .ranks = 4, .seed = 1};
    CHECK_RUN(TECHNIQUE_RND, r, 97, 3, 124, 113, 11, 75, 125, 125, 84, 113, 108, 22);
    const run odd = {.total = 10, .ranks = 1, .seed = 1};
    CHECK_RUN(TECHNIQUE_RND, odd, 2, 3, 4, 1);
    const run few = {.total = 3, .ranks = 2, .seed = 1};
    CHECK_RUN(TECHNIQUE_RND, few, 1, 1, 1);
}

static void test_rnd_is_uniform(void **state)
{
    (void)state;
    enum { MOST = 7, DRAWS = 70000 };
    for (uint64_t seed = 0; seed < 3; seed++) {
        int count[MOST + 1] = {0};
        for (int64_t step = 0; step < DRAWS; step++) {
            const outlook o = {.total = (int64_t)4 * MOST,
                               .remaining = (int64_t)4 * MOST,
                               .ranks = 2,
                               .step = step,
                               .seed = seed};
            const int64_t chunk = technique_chunk(TECHNIQUE_RND, &o);
            assert_in_range(chunk, 1, MOST);
            count[chunk]++;
        }
        for (int chunk = 1; chunk <= MOST; chunk++) {
            /* Five standard deviations of about 93. */
            assert_in_range(count[chunk], DRAWS / MOST - 465, DRAWS / MOST + 465);
        }
    }
}

static outlook whole(int64_t total, int64_t ranks)
{
    return (outlook){
        .total = total, .remaining = total, .ranks = ranks, .batch_remaining = total, .weight = 1};
}

static int64_t first_chunk(technique t, int64_t total, int64_t ranks)
{
    const outlook o = whole(total, ranks);
    return technique_chunk(t, &o);
}

static void test_nothing_overflows(void **state)
{
    (void)state;
    const int64_t most = INT64_MAX;
    assert_int_equal(first_chunk(TECHNIQUE_STATIC, most, 1), most);
    assert_int_equal(first_chunk(TECHNIQUE_GSS, most, 1), most);
    assert_int_equal(first_chunk(TECHNIQUE_TSS, most, 1), most / 2 + 1);
    assert_int_equal(first_chunk(TECHNIQUE_FAC2, most, 1), most / 2 + 1);
    assert_int_equal(first_chunk(TECHNIQUE_WF, most, 1), most / 2 + 1);
    assert_int_equal(first_chunk(TECHNIQUE_PLS, most, 1), most / 2 + 1);
    /* No double has this value. */
    const int64_t odd = (INT64_C(1) << 61) + 1;
    assert_int_equal(first_chunk(TECHNIQUE_WF, 2 * odd, 1), odd);
    assert_int_equal(first_chunk(TECHNIQUE_FISS, most, 1), most / 4);
    assert_int_equal(first_chunk(TECHNIQUE_VISS, most, 1), most);
    assert_int_equal(first_chunk(TECHNIQUE_STATIC, most, 1000000), INT64_C(9223372036855));
    assert_int_equal(first_chunk(TECHNIQUE_GSS, most, 1000000), INT64_C(9223372036855));
    assert_int_equal(first_chunk(TECHNIQUE_FAC2, most, 1000000), INT64_C(4611686018428));
    for (int t = 0; t < TECHNIQUE_COUNT; t++) {
        assert_int_equal(first_chunk((technique)t, most, most), 1);
        assert_int_equal(first_chunk((technique)t, 7, most), 1);
    }
}

/* Late steps of curves that are huge: the sum of what went before must not overflow. */
static void test_late_steps(void **state)
{
    (void)state;
    outlook o = whole(INT64_MAX, 1);
    o.step = 1;
    o.remaining = INT64_MAX / 2;
    /* f = 2⁶², n = ⌈(2⁶⁴ − 2)/(2⁶² + 1)⌉ = 4, δ = ⌊(2⁶² − 1)/3⌋ */
    const int64_t first = INT64_C(1) << 62;
    assert_int_equal(technique_chunk(TECHNIQUE_TSS, &o), first - (first - 1) / 3);
    assert_int_equal(technique_chunk(TECHNIQUE_TFSS, &o), first - (first - 1) / 3);
    o.step = INT64_MAX;
    assert_int_equal(technique_chunk(TECHNIQUE_TSS, &o), 1);
    assert_int_equal(technique_chunk(TECHNIQUE_TFSS, &o), 1);
    assert_int_equal(technique_chunk(TECHNIQUE_FISS, &o), o.remaining);
    assert_int_equal(technique_chunk(TECHNIQUE_VISS, &o), o.remaining);
    o.ranks = 1000;
    assert_int_equal(technique_chunk(TECHNIQUE_TSS, &o), 1);
    assert_int_equal(technique_chunk(TECHNIQUE_TFSS, &o), 1);
    assert_int_equal(technique_chunk(TECHNIQUE_FISS, &o), o.remaining);
    /* 2 ⌈(2⁶³ − 1)/10⁶⌉ − 1 */
    assert_int_equal(technique_chunk(TECHNIQUE_VISS, &o), 2 * INT64_C(9223372036855) - 1);
}

static uint64_t draw(uint64_t *seed)
{
    *seed = *seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return *seed >> 33;
}

static int64_t draw_count(uint64_t *seed, int64_t least)
{
    const int64_t wide = (int64_t)(draw(seed) << 31 | draw(seed)) | INT64_C(1) << 61;
    const int64_t number = wide >> draw(seed) % 62;
    return number < least ? least : number;
}

static double draw_measured(uint64_t *seed)
{
    const double absurd[] = {0,
                             1e-300,
                             1e300,
                             (double)NAN,
                             (double)INFINITY,
                             -1.0,
                             -1e300,
                             5e-324,
                             -(double)INFINITY,
                             1.7e308,
                             1,
                             1e-9,
                             2.2e-16,
                             0.25};
    const uint64_t options = draw(seed) % 28;
    return options < 14 ? absurd[options] : (double)draw(seed) * 1e-6;
}

static outlook draw_outlook(uint64_t *seed)
{
    const int64_t total = draw_count(seed, 1);
    const int64_t remaining = 1 + draw_count(seed, 0) % total;
    return (outlook){.total = total,
                     .remaining = remaining,
                     .ranks = draw(seed) % 3 == 0 ? draw_count(seed, 1)
                                                  : 1 + (int64_t)(draw(seed) % 1000000),
                     .step = draw_count(seed, 0) - 1 + (int64_t)(draw(seed) % 2),
                     .batch_remaining = remaining + draw_count(seed, 0) % (total - remaining + 1),
                     .mean = draw_measured(seed),
                     .deviation = draw_measured(seed),
                     .recent = draw_measured(seed),
                     .overhead = draw_measured(seed),
                     .weight = draw_measured(seed),
                     .adapted_weight = draw_measured(seed),
                     .rank_mean = draw_measured(seed),
                     .rank_deviation = draw_measured(seed),
                     .rank_recent = draw_measured(seed),
                     .spread = draw_measured(seed),
                     .rate = draw_measured(seed),
                     .time_left = draw_measured(seed),
                     .seed = draw(seed)};
}

static void test_any_numbers_give_a_chunk(void **state)
{
    (void)state;
    uint64_t seed = 20;
    for (int i = 0; i < 200000; i++) {
        outlook o = draw_outlook(&seed);
        o.step = o.step < 0 ? 0 : o.step;
        const outlook again = o;
        for (int t = 0; t < TECHNIQUE_COUNT; t++) {
            const int64_t chunk = technique_chunk((technique)t, &o);
            assert_true(chunk >= 1 && chunk <= o.remaining);
            assert_true(technique_chunk((technique)t, &again) == chunk);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_names),
        cmocka_unit_test(test_unknown_names),
        cmocka_unit_test(test_text_names_the_source),
        cmocka_unit_test(test_fixed_chunks),
        cmocka_unit_test(test_mfsc_chunks),
        cmocka_unit_test(test_fsc_chunks),
        cmocka_unit_test(test_gss_chunks),
        cmocka_unit_test(test_tss_chunks),
        cmocka_unit_test(test_tfss_chunks),
        cmocka_unit_test(test_fac2_chunks),
        cmocka_unit_test(test_fac_chunks),
        cmocka_unit_test(test_weighted_chunks),
        cmocka_unit_test(test_af_chunks),
        cmocka_unit_test(test_tap_chunks),
        cmocka_unit_test(test_increasing_chunks),
        cmocka_unit_test(test_pls_chunks),
        cmocka_unit_test(test_rnd_chunks),
        cmocka_unit_test(test_rnd_is_uniform),
        cmocka_unit_test(test_nothing_overflows),
        cmocka_unit_test(test_late_steps),
        cmocka_unit_test(test_any_numbers_give_a_chunk),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
