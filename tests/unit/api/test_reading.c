/* SPDX-License-Identifier: BSD-3-Clause */
/* Tests that a complete map is read back: any items of any field, also of a map that was passed or
 * computed again; what has failed holds fill values; and what cannot be read is told. */
#include "fixture.h"

#include <math.h>
#include <signal.h>

enum { ITEMS = 1000, COLUMNS = 3, MOST_MAPS = 3 };

/* How the kernel behaves, and what it computes. */
typedef struct work {
    int64_t bad; /* an item that fails; -1: none */

    int map;
} work;

static double value_of(int map, int64_t item)
{
    return 100 * map + sqrt((double)item);
}

static int32_t column_of(int map, int64_t item, int column)
{
    return (int32_t)(item * 7 + column + 1000 * map);
}

static int compute(const weft_span *span, void *context)
{
    const work *w = context;
    double *value = weft_span_result(span, 0);
    int32_t *columns = weft_span_result(span, 1);
    for (int64_t i = 0; i < weft_span_count(span); i++) {
        const int64_t item = weft_span_first(span) + i;
        if (item == w->bad) {
            weft_span_fail(span, item, 3, "on purpose");
            continue;
        }
        value[i] = value_of(w->map, item);
        for (int c = 0; c < COLUMNS; c++) {
            columns[COLUMNS * i + c] = column_of(w->map, item, c);
        }
    }
    return 0;
}

static weft_map *describe(weft_session *session, const char *name, int64_t items)
{
    weft_map *map = NULL;
    const int64_t columns = COLUMNS;
    assert_int_equal(weft_map_create(session, name, 1, &items, &map), WEFT_OK);
    assert_int_equal(weft_map_add_field(map, "value", WEFT_FLOAT64, 0, NULL, NULL, NULL), WEFT_OK);
    assert_int_equal(weft_map_add_field(map, "columns", WEFT_INT32, 1, &columns, NULL, NULL),
                     WEFT_OK);
    assert_int_equal(weft_map_reduce_field(map, "value", WEFT_SUM, "total"), WEFT_OK);
    return map;
}

/* Reads all items in parts of one size, and compares them. */
static void check_all(weft_map *map, const work *w, int64_t part)
{
    static double value[ITEMS];
    static int32_t columns[ITEMS * COLUMNS];
    for (int64_t first = 0; first < ITEMS; first += part) {
        const int64_t count = ITEMS - first < part ? ITEMS - first : part;
        assert_int_equal(weft_map_read(map, "value", first, count, value + first), WEFT_OK);
        assert_int_equal(weft_map_read(map, "columns", first, count, columns + COLUMNS * first),
                         WEFT_OK);
    }
    for (int64_t item = 0; item < ITEMS; item++) {
        for (int c = 0; c < COLUMNS; c++) {
            assert_int_equal(columns[COLUMNS * item + c],
                             item == w->bad ? INT32_MIN : column_of(w->map, item, c));
        }
        assert_true(item == w->bad ? isnan(value[item]) : value[item] == value_of(w->map, item));
    }
}

static void test_any_items(void **state)
{
    (void)state;
    static const int64_t parts[] = {1, 7, 333, ITEMS};
    for (int threads = 0; threads < 4; threads++) {
        work w = {.bad = -1};
        const char *path = fixture_path();
        weft_session *session = fixture_session(path, threads, "--grain=13");
        weft_map *map = describe(session, "map", ITEMS);
        assert_int_equal(weft_map_run(map, compute, &w), WEFT_OK);
        for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++) {
            check_all(map, &w, parts[i]);
        }
        assert_int_equal(weft_map_read(map, "value", ITEMS, 0, NULL), WEFT_OK);
        weft_map_destroy(map);
        assert_int_equal(weft_finish(session, WEFT_OK), 0);
    }
}

/* Each in its place in the file, also those that were complete before. */
static void test_several_maps(void **state)
{
    (void)state;
    const char *path = fixture_path();
    for (int run = 0; run < 2; run++) {
        weft_map *map[MOST_MAPS];
        weft_session *session = fixture_session(path, 2, NULL);
        for (int i = 0; i < MOST_MAPS; i++) {
            char name[16];
            (void)snprintf(name, sizeof name, "map-%d", i);
            map[i] = describe(session, name, ITEMS);
        }
        for (int i = 0; i < MOST_MAPS; i++) {
            work w = {.bad = 17 * i, .map = i};
            assert_int_equal(weft_map_run(map[i], compute, &w), WEFT_ITEMS_FAILED);
            for (int k = 0; k <= i; k++) {
                check_all(map[k], &(work){.bad = 17 * k, .map = k}, 100);
            }
        }
        for (int i = 0; i < MOST_MAPS; i++) {
            weft_map_destroy(map[i]);
        }
        assert_int_equal(weft_finish(session, WEFT_OK), 0);
    }
}

/* What was read before is not kept. */
static void test_computed_again(void **state)
{
    (void)state;
    const char *path = fixture_path();
    work w = {.bad = 5};
    weft_session *session = fixture_session(path, 2, "--retry-failed");
    weft_map *map = describe(session, "map", ITEMS);
    assert_int_equal(weft_map_run(map, compute, &w), WEFT_ITEMS_FAILED);
    check_all(map, &w, ITEMS);
    w.bad = -1;
    assert_int_equal(weft_map_run(map, compute, &w), WEFT_OK);
    check_all(map, &w, ITEMS);
    weft_map_destroy(map);
    assert_int_equal(weft_finish(session, WEFT_OK), 0);
}

/* The error of a call, which is in the session. */
static void check_refused(weft_session *session, weft_status status, weft_status wanted,
                          const char *says)
{
    assert_int_equal(status, wanted);
    if (strstr(weft_error_text(session), says) == NULL) {
        fail_msg("'%s' is not in: %s", says, weft_error_text(session));
    }
}

static int stop_at_once(const weft_span *span, void *context)
{
    (void)span;
    (void)context;
    (void)raise(SIGTERM);
    return 1;
}

static void test_refusals(void **state)
{
    (void)state;
    const char *path = fixture_path();
    work w = {.bad = -1};
    double value[4] = {1, 2, 3, 4};
    weft_session *session = fixture_session(path, 1, "--grain=10");
    weft_map *map = describe(session, "map", ITEMS);
    check_refused(session, weft_map_read(map, "value", 0, 1, value), WEFT_ERR_USAGE,
                  "field 'value' of map 'map' cannot be read before weft_map_run()");
    assert_int_equal(weft_map_run(map, compute, &w), WEFT_OK);
    static const int64_t wrong[][2] = {{-1, 1},        {0, -1},        {0, ITEMS + 1},
                                       {ITEMS, 1},     {ITEMS + 1, 0}, {INT64_MAX, INT64_MAX},
                                       {1, INT64_MAX}, {INT64_MIN, 1}, {0, INT64_MIN}};
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        check_refused(session, weft_map_read(map, "value", wrong[i][0], wrong[i][1], value),
                      WEFT_ERR_USAGE, "the map has 1000");
    }
    check_refused(session, weft_map_read(map, "none", 0, 1, value), WEFT_ERR_NOT_FOUND,
                  "map 'map' has no field 'none'");
    check_refused(session, weft_map_read(map, NULL, 0, 1, value), WEFT_ERR_NOT_FOUND,
                  "has no field ''");
    check_refused(session, weft_map_read(map, "total", 0, 1, value), WEFT_ERR_NOT_FOUND,
                  "a reduction of that name");
    assert_true(value[0] == 1 && value[1] == 2);
    assert_int_equal(weft_map_read(map, "value", 3, 1, value), WEFT_OK);
    assert_string_equal(weft_error_text(session), "");
    assert_true(value[0] == value_of(0, 3) && value[1] == 2);
    weft_map_destroy(map);
    assert_int_equal(weft_finish(session, WEFT_OK), 0);
}

static void test_a_map_that_was_stopped(void **state)
{
    (void)state;
    double value = 0;
    weft_session *session = fixture_session(fixture_path(), 1, "--grain=10");
    weft_map *map = describe(session, "map", ITEMS);
    assert_int_equal(weft_map_run(map, stop_at_once, NULL), WEFT_STOPPED);
    check_refused(session, weft_map_read(map, "value", 0, 1, &value), WEFT_STOPPED,
                  "stopped with 0 of 1000 items done");
    weft_map_destroy(map);
    assert_int_equal(weft_finish(session, WEFT_STOPPED), 75);
}

/* Where the file was there is another one, or none. */
static void test_another_file(void **state)
{
    (void)state;
    char path[FIXTURE_PATH_BYTES];
    (void)snprintf(path, sizeof path, "%s", fixture_path());
    for (int there = 0; there < 2; there++) {
        work w = {.bad = -1};
        double value = 0;
        weft_session *session = fixture_session(path, 1, "--fresh");
        weft_map *map = describe(session, "map", ITEMS);
        assert_int_equal(weft_map_run(map, compute, &w), WEFT_OK);
        const char *other = fixture_path();
        assert_int_equal(rename(path, other), 0);
        if (there) {
            FILE *file = fopen(path, "w");
            assert_non_null(file);
            assert_int_equal(fclose(file), 0);
        }
        check_refused(session, weft_map_read(map, "value", 0, 1, &value),
                      there ? WEFT_ERR_OTHER_JOB : WEFT_ERR_SYSTEM, strrchr(path, '/'));
        assert_int_equal(rename(other, path), 0);
        check_all(map, &w, ITEMS);
        weft_map_destroy(map);
        assert_int_equal(weft_finish(session, WEFT_OK), 0);
    }
}

static void test_nothing(void **state)
{
    (void)state;
    work w = {.bad = -1};
    weft_session *session = fixture_session(fixture_path(), 1, NULL);
    weft_map *map = describe(session, "map", 0);
    assert_int_equal(weft_map_run(map, compute, &w), WEFT_OK);
    assert_int_equal(weft_map_read(map, "value", 0, 0, NULL), WEFT_OK);
    double value = 0;
    check_refused(session, weft_map_read(map, "value", 0, 1, &value), WEFT_ERR_USAGE,
                  "the map has 0");
    weft_map_destroy(map);
    assert_int_equal(weft_finish(session, WEFT_OK), 0);
}

static int draw(const weft_span *span, void *context)
{
    (void)context;
    double *value = weft_span_result(span, 0);
    for (int64_t i = 0; i < weft_span_count(span); i++) {
        weft_random random = weft_span_random(span, weft_span_first(span) + i, 2);
        value[i] = weft_random_double(&random);
    }
    return 0;
}

/* What kernels draw can be drawn again outside. */
static void test_seed(void **state)
{
    (void)state;
    static const char *const said[] = {"--seed=0", "--seed=12345678901234", NULL};
    static const uint64_t seeds[] = {0, UINT64_C(12345678901234), 0};
    for (int i = 0; i < 3; i++) {
        double value = 0;
        weft_session *session = fixture_session(fixture_path(), 1, said[i]);
        assert_true(weft_session_seed(session) == seeds[i]);
        weft_map *map = describe(session, "map", ITEMS);
        assert_int_equal(weft_map_run(map, draw, NULL), WEFT_OK);
        assert_int_equal(weft_map_read(map, "value", 717, 1, &value), WEFT_OK);
        weft_random random;
        weft_random_init(&random, weft_session_seed(session), 2, 717);
        assert_true(value == weft_random_double(&random));
        weft_map_destroy(map);
        assert_int_equal(weft_finish(session, WEFT_OK), 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_any_items),
        cmocka_unit_test(test_several_maps),
        cmocka_unit_test(test_computed_again),
        cmocka_unit_test(test_refusals),
        cmocka_unit_test(test_a_map_that_was_stopped),
        cmocka_unit_test(test_another_file),
        cmocka_unit_test(test_nothing),
        cmocka_unit_test(test_seed),
    };
    return cmocka_run_group_tests(tests, fixture_begin, fixture_end);
}
