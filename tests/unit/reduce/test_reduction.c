/* SPDX-License-Identifier: BSD-3-Clause */
/* Unit test of descriptions of reductions: what is wrong with them, and their copies. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "reduce/reduction.h"

static void refuse(weft_reduction r, const char *words)
{
    error e = {.status = WEFT_OK};
    unsigned char memory[8];
    assert_int_equal(reduction_check(&r, "cost", &e), WEFT_ERR_USAGE);
    assert_non_null(strstr(e.text, "'cost'"));
    if (strstr(e.text, words) == NULL) {
        fail_msg("'%s' is not in '%s'", words, e.text);
    }
    assert_int_equal(weft_reduction_bytes(&r), 0);
    assert_int_equal(weft_reduction_value_bytes(&r), 0);
    assert_int_equal(weft_reduction_init(&r, memory), WEFT_ERR_USAGE);
    assert_int_equal(weft_reduction_merge(&r, memory, memory), WEFT_ERR_USAGE);
    assert_int_equal(weft_reduction_finish(&r, memory, memory), WEFT_ERR_USAGE);
}

static void accept(weft_reduction r, int64_t value_bytes)
{
    error e;
    assert_int_equal(reduction_check(&r, "cost", &e), WEFT_OK);
    assert_true(weft_reduction_bytes(&r) >= 1);
    assert_int_equal(weft_reduction_value_bytes(&r), value_bytes);
}

static void test_kinds(void **state)
{
    (void)state;
    refuse(weft_reduction_of(WEFT_REDUCE_KINDS), "not a kind");
    refuse(weft_reduction_of((weft_reduction_kind)-1), "not a kind");
    accept(WEFT_SUM, 8);
    accept(WEFT_INT64_SUM, 8);
    accept(WEFT_MOMENTS, sizeof(weft_moments_value));
    accept(WEFT_EXTREMES, sizeof(weft_extremes_value));
}

static void test_covariances(void **state)
{
    (void)state;
    refuse(weft_covariance_of(0), "0 variables");
    refuse(weft_covariance_of(-1), "-1 variables");
    refuse(weft_covariance_of(INT64_C(1) << 40), "1 to 256");
    accept(weft_covariance_of(256), 8 * (1 + 256 + 256 * 256));
}

static void test_histograms(void **state)
{
    (void)state;
    const double good[] = {-(double)INFINITY, 0, 1, (double)INFINITY};
    const double same[] = {0, 1, 1};
    const double falling[] = {0, 2, 1};
    const double hole[] = {0, (double)NAN, 1};
    const double last[] = {0, (double)NAN};
    refuse(weft_histogram_of(2, same), "edge 2, 1, is not above");
    refuse(weft_histogram_of(2, falling), "edge 2, 1, is not above the one before it, 2");
    refuse(weft_histogram_of(2, hole), "edge 1 is not a number");
    refuse(weft_histogram_of(1, last), "edge 1 is not a number");
    refuse(weft_histogram_of(0, good), "0 bins");
    refuse(weft_histogram_of(2, NULL), "without edges");
    refuse(weft_histogram_of(INT64_C(1) << 40, good), "at most");
    refuse(weft_histogram_of(INT64_MAX, good), "at most");
    accept(weft_histogram_of(3, good), 8 * 6);
}

static void test_quantiles(void **state)
{
    (void)state;
    const double good[] = {0, 0.5, 1};
    const double bad[] = {0.5, 1.5};
    const double hole[] = {(double)NAN};
    refuse(weft_quantiles_of(0, 1, 2, 3, good), "relative error of 0;");
    refuse(weft_quantiles_of(0.6, 1, 2, 3, good), "relative error");
    refuse(weft_quantiles_of((double)NAN, 1, 2, 3, good), "relative error");
    refuse(weft_quantiles_of(0.01, 0, 2, 3, good), "magnitudes");
    refuse(weft_quantiles_of(0.01, 2, 2, 3, good), "magnitudes");
    refuse(weft_quantiles_of(0.01, 1, (double)INFINITY, 3, good), "magnitudes");
    refuse(weft_quantiles_of(0.01, (double)NAN, 1, 3, good), "magnitudes");
    refuse(weft_quantiles_of(0.01, 1, 2, 0, good), "0 probabilities");
    refuse(weft_quantiles_of(0.01, 1, 2, INT64_C(1) << 40, good), "1 to 1024");
    refuse(weft_quantiles_of(0.01, 1, 2, 3, NULL), "no address");
    refuse(weft_quantiles_of(0.01, 1, 2, 2, bad), "probability 1 is 1.5");
    refuse(weft_quantiles_of(0.01, 1, 2, 1, hole), "probability 0");
    accept(weft_quantiles_of(0.01, 1, 2, 3, good), 8 * 3);
    accept(weft_quantiles_of(0.0005, 0x1p-1022, 0x1.fffffffffffffp+1023, 3, good), 8 * 3);
}

static void add(void *accumulator, const void *next, void *context)
{
    int32_t a[2];
    int32_t b[2];
    memcpy(a, accumulator, sizeof a);
    memcpy(b, next, sizeof b);
    a[0] += b[0];
    a[1] = *(const int32_t *)context;
    memcpy(accumulator, a, sizeof a);
}

static void set_ones(void *accumulator, void *context)
{
    (void)context;
    memset(accumulator, 1, 8);
}

static void first_of(const void *accumulator, void *value, void *context)
{
    (void)context;
    memcpy(value, accumulator, 4);
}

static weft_reduction changed(weft_reducer *to, weft_reducer from)
{
    *to = from;
    return weft_reducer_of(to);
}

static void test_own_reducers(void **state)
{
    (void)state;
    const int64_t two = 2;
    const int64_t none = 0;
    const int64_t huge[] = {INT64_C(1) << 40, INT64_C(1) << 40};
    weft_reducer r;
    refuse(weft_reducer_of(NULL), "reducer is missing");
    refuse(changed(&r, (weft_reducer){.bytes = 8}), "function merge is missing");
    refuse(changed(&r, (weft_reducer){.bytes = 0, .merge = add}), "of 0 bytes");
    refuse(changed(&r, (weft_reducer){.bytes = -8, .merge = add}), "of -8 bytes");
    refuse(changed(&r, (weft_reducer){.bytes = INT64_C(1) << 40, .merge = add}),
           "of 1099511627776 bytes");
    refuse(changed(&r, (weft_reducer){.bytes = 8, .merge = add, .type = WEFT_TYPE_COUNT}),
           "not a type");
    refuse(changed(&r, (weft_reducer){.bytes = 8, .merge = add, .ndims = 1}), "shape");
    refuse(changed(&r, (weft_reducer){.bytes = 8, .merge = add, .ndims = 1, .shape = &none}),
           "shape");
    refuse(changed(&r, (weft_reducer){.bytes = 8, .merge = add, .ndims = 9, .shape = huge}),
           "shape");
    refuse(changed(&r, (weft_reducer){.bytes = 8, .merge = add, .ndims = 2, .shape = huge}),
           "shape");
    refuse(changed(&r, (weft_reducer){.bytes = 8, .merge = add, .type = WEFT_INT32}),
           "has 4 bytes and the accumulator 8");
    accept(changed(&r,
                   (weft_reducer){
                       .bytes = 8, .merge = add, .type = WEFT_INT32, .ndims = 1, .shape = &two}),
           8);
    accept(
        changed(&r,
                (weft_reducer){.bytes = 8, .merge = add, .finish = first_of, .type = WEFT_FLOAT32}),
        4);
}

/* What was lent for the description may be gone. */
static void test_a_copy_stands_by_itself(void **state)
{
    (void)state;
    error e;
    double edge[] = {0, 1};
    int64_t shape = 2;
    int32_t number = 5;
    weft_reducer own = {.bytes = 8,
                        .init = set_ones,
                        .merge = add,
                        .type = WEFT_INT32,
                        .ndims = 1,
                        .shape = &shape,
                        .context = &number};
    const weft_reduction lent[] = {weft_histogram_of(1, edge), weft_reducer_of(&own)};
    weft_reduction copy[2];
    for (int i = 0; i < 2; i++) {
        assert_int_equal(reduction_copy(&lent[i], &copy[i], &e), WEFT_OK);
    }
    edge[0] = edge[1] = (double)NAN;
    shape = 0;
    memset(&own, 0, sizeof own);
    int64_t memory[8];
    reduction_init(&copy[0], memory);
    weft_histogram_add((weft_histogram *)(void *)memory, 0.5);
    int64_t counts[4];
    assert_int_equal(reduction_finish(&copy[0], "x", memory, counts, &e), WEFT_OK);
    assert_int_equal(counts[0], 1);
    assert_int_equal(reduction_check(&copy[1], "x", &e), WEFT_OK);
    int32_t a[2];
    int32_t b[2];
    int32_t value[2];
    reduction_init(&copy[1], a);
    reduction_init(&copy[1], b);
    reduction_merge(&copy[1], a, b);
    assert_int_equal(reduction_finish(&copy[1], "x", a, value, &e), WEFT_OK);
    assert_int_equal(value[0], 0x02020202);
    assert_int_equal(value[1], 5);
    for (int i = 0; i < 2; i++) {
        reduction_clear(&copy[i]);
    }
}

static void test_fields_that_do_not_fit(void **state)
{
    (void)state;
    error e;
    weft_reduction r = WEFT_INT64_SUM;
    assert_int_equal(reduction_check_field(&r, "cost", WEFT_UINT64, 3, &e), WEFT_OK);
    assert_int_equal(reduction_check_field(&r, "cost", WEFT_FLOAT32, 1, &e), WEFT_ERR_USAGE);
    assert_non_null(strstr(e.text, "float32"));
    r = weft_covariance_of(3);
    assert_int_equal(reduction_check_field(&r, "cost", WEFT_INT8, 3, &e), WEFT_OK);
    assert_int_equal(reduction_check_field(&r, "cost", WEFT_FLOAT64, 2, &e), WEFT_ERR_USAGE);
    assert_non_null(strstr(e.text, "3 variables from a field of 2"));
    r = weft_reducer_of(NULL);
    assert_int_equal(reduction_check_field(&r, "cost", WEFT_FLOAT64, 1, &e), WEFT_ERR_USAGE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_kinds),
        cmocka_unit_test(test_covariances),
        cmocka_unit_test(test_histograms),
        cmocka_unit_test(test_quantiles),
        cmocka_unit_test(test_own_reducers),
        cmocka_unit_test(test_a_copy_stands_by_itself),
        cmocka_unit_test(test_fields_that_do_not_fit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
