/* SPDX-License-Identifier: BSD-3-Clause */
/* Tests that a program may describe its maps without a look at what each call returns: the first
 * error stays with the map, or the session, and is what the run and the program end with. */
#include "fixture.h"

#include <stdatomic.h>

static int compute(const weft_span *span, void *context)
{
    atomic_int *items = context;
    double *value = weft_span_double(span, "value");
    for (int64_t i = 0; i < weft_span_count(span); i++) {
        value[i] = (double)(weft_span_first(span) + i);
    }
    (void)atomic_fetch_add(items, (int)weft_span_count(span));
    return 0;
}

static void check_text(const weft_session *session, const char *says)
{
    if (strstr(weft_error_text(session), says) == NULL) {
        fail_msg("'%s' does not say '%s'", weft_error_text(session), says);
    }
}

/* Every call that describes, with something that is wrong. */
static void add_twice(weft_map *map)
{
    weft_map_add_field(map, "value", WEFT_FLOAT64, 0, NULL, NULL, NULL);
}

static void set_no_out(weft_map *map)
{
    weft_map_set_out(map, "");
}

static void set_wrong_dimension(weft_map *map)
{
    weft_map_set_dimension(map, 1, "x", NULL, NULL);
}

static void set_fill_of_none(weft_map *map)
{
    weft_map_set_fill(map, "none", &(double){0});
}

static void add_field_as_reduction(weft_map *map)
{
    weft_map_add_reduction(map, "value", WEFT_SUM);
}

static void reduce_none(weft_map *map)
{
    weft_map_reduce_field(map, "none", WEFT_SUM, "sum");
}

static void add_integer_seed(weft_map *map)
{
    weft_map_add_int64(map, "seed", 1);
}

static void add_number_seed(weft_map *map)
{
    weft_map_add_double(map, "seed", 1);
}

static void add_no_text(weft_map *map)
{
    weft_map_add_string(map, "text", NULL);
}

static void set_no_grain(weft_map *map)
{
    weft_map_set_grain(map, -1);
}

static void set_no_span(weft_map *map)
{
    weft_map_set_span_limit(map, -1);
}

static void set_odd_isolation(weft_map *map)
{
    weft_map_set_isolation(map, (weft_isolation)7);
}

static void need_nothing(weft_map *map)
{
    weft_map_needs(map, NULL);
}

static const struct {
    void (*describe)(weft_map *map);
    const char *says;
} mistakes[] = {{add_twice, "'value'"},
                {set_no_out, "the path is empty"},
                {set_wrong_dimension, "no dimension 1"},
                {set_fill_of_none, "'none'"},
                {add_field_as_reduction, "has a field 'value' already"},
                {reduce_none, "no field 'none'"},
                {add_integer_seed, "'seed'"},
                {add_number_seed, "'seed'"},
                {add_no_text, "'text'"},
                {set_no_grain, "a grain of -1"},
                {set_no_span, "a span of -1"},
                {set_odd_isolation, "isolation 7"},
                {need_nothing, "NULL is given"}};

enum { MISTAKES = sizeof mistakes / sizeof mistakes[0] };

/* What is right after it does not make it good. */
static weft_map *describe(weft_session *session, int mistake)
{
    weft_map *map = NULL;
    weft_map_create(session, "map", 1, (int64_t[]){10}, &map);
    weft_map_add_field(map, "value", WEFT_FLOAT64, 0, NULL, NULL, NULL);
    mistakes[mistake].describe(map);
    weft_map_add_int64(map, "steps", 5);
    return map;
}

static void test_a_description_keeps_its_first_error(void **state)
{
    (void)state;
    for (int i = 0; i < MISTAKES; i++) {
        const char *path = fixture_path();
        atomic_int items = 0;
        double value = 0;
        weft_session *session = fixture_session(path, 1, NULL);
        weft_map *map = describe(session, i);
        mistakes[(i + 1) % MISTAKES].describe(map);
        assert_int_equal(weft_map_run(map, compute, &items), WEFT_ERR_USAGE);
        check_text(session, mistakes[i].says);
        assert_int_equal(weft_map_read(map, "value", 0, 1, &value), WEFT_ERR_USAGE);
        check_text(session, mistakes[i].says);
        assert_int_equal(weft_map_get(map, "value", &value), WEFT_ERR_USAGE);
        check_text(session, mistakes[i].says);
        assert_int_equal(weft_map_start(map, compute, &items), WEFT_ERR_USAGE);
        assert_int_equal(weft_map_wait(map, WEFT_FOREVER), WEFT_ERR_USAGE);
        check_text(session, mistakes[i].says);
        assert_int_equal(items, 0);
        assert_int_not_equal(access(path, F_OK), 0);
        assert_int_equal(weft_finish(session, WEFT_OK), 2);
    }
}

/* Nobody has run it, or looked at anything. */
static void test_an_error_is_told_at_the_end(void **state)
{
    (void)state;
    weft_session *session = fixture_session(fixture_path(), 1, NULL);
    (void)describe(session, 0);
    assert_int_equal(weft_finish(session, WEFT_OK), 2);
    session = fixture_session(fixture_path(), 1, NULL);
    weft_map_destroy(describe(session, 0)); /* given up */
    assert_int_equal(weft_finish(session, WEFT_OK), 0);
}

static void test_a_map_that_cannot_be_created(void **state)
{
    (void)state;
    atomic_int items = 0;
    weft_session *session = fixture_session(fixture_path(), 1, NULL);
    weft_map *map = NULL, *again = NULL, *other = NULL;
    weft_map_create(session, "a b", 1, (int64_t[]){10}, &map);
    weft_map_create(session, "c", 0, NULL, &again);
    weft_map_create(session, "other", 1, (int64_t[]){10}, &other);
    weft_map_add_field(map, "value", WEFT_FLOAT64, 0, NULL, NULL, NULL);
    weft_map_set_dimension(map, 1, "x", NULL, NULL);
    weft_map_add_field(other, "value", WEFT_FLOAT64, 0, NULL, NULL, NULL);
    assert_int_equal(weft_map_run(map, compute, &items), WEFT_ERR_USAGE);
    check_text(session, "map 'a b': a name has");
    /* The file would lack them for good. */
    assert_int_equal(weft_map_run(other, compute, &items), WEFT_ERR_USAGE);
    check_text(session, "would hold a map whose description has failed: map 'a b': a name has");
    assert_int_equal(items, 0);
    weft_map_destroy(map);
    weft_map_destroy(again);
    assert_int_equal(weft_map_run(other, compute, &items), WEFT_OK);
    assert_int_equal(items, 10);
    assert_int_equal(weft_finish(session, WEFT_OK), 0);
}

/* Without a session there is no map, and items that get none do nothing. */
static int go_on(weft_session *session)
{
    weft_map *map = (weft_map *)&session;
    weft_progress progress = {.items = 5};
    double value = 5;
    weft_map_create(session, "map", 1, (int64_t[]){10}, &map);
    assert_null(map);
    for (int i = 0; i < MISTAKES; i++) {
        mistakes[i].describe(map);
    }
    weft_map_set_pure(map, false);
    assert_int_equal(weft_map_run(map, compute, NULL), WEFT_ERR_USAGE);
    assert_int_equal(weft_map_start(map, compute, NULL), WEFT_ERR_USAGE);
    assert_int_equal(weft_map_wait(map, WEFT_FOREVER), WEFT_ERR_USAGE);
    assert_int_equal(weft_map_cancel(map), WEFT_ERR_USAGE);
    assert_int_equal(weft_map_get(map, "value", &value), WEFT_ERR_USAGE);
    assert_int_equal(weft_map_read(map, "value", 0, 1, &value), WEFT_ERR_USAGE);
    assert_true(value == 5);
    assert_true(weft_map_test(map));
    weft_map_progress(map, &progress);
    assert_int_equal(progress.items, 0);
    assert_string_equal(weft_map_path(map), "");
    assert_int_equal(weft_session_rank(session), 0);
    assert_int_equal(weft_session_ranks(session), 1);
    assert_int_equal(weft_session_workers(session), 0);
    assert_int_equal(weft_session_seed(session), 0);
    return weft_finish(session, weft_map_run(map, compute, NULL));
}

static void test_a_session_that_cannot_be_opened(void **state)
{
    (void)state;
    static const char *const words[][2] = {{"--help", NULL}, {"--threads=many", NULL}};
    static const weft_status status[] = {WEFT_HELP_SHOWN, WEFT_ERR_USAGE};
    int argc = 0;
    char **argv = NULL;
    for (int i = 0; i < 2; i++) {
        weft_session *session = NULL;
        assert_int_equal(fixture_open(words[i], NULL, &argc, &argv, &session), status[i]);
        assert_int_equal(weft_agree(session, WEFT_OK), status[i]);
        assert_int_equal(go_on(session), weft_status_exit(status[i]));
    }
    /* There was no memory for one. */
    assert_int_equal(weft_agree(NULL, WEFT_OK), WEFT_ERR_MEMORY);
    assert_int_equal(weft_error(NULL, WEFT_ERR_USAGE, "%d", 1), WEFT_ERR_USAGE);
    assert_int_equal(go_on(NULL), 2);
}

/* What a map came to is what its readers are told, and maps need not be destroyed. */
static void test_a_map_that_has_failed(void **state)
{
    (void)state;
    atomic_int items = 0;
    double value = 5;
    weft_session *session = fixture_session("/proc/none.h5", 1, NULL);
    weft_map *map = NULL, *later = NULL;
    weft_map_create(session, "map", 1, (int64_t[]){10}, &map);
    weft_map_add_field(map, "value", WEFT_FLOAT64, 0, NULL, NULL, NULL);
    weft_map_reduce_field(map, "value", WEFT_SUM, "sum");
    weft_map_create(session, "later", 1, (int64_t[]){10}, &later);
    weft_map_add_field(later, "value", WEFT_FLOAT64, 0, NULL, NULL, NULL);
    weft_map_needs(later, map);
    const weft_status status = weft_map_run(map, compute, &items);
    assert_int_not_equal(status, WEFT_OK);
    assert_int_equal(weft_map_get(map, "sum", &value), status);
    check_text(session, "/proc/none.h5");
    assert_int_equal(weft_map_read(map, "value", 0, 1, &value), status);
    check_text(session, "/proc/none.h5");
    assert_true(value == 5);
    assert_int_not_equal(weft_map_run(later, compute, &items), WEFT_OK);
    assert_int_equal(items, 0);
    assert_int_equal(weft_finish(session, status), weft_status_exit(status));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_description_keeps_its_first_error),
        cmocka_unit_test(test_an_error_is_told_at_the_end),
        cmocka_unit_test(test_a_map_that_cannot_be_created),
        cmocka_unit_test(test_a_session_that_cannot_be_opened),
        cmocka_unit_test(test_a_map_that_has_failed),
    };
    return cmocka_run_group_tests(tests, fixture_begin, fixture_end);
}
