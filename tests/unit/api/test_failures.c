/* SPDX-License-Identifier: BSD-3-Clause */
/* Tests items that fail: only they are marked, they hold their fields' fill values, they are
 * listed, and --retry-failed computes them again and nothing else. */
#include "fixture.h"

#include <math.h>
#include <stdatomic.h>

enum { ITEMS = 500, GRAIN = 7 };

/* Of failures, for so small a result. */
enum { TABLE_ROWS = 353 };

/* Which items fail, and how. */
typedef enum manner { MANNER_RETURN, MANNER_SAY, MANNER_BOTH } manner;

typedef struct trouble {
    manner manner;
    int every; /* every so-many-th item fails; 0: none */
    atomic_int calls[ITEMS];
    atomic_int multiple; /* calls with several items */
} trouble;

static bool fails(const trouble *t, int64_t item)
{
    return t->every > 0 && item % t->every == 3 % t->every;
}

static int code_of(int64_t item)
{
    return (int)(item % 50) + 1;
}

#define WRITE_FIELD(number, ctype)                              \
    do {                                                        \
        ctype *to = weft_span_result(span, number);             \
        for (int64_t i = 0; i < weft_span_count(span); i++) {   \
            to[i] = (ctype)((weft_span_first(span) + i) % 100); \
        }                                                       \
    } while (0)

static int fail_some(const weft_span *span, void *context)
{
    trouble *t = context;
    int code = 0;
    if (weft_span_count(span) > 1) {
        atomic_fetch_add(&t->multiple, 1);
    }
    WRITE_FIELD(WEFT_INT8, int8_t);
    WRITE_FIELD(WEFT_INT16, int16_t);
    WRITE_FIELD(WEFT_INT32, int32_t);
    WRITE_FIELD(WEFT_INT64, int64_t);
    WRITE_FIELD(WEFT_UINT8, uint8_t);
    WRITE_FIELD(WEFT_UINT16, uint16_t);
    WRITE_FIELD(WEFT_UINT32, uint32_t);
    WRITE_FIELD(WEFT_UINT64, uint64_t);
    WRITE_FIELD(WEFT_FLOAT32, float);
    WRITE_FIELD(WEFT_FLOAT64, double);
    WRITE_FIELD(WEFT_LONG_DOUBLE, long double);
    for (int64_t i = 0; i < weft_span_count(span); i++) {
        const int64_t item = weft_span_first(span) + i;
        atomic_fetch_add(&t->calls[item], 1);
        if (!fails(t, item)) {
            continue;
        }
        if (t->manner == MANNER_SAY || (t->manner == MANNER_BOTH && item % 2 == 0)) {
            char text[64];
            (void)snprintf(text, sizeof text, "item %d is bad", (int)item);
            weft_span_fail(span, item, code_of(item), text);
            weft_span_fail(span, item, 99, "said twice");
        } else {
            code = code_of(item);
        }
    }
    return code;
}

static weft_map *make_map(weft_session *session)
{
    weft_map *map = NULL;
    assert_int_equal(weft_map_create(session, "trouble", 1, (int64_t[]){ITEMS}, &map), WEFT_OK);
    for (int type = 0; type < (int)WEFT_TYPE_COUNT; type++) {
        assert_int_equal(weft_map_add_field(map,
                                            weft_type_name((weft_type)type)[0] == 'l'
                                                ? "long-double"
                                                : weft_type_name((weft_type)type),
                                            (weft_type)type, 0, NULL, NULL, NULL),
                         WEFT_OK);
    }
    assert_int_equal(weft_map_set_grain(map, GRAIN), WEFT_OK);
    return map;
}

static weft_status run_once(const char *path, trouble *t, int threads, const char *more)
{
    weft_session *session = fixture_session(path, threads, more);
    weft_map *map = make_map(session);
    const weft_status status = weft_map_run(map, fail_some, t);
    weft_map_destroy(map);
    assert_int_equal(weft_finish(session, status), status == WEFT_OK ? 0 : 3);
    return status;
}

static int64_t count_failing(const trouble *t)
{
    int64_t count = 0;
    for (int64_t item = 0; item < ITEMS; item++) {
        count += fails(t, item);
    }
    return count;
}

/* Reads a field of a type, and checks all its values against the item's number, or the fill. */
#define CHECK_FIELD(number, ctype, is_fill)                                         \
    do {                                                                            \
        static ctype values[ITEMS];                                                 \
        assert_int_equal(weft_result_read(r, number, 0, ITEMS, values), WEFT_OK);   \
        for (int64_t item = 0; item < ITEMS; item++) {                              \
            const ctype value = values[item];                                       \
            assert_true(fails(t, item) ? (is_fill) : value == (ctype)(item % 100)); \
        }                                                                           \
    } while (0)

static void check_values(weft_result *r, const trouble *t)
{
    CHECK_FIELD(WEFT_INT8, int8_t, value == INT8_MIN);
    CHECK_FIELD(WEFT_INT16, int16_t, value == INT16_MIN);
    CHECK_FIELD(WEFT_INT32, int32_t, value == INT32_MIN);
    CHECK_FIELD(WEFT_INT64, int64_t, value == INT64_MIN);
    CHECK_FIELD(WEFT_UINT8, uint8_t, value == 0);
    CHECK_FIELD(WEFT_UINT16, uint16_t, value == 0);
    CHECK_FIELD(WEFT_UINT32, uint32_t, value == 0);
    CHECK_FIELD(WEFT_UINT64, uint64_t, value == 0);
    CHECK_FIELD(WEFT_FLOAT32, float, isnan(value));
    CHECK_FIELD(WEFT_FLOAT64, double, isnan(value));
    CHECK_FIELD(WEFT_LONG_DOUBLE, long double, isnan(value));
}

static void check_table(weft_result *r, const trouble *t, int64_t rows)
{
    bool seen[ITEMS] = {false};
    for (int64_t row = 0; row < rows; row++) {
        weft_result_failure failure;
        assert_int_equal(weft_result_get_failure(r, row, &failure), WEFT_OK);
        assert_in_range(failure.item, 0, ITEMS - 1);
        assert_true(fails(t, failure.item));
        assert_false(seen[failure.item]);
        seen[failure.item] = true;
        assert_int_equal(failure.code, code_of(failure.item));
        char text[64] = "";
        if (t->manner == MANNER_SAY || (t->manner == MANNER_BOTH && failure.item % 2 == 0)) {
            (void)snprintf(text, sizeof text, "item %d is bad", (int)failure.item);
        }
        assert_string_equal(failure.text, text);
    }
}

static void check_result(const char *path, const trouble *t)
{
    weft_result *r = NULL;
    weft_result_progress p;
    assert_int_equal(weft_result_open(path, &r), WEFT_OK);
    check_values(r, t);
    assert_int_equal(weft_result_get_progress(r, &p), WEFT_OK);
    assert_int_equal(p.items_done, ITEMS);
    assert_int_equal(p.items_failed, count_failing(t));
    assert_int_equal(p.failures, count_failing(t) < TABLE_ROWS ? count_failing(t) : TABLE_ROWS);
    check_table(r, t, p.failures);
    int64_t verified = 0;
    int64_t bad = 0;
    assert_int_equal(weft_result_verify(r, NULL, NULL, &verified, &bad), WEFT_OK);
    weft_result_close(r);
}

static void test_only_those_are_marked(void **state)
{
    (void)state;
    static trouble t;
    static const int threads[] = {0, 1, 3};
    for (int m = 0; m < 3; m++) {
        for (int i = 0; i < 3; i++) {
            const char *path = fixture_path();
            memset(&t, 0, sizeof t);
            t.manner = (manner)m;
            t.every = 11;
            assert_int_equal(run_once(path, &t, threads[i], NULL), WEFT_ITEMS_FAILED);
            assert_true(atomic_load(&t.multiple) > 0);
            check_result(path, &t);
        }
    }
}

static void test_all_fail(void **state)
{
    (void)state;
    static trouble t;
    const char *path = fixture_path();
    memset(&t, 0, sizeof t);
    t.every = 1;
    assert_int_equal(run_once(path, &t, 2, NULL), WEFT_ITEMS_FAILED);
    check_result(path, &t);
}

static void clear_calls(trouble *t)
{
    for (int64_t item = 0; item < ITEMS; item++) {
        atomic_store(&t->calls[item], 0);
    }
}

static void test_retry(void **state)
{
    (void)state;
    static trouble t;
    for (int m = 0; m < 3; m++) {
        const char *path = fixture_path();
        memset(&t, 0, sizeof t);
        t.manner = (manner)m;
        t.every = 11;
        assert_int_equal(run_once(path, &t, 2, NULL), WEFT_ITEMS_FAILED);
        clear_calls(&t);
        /* Without being asked to, nothing is computed again, and they stay failed. */
        assert_int_equal(run_once(path, &t, 2, NULL), WEFT_ITEMS_FAILED);
        for (int64_t item = 0; item < ITEMS; item++) {
            assert_int_equal(atomic_load(&t.calls[item]), 0);
        }
        check_result(path, &t);
        /* Asked to: just those; half of them fail again. */
        trouble before = {.every = 11};
        t.every = 22;
        assert_int_equal(run_once(path, &t, 3, "--retry-failed"), WEFT_ITEMS_FAILED);
        for (int64_t item = 0; item < ITEMS; item++) {
            assert_int_equal(atomic_load(&t.calls[item]), fails(&before, item) ? 1 : 0);
        }
        check_result(path, &t);
        before.every = 22;
        clear_calls(&t);
        t.every = 0;
        assert_int_equal(run_once(path, &t, 0, "--retry-failed"), WEFT_OK);
        for (int64_t item = 0; item < ITEMS; item++) {
            assert_int_equal(atomic_load(&t.calls[item]), fails(&before, item) ? 1 : 0);
        }
        check_result(path, &t);
    }
}

static int fail_seventh(const weft_span *span, void *context)
{
    (void)context;
    uint16_t *a = weft_span_result(span, 0);
    double *b = weft_span_result(span, 1);
    for (int64_t i = 0; i < weft_span_count(span); i++) {
        a[i] = 1;
        b[3 * i] = b[3 * i + 1] = b[3 * i + 2] = 2;
        if (weft_span_first(span) + i == 7) {
            weft_span_fail(span, 7, 0, NULL);
        }
    }
    return 0;
}

static void test_fill_of_ones_own(void **state)
{
    (void)state;
    const char *path = fixture_path();
    weft_session *session = fixture_session(path, 1, NULL);
    weft_map *map = NULL;
    const uint16_t fill_a = 65535;
    const double fill_b = -0.5;
    assert_int_equal(weft_map_create(session, "own", 1, (int64_t[]){20}, &map), WEFT_OK);
    assert_int_equal(weft_map_add_field(map, "a", WEFT_UINT16, 0, NULL, NULL, NULL), WEFT_OK);
    assert_int_equal(weft_map_add_field(map, "b", WEFT_FLOAT64, 1, (int64_t[]){3}, NULL, NULL),
                     WEFT_OK);
    assert_int_equal(weft_map_set_fill(map, "a", &fill_a), WEFT_OK);
    assert_int_equal(weft_map_set_fill(map, "b", &fill_b), WEFT_OK);
    assert_int_equal(weft_map_run(map, fail_seventh, NULL), WEFT_ITEMS_FAILED);
    weft_map_destroy(map);
    assert_int_equal(weft_finish(session, WEFT_ITEMS_FAILED), 3);
    weft_result *r = NULL;
    weft_result_progress p;
    weft_result_failure failure;
    uint16_t a[20];
    double b[60];
    assert_int_equal(weft_result_open(path, &r), WEFT_OK);
    assert_int_equal(weft_result_read(r, 0, 0, 20, a), WEFT_OK);
    assert_int_equal(weft_result_read(r, 1, 0, 20, b), WEFT_OK);
    assert_int_equal(weft_result_get_progress(r, &p), WEFT_OK);
    assert_int_equal(p.failures, 1);
    assert_int_equal(weft_result_get_failure(r, 0, &failure), WEFT_OK);
    weft_result_close(r);
    for (int i = 0; i < 20; i++) {
        assert_int_equal(a[i], i == 7 ? 65535 : 1);
        for (int k = 0; k < 3; k++) {
            assert_true(b[3 * i + k] == (i == 7 ? -0.5 : 2));
        }
    }
    assert_int_equal(failure.item, 7);
    assert_int_equal(failure.code, -1);
    assert_string_equal(failure.text, "");
}

static int say_much(const weft_span *span, void *context)
{
    (void)context;
    char text[300];
    memset(text, 'y', sizeof text);
    text[sizeof text - 1] = '\0';
    *(int8_t *)weft_span_result(span, 0) = 1;
    weft_span_fail(span, weft_span_first(span), INT32_MIN, text);
    return 0;
}

static void test_long_text_is_cut(void **state)
{
    (void)state;
    const char *path = fixture_path();
    weft_session *session = fixture_session(path, 0, NULL);
    weft_map *map = NULL;
    assert_int_equal(weft_map_create(session, "much", 1, (int64_t[]){1}, &map), WEFT_OK);
    assert_int_equal(weft_map_add_field(map, "a", WEFT_INT8, 0, NULL, NULL, NULL), WEFT_OK);
    assert_int_equal(weft_map_run(map, say_much, NULL), WEFT_ITEMS_FAILED);
    weft_map_destroy(map);
    assert_int_equal(weft_finish(session, WEFT_ITEMS_FAILED), 3);
    weft_result *r = NULL;
    weft_result_progress p;
    weft_result_failure failure;
    assert_int_equal(weft_result_open(path, &r), WEFT_OK);
    assert_int_equal(weft_result_get_progress(r, &p), WEFT_OK);
    assert_int_equal(weft_result_get_failure(r, 0, &failure), WEFT_OK);
    weft_result_close(r);
    assert_int_equal(strlen(failure.text), 115);
    assert_int_equal(failure.code, INT32_MIN);
}

/* What goes wrong only for several items at a time has gone wrong for none of them alone. */
static int fail_together(const weft_span *span, void *context)
{
    (void)context;
    memset(weft_span_result(span, 0), 5, (size_t)weft_span_count(span));
    if (weft_span_count(span) > 1) {
        weft_span_fail(span, weft_span_first(span), 3, "too many");
        return 1;
    }
    return 0;
}

static void test_each_item_gets_its_own_chance(void **state)
{
    (void)state;
    const char *path = fixture_path();
    weft_session *session = fixture_session(path, 1, "--grain=10");
    weft_map *map = NULL;
    assert_int_equal(weft_map_create(session, "alone", 1, (int64_t[]){95}, &map), WEFT_OK);
    assert_int_equal(weft_map_add_field(map, "a", WEFT_INT8, 0, NULL, NULL, NULL), WEFT_OK);
    assert_int_equal(weft_map_run(map, fail_together, NULL), WEFT_OK);
    weft_map_destroy(map);
    assert_int_equal(weft_finish(session, WEFT_OK), 0);
    weft_result *r = NULL;
    int8_t values[95];
    assert_int_equal(weft_result_open(path, &r), WEFT_OK);
    assert_int_equal(weft_result_read(r, 0, 0, 95, values), WEFT_OK);
    weft_result_close(r);
    for (int i = 0; i < 95; i++) {
        assert_int_equal(values[i], 5);
    }
}

/* More failures than the table has rows: all are counted, and all can be computed again. */
static int fail_always(const weft_span *span, void *context)
{
    const bool *good = context;
    memset(weft_span_result(span, 0), 5, (size_t)weft_span_count(span));
    return *good ? 0 : 1;
}

static void test_more_than_the_table_holds(void **state)
{
    (void)state;
    enum { MANY = 10000 };
    const char *path = fixture_path();
    for (int round = 0; round < 2; round++) {
        bool good = round == 1;
        weft_session *session = fixture_session(path, 2, round == 1 ? "--retry-failed" : NULL);
        weft_map *map = NULL;
        assert_int_equal(weft_map_create(session, "many", 1, (int64_t[]){MANY}, &map), WEFT_OK);
        assert_int_equal(weft_map_add_field(map, "a", WEFT_INT8, 0, NULL, NULL, NULL), WEFT_OK);
        assert_int_equal(weft_map_set_grain(map, 100), WEFT_OK);
        const weft_status status = weft_map_run(map, fail_always, &good);
        assert_int_equal(status, good ? WEFT_OK : WEFT_ITEMS_FAILED);
        weft_map_destroy(map);
        assert_int_equal(weft_finish(session, status), good ? 0 : 3);
        weft_result *r = NULL;
        weft_result_progress p;
        static int8_t values[MANY];
        assert_int_equal(weft_result_open(path, &r), WEFT_OK);
        assert_int_equal(weft_result_get_progress(r, &p), WEFT_OK);
        assert_int_equal(p.items_failed, good ? 0 : MANY);
        assert_true(good ? p.failures == 0 : p.failures > 0 && p.failures < MANY);
        assert_int_equal(weft_result_read(r, 0, 0, MANY, values), WEFT_OK);
        for (int i = 0; i < MANY; i++) {
            assert_int_equal(values[i], good ? 5 : INT8_MIN);
        }
        weft_result_close(r);
    }
}

/* With side effects no item is computed twice: where one fails, its span fails. */
static void test_impure_spans_fail_whole(void **state)
{
    (void)state;
    static trouble t;
    const char *path = fixture_path();
    memset(&t, 0, sizeof t);
    t.every = 100;
    weft_session *session = fixture_session(path, 2, NULL);
    weft_map *map = make_map(session);
    weft_map_set_pure(map, false);
    assert_int_equal(weft_map_run(map, fail_some, &t), WEFT_ITEMS_FAILED);
    weft_map_destroy(map);
    assert_int_equal(weft_finish(session, WEFT_ITEMS_FAILED), 3);
    for (int64_t item = 0; item < ITEMS; item++) {
        assert_int_equal(atomic_load(&t.calls[item]), 1);
    }
    weft_result *r = NULL;
    weft_result_progress p;
    assert_int_equal(weft_result_open(path, &r), WEFT_OK);
    assert_int_equal(weft_result_get_progress(r, &p), WEFT_OK);
    assert_true(p.items_failed >= count_failing(&t));
    assert_int_equal(p.failures, p.items_failed);
    weft_result_close(r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_only_those_are_marked),
        cmocka_unit_test(test_all_fail),
        cmocka_unit_test(test_retry),
        cmocka_unit_test(test_fill_of_ones_own),
        cmocka_unit_test(test_long_text_is_cut),
        cmocka_unit_test(test_each_item_gets_its_own_chance),
        cmocka_unit_test(test_more_than_the_table_holds),
        cmocka_unit_test(test_impure_spans_fail_whole),
    };
    return cmocka_run_group_tests(tests, fixture_begin, fixture_end);
}
