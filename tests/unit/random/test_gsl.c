/* SPDX-License-Identifier: BSD-3-Clause */
/* Tests the adapter that lets GSL draw from a stream. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <gsl/gsl_randist.h>
#include <limits.h>
#include <math.h>
#include <weft/gsl.h>

static weft_random stream_of_item(uint64_t item)
{
    weft_random random;
    weft_random_init(&random, 42, 7, item);
    return random;
}

static void test_numbers_are_the_streams(void **state)
{
    (void)state;
    weft_random direct = stream_of_item(5);
    weft_random random = stream_of_item(5);
    gsl_rng rng = weft_gsl_rng(&random);
    for (int i = 0; i < 1000; i++) {
        assert_true(gsl_rng_get(&rng) == weft_random_u64(&direct));
        assert_true(gsl_rng_uniform(&rng) == weft_random_double(&direct));
    }
    /* The generator has no position of its own: draws by GSL and by weft take turns. */
    assert_int_equal(weft_random_u64(&random), weft_random_u64(&direct));
    assert_true(gsl_rng_get(&rng) == weft_random_u64(&direct));
}

static void test_range_is_all_values(void **state)
{
    (void)state;
    weft_random random = stream_of_item(0);
    gsl_rng rng = weft_gsl_rng(&random);
    assert_true(gsl_rng_min(&rng) == 0);
    assert_true(gsl_rng_max(&rng) == ULONG_MAX);
    assert_int_equal(gsl_rng_size(&rng), sizeof(weft_random));
    assert_ptr_equal(gsl_rng_state(&rng), &random);
    assert_string_equal(gsl_rng_name(&rng), "weft-philox4x64-10");
    for (int i = 0; i < 1000; i++) {
        assert_true(gsl_rng_uniform_int(&rng, 10) < 10);
    }
}

static void test_set_takes_another_seed(void **state)
{
    (void)state;
    weft_random random = stream_of_item(5);
    gsl_rng rng = weft_gsl_rng(&random);
    (void)gsl_rng_get(&rng);
    gsl_rng_set(&rng, 43);
    weft_random direct;
    weft_random_init(&direct, 43, 7, 5);
    for (int i = 0; i < 10; i++) {
        assert_true(gsl_rng_get(&rng) == weft_random_u64(&direct));
    }
}

static void test_clone_goes_its_own_way(void **state)
{
    (void)state;
    weft_random random = stream_of_item(5);
    gsl_rng rng = weft_gsl_rng(&random);
    (void)gsl_rng_get(&rng);
    gsl_rng *clone = gsl_rng_clone(&rng);
    assert_non_null(clone);
    unsigned long first = gsl_rng_get(clone);
    unsigned long second = gsl_rng_get(clone);
    gsl_rng_free(clone);
    assert_true(gsl_rng_get(&rng) == first);
    assert_true(gsl_rng_get(&rng) == second);
}

static void test_allocated_generator_is_seeded(void **state)
{
    (void)state;
    gsl_rng *rng = gsl_rng_alloc(weft_gsl_type());
    assert_non_null(rng);
    gsl_rng_set(rng, 42);
    unsigned long first = gsl_rng_get(rng);
    gsl_rng_free(rng);
    weft_random direct;
    weft_random_init(&direct, 42, 0, 0);
    assert_true(first == weft_random_u64(&direct));
}

/* One generator per item, as a kernel makes them. The bounds are about five standard errors. */
static void test_distributions(void **state)
{
    (void)state;
    enum { ITEMS = 20000 };
    double gaussian = 0;
    double square = 0;
    double gamma = 0;
    double poisson = 0;
    for (uint64_t item = 0; item < ITEMS; item++) {
        weft_random random = stream_of_item(item);
        gsl_rng rng = weft_gsl_rng(&random);
        double x = gsl_ran_gaussian_ziggurat(&rng, 1);
        gaussian += x / ITEMS;
        square += x * x / ITEMS;
        gamma += gsl_ran_gamma(&rng, 3, 2) / ITEMS;
        poisson += (double)gsl_ran_poisson(&rng, 20) / ITEMS;
    }
    assert_true(fabs(gaussian) < 0.036);
    assert_true(fabs(square - 1) < 0.05);
    assert_true(fabs(gamma - 6) < 0.13);
    assert_true(fabs(poisson - 20) < 0.16);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_numbers_are_the_streams),
        cmocka_unit_test(test_range_is_all_values),
        cmocka_unit_test(test_set_takes_another_seed),
        cmocka_unit_test(test_clone_goes_its_own_way),
        cmocka_unit_test(test_allocated_generator_is_seeded),
        cmocka_unit_test(test_distributions),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
