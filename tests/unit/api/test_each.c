/* SPDX-License-Identifier: BSD-3-Clause */
/* Tests maps that a function of one item computes: each value is in its place, with the bits that a
 * kernel would have given it; what has no place is refused. */
#include "fixture.h"

#include <math.h>

enum { ITEMS = 1000 };

static const double offset = 0.25;

static double draw(int64_t item, weft_random *random, void *context)
{
    const double *added = context;
    return (double)item + weft_random_double(random) + *added;
}

static double expected(int64_t item)
{
    weft_random random;
    weft_random_init(&random, 0, 0, (uint64_t)item);
    return draw(item, &random, (void *)(uintptr_t)&offset);
}

static weft_map *describe(weft_session *session, weft_type type)
{
    weft_map *map = NULL;
    weft_map_create(session, "map", 1, (int64_t[]){ITEMS}, &map);
    weft_map_add_field(map, "value", type, 0, NULL, NULL, NULL);
    return map;
}

static void test_a_field(void **state)
{
    (void)state;
    for (int threads = 0; threads < 3; threads++) {
        double value[ITEMS];
        weft_session *session = fixture_session(fixture_path(), threads, "--grain=7");
        weft_map *map = describe(session, WEFT_FLOAT64);
        assert_int_equal(weft_map_start_each(map, draw, (void *)(uintptr_t)&offset), WEFT_OK);
        assert_int_equal(weft_map_wait(map, WEFT_FOREVER), WEFT_OK);
        assert_int_equal(weft_map_read(map, "value", 0, ITEMS, value), WEFT_OK);
        for (int64_t i = 0; i < ITEMS; i++) {
            assert_true(value[i] == expected(i));
        }
        assert_int_equal(weft_finish(session, WEFT_OK), 0);
    }
}

/* More items than are put away at once, in one tile. */
static void test_reductions(void **state)
{
    (void)state;
    static const char *const grain[] = {"--grain=1000", "--grain=13"};
    for (int g = 0; g < 2; g++) {
        double sum = 0;
        weft_extremes_value extremes;
        weft_moments_value moments;
        weft_reduction how = WEFT_SUM;
        weft_sum *exact = malloc((size_t)weft_reduction_bytes(&how));
        assert_non_null(exact);
        assert_int_equal(weft_reduction_init(&how, exact), WEFT_OK);
        for (int64_t i = 0; i < ITEMS; i++) {
            weft_sum_add(exact, expected(i));
        }
        double right = 0;
        assert_int_equal(weft_reduction_finish(&how, exact, &right), WEFT_OK);
        free(exact);
        weft_session *session = fixture_session(fixture_path(), 2, grain[g]);
        weft_map *map = NULL;
        weft_map_create(session, "map", 1, (int64_t[]){ITEMS}, &map);
        weft_map_add_reduction(map, "sum", WEFT_SUM);
        weft_map_add_reduction(map, "extremes", WEFT_EXTREMES);
        weft_map_add_reduction(map, "moments", WEFT_MOMENTS);
        assert_int_equal(weft_map_run_each(map, draw, (void *)(uintptr_t)&offset), WEFT_OK);
        assert_int_equal(weft_map_get(map, "sum", &sum), WEFT_OK);
        assert_int_equal(weft_map_get(map, "extremes", &extremes), WEFT_OK);
        assert_int_equal(weft_map_get(map, "moments", &moments), WEFT_OK);
        assert_true(sum == right);
        assert_true(extremes.maximum_item == ITEMS - 1 && extremes.minimum == expected(0));
        assert_true(moments.count == ITEMS);
        assert_true(fabs(moments.mean - right / ITEMS) < 1e-9);
        assert_int_equal(weft_finish(session, WEFT_OK), 0);
    }
}

static double steep(int64_t item, weft_random *random, void *context)
{
    (void)random;
    (void)context;
    return item == 3 ? (double)NAN : (double)(item - 200) * 0.75;
}

/* Fractions are cut off; what has no room in the type has failed. */
static void test_integers(void **state)
{
    (void)state;
    int8_t value[ITEMS];
    weft_session *session = fixture_session(fixture_path(), 1, NULL);
    weft_map *map = describe(session, WEFT_INT8);
    assert_int_equal(weft_map_run_each(map, steep, NULL), WEFT_ITEMS_FAILED);
    assert_int_equal(weft_map_read(map, "value", 0, ITEMS, value), WEFT_OK);
    for (int64_t i = 0; i < ITEMS; i++) {
        const double cut = trunc(steep(i, NULL, NULL));
        const bool fits = cut >= -128 && cut <= 127;
        assert_int_equal(value[i], fits ? (int)cut : INT8_MIN);
    }
    assert_int_equal(weft_finish(session, WEFT_ITEMS_FAILED), 3);
}

static void check_refused(weft_session *session, weft_map *map, const char *says)
{
    assert_int_equal(weft_map_run_each(map, steep, NULL), WEFT_ERR_USAGE);
    if (strstr(weft_error_text(session), says) == NULL) {
        fail_msg("'%s' does not say '%s'", weft_error_text(session), says);
    }
    weft_map_destroy(map);
}

static void test_no_place(void **state)
{
    (void)state;
    weft_session *session = fixture_session(fixture_path(), 1, NULL);
    weft_map *map = describe(session, WEFT_FLOAT64);
    weft_map_add_field(map, "second", WEFT_FLOAT64, 0, NULL, NULL, NULL);
    check_refused(session, map, "map 'map' has no single place for the value of an item");
    map = describe(session, WEFT_FLOAT64);
    weft_map_add_reduction(map, "sum", WEFT_SUM);
    check_refused(session, map, "no single place");
    weft_map_create(session, "map", 1, (int64_t[]){ITEMS}, &map);
    weft_map_add_field(map, "pair", WEFT_FLOAT64, 1, (int64_t[]){2}, NULL, NULL);
    check_refused(session, map, "no single place");
    weft_map_create(session, "map", 1, (int64_t[]){ITEMS}, &map);
    weft_map_add_reduction(map, "sum", WEFT_INT64_SUM);
    check_refused(session, map, "'sum'");
    map = describe(session, WEFT_FLOAT64);
    assert_int_equal(weft_map_run_each(map, NULL, NULL), WEFT_ERR_USAGE);
    assert_non_null(strstr(weft_error_text(session), "has no kernel"));
    assert_int_equal(weft_finish(session, WEFT_OK), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_field),
        cmocka_unit_test(test_reductions),
        cmocka_unit_test(test_integers),
        cmocka_unit_test(test_no_place),
    };
    return cmocka_run_group_tests(tests, fixture_begin, fixture_end);
}
