/* SPDX-License-Identifier: BSD-3-Clause */
/* Tests small maps from beginning to end in one process: what the kernel is given, what the result
 * holds, stopping and going on, and what is refused. Kernels assert nothing, they count. */
#include "fixture.h"

#include <math.h>
#include <signal.h>
#include <stdatomic.h>
#include <time.h>

enum { MOST_ITEMS = 2000, COLUMNS = 3 };

/* Each span begun after a signal takes so long: the main thread, which may be resting, comes to see
 * the signal before all is computed. */
static const struct timespec slowness = {.tv_nsec = 20000000};

/* What the kernel counts, and how it is told to behave. */
typedef struct counter {
    atomic_int calls[MOST_ITEMS]; /* per item */
    atomic_int wrong;             /* spans that are not as they should be */
    int64_t count;
    int64_t span_limit;
    int workers;
    atomic_int begun; /* items */
    int stop_after;   /* items; 0: never */
    bool give_up;     /* returns a code once the run is stopping */
    uint64_t seed;
    int ndims;
    int64_t shape[3];
} counter;

static double value_of(int64_t item)
{
    return sin((double)item) * 1e6;
}

static void check_span(const weft_span *span, counter *c)
{
    const int64_t first = weft_span_first(span);
    const int64_t count = weft_span_count(span);
    const int most = c->workers > 0 ? c->workers : 1;
    bool good = first >= 0 && count >= 1 && first + count <= c->count &&
                (c->span_limit == 0 || count <= c->span_limit) && weft_span_worker(span) >= 0 &&
                weft_span_worker(span) < most && weft_span_seed(span) == c->seed;
    int64_t indices[3] = {-1, -1, -1};
    weft_span_indices(span, first, indices);
    int64_t item = 0;
    for (int i = 0; i < c->ndims; i++) {
        item = item * c->shape[i] + indices[i];
    }
    weft_random mine;
    weft_random_init(&mine, c->seed, 3, (uint64_t)first);
    weft_random theirs = weft_span_random(span, first, 3);
    good = good && item == first && weft_random_u64(&mine) == weft_random_u64(&theirs);
    if (!good) {
        atomic_fetch_add(&c->wrong, 1);
    }
}

static int count_items(const weft_span *span, void *context)
{
    counter *c = context;
    const int64_t first = weft_span_first(span);
    double *value = weft_span_result(span, 0);
    int32_t *triple = weft_span_result(span, 1);
    check_span(span, c);
    for (int64_t i = 0; i < weft_span_count(span); i++) {
        if (c->give_up && weft_span_stopping(span)) {
            return 9;
        }
        atomic_fetch_add(&c->calls[first + i], 1);
        value[i] = value_of(first + i);
        for (int k = 0; k < COLUMNS; k++) {
            triple[COLUMNS * i + k] = (int32_t)(first + i) * 10 + k;
        }
        if (atomic_fetch_add(&c->begun, 1) + 1 == c->stop_after) {
            (void)raise(SIGUSR1);
        }
    }
    if (weft_span_stopping(span)) {
        (void)nanosleep(&slowness, NULL);
    }
    return 0;
}

static weft_map *make_map(weft_session *session, counter *c)
{
    weft_map *map = NULL;
    assert_int_equal(weft_map_create(session, "counting", c->ndims, c->shape, &map), WEFT_OK);
    assert_int_equal(weft_map_add_field(map, "value", WEFT_FLOAT64, 0, NULL, "km", "a value"),
                     WEFT_OK);
    assert_int_equal(
        weft_map_add_field(map, "triple", WEFT_INT32, 1, (int64_t[]){COLUMNS}, NULL, NULL),
        WEFT_OK);
    assert_int_equal(weft_map_add_int64(map, "steps", 5), WEFT_OK);
    assert_int_equal(weft_map_add_double(map, "width", 0.5), WEFT_OK);
    assert_int_equal(weft_map_add_string(map, "source", "here"), WEFT_OK);
    return map;
}

static void init_counter(counter *c, int64_t count, int threads)
{
    memset(c, 0, sizeof *c);
    c->count = count;
    c->workers = threads;
    c->ndims = 1;
    c->shape[0] = count;
}

/* A run of its own session; the status and what main() would return go together. */
static weft_status run_once(const char *path, counter *c, int threads, int64_t grain,
                            const char *more)
{
    c->workers = threads;
    weft_session *session = fixture_session(path, threads, more);
    weft_map *map = make_map(session, c);
    assert_int_equal(weft_map_set_grain(map, grain), WEFT_OK);
    assert_int_equal(weft_map_set_span_limit(map, c->span_limit), WEFT_OK);
    const weft_status status = weft_map_run(map, count_items, c);
    weft_map_destroy(map);
    assert_int_equal(weft_finish(session, status), weft_status_exit(status));
    assert_int_equal(atomic_load(&c->wrong), 0);
    return status;
}

/* The result holds every item's values, and its books say so. */
static void check_result(const char *path, int64_t count, int runs)
{
    weft_result *r = NULL;
    weft_result_progress p;
    assert_int_equal(weft_result_open(path, &r), WEFT_OK);
    assert_int_equal(weft_result_describe(r)->count, count);
    double *values = malloc(((size_t)count + 1) * sizeof *values);
    int32_t *triples = malloc(((size_t)count + 1) * COLUMNS * sizeof *triples);
    assert_int_equal(weft_result_read(r, 0, 0, count, values), WEFT_OK);
    assert_int_equal(weft_result_read(r, 1, 0, count, triples), WEFT_OK);
    for (int64_t i = 0; i < count; i++) {
        assert_true(values[i] == value_of(i));
        assert_int_equal(triples[COLUMNS * i + 2], i * 10 + 2);
    }
    assert_int_equal(weft_result_get_progress(r, &p), WEFT_OK);
    assert_int_equal(p.items_done, count);
    assert_int_equal(p.items_failed, 0);
    assert_int_equal(p.tiles_bad, 0);
    assert_false(p.in_use);
    assert_int_equal(p.runs, runs);
    int64_t items = 0;
    for (int i = 0; i < runs; i++) {
        weft_result_run run;
        assert_int_equal(weft_result_get_run(r, i, &run), WEFT_OK);
        assert_int_equal(run.outcome, i == runs - 1 ? WEFT_OUTCOME_COMPLETE : WEFT_OUTCOME_STOPPED);
        assert_int_equal(run.ranks, 1);
        assert_non_null(strstr(run.command, "tester"));
        items += run.items;
    }
    assert_int_equal(items, count);
    int64_t verified = 0;
    int64_t bad = 0;
    assert_int_equal(weft_result_verify(r, NULL, NULL, &verified, &bad), WEFT_OK);
    assert_int_equal(verified, weft_result_describe(r)->tiles);
    weft_result_close(r);
    free(triples);
    free(values);
}

static void check_calls(const counter *c, int least, int most)
{
    for (int64_t i = 0; i < c->count; i++) {
        assert_in_range(atomic_load(&c->calls[i]), least, most);
    }
}

static void test_each_item_once(void **state)
{
    (void)state;
    static counter c;
    static const int64_t counts[] = {0, 1, 2, 3, 7, 1000};
    static const int threads[] = {0, 1, 3};
    static const int64_t grains[] = {0, 1, 7};
    for (int n = 0; n < 6; n++) {
        for (int t = 0; t < 3; t++) {
            for (int g = 0; g < 3; g++) {
                const char *path = fixture_path();
                init_counter(&c, counts[n], threads[t]);
                assert_int_equal(run_once(path, &c, threads[t], grains[g], NULL), WEFT_OK);
                check_calls(&c, 1, 1);
                check_result(path, counts[n], 1);
            }
        }
    }
}

static void test_every_technique(void **state)
{
    (void)state;
    static counter c;
    for (int i = 0; weft_schedule_name(i) != NULL; i++) {
        const char *path = fixture_path();
        char word[64];
        (void)snprintf(word, sizeof word, "--schedule=%s", weft_schedule_name(i));
        init_counter(&c, 997, 2);
        assert_int_equal(run_once(path, &c, 2, 3, word), WEFT_OK);
        check_calls(&c, 1, 1);
        check_result(path, 997, 1);
    }
}

static void test_span_limit(void **state)
{
    (void)state;
    static counter c;
    static const int64_t limits[] = {1, 5, 6, 17, 100000};
    for (int i = 0; i < 5; i++) {
        const char *path = fixture_path();
        init_counter(&c, 1000, 1);
        c.span_limit = limits[i];
        /* A tile is the least: grain 1 for a limit of one item, else tiles of three. */
        assert_int_equal(run_once(path, &c, 1, limits[i] == 1 ? 1 : 3, NULL), WEFT_OK);
        check_result(path, 1000, 1);
    }
}

static void test_shapes_and_seed(void **state)
{
    (void)state;
    static counter c;
    const char *path = fixture_path();
    init_counter(&c, 120, 1);
    c.ndims = 3;
    c.shape[0] = 4;
    c.shape[1] = 5;
    c.shape[2] = 6;
    c.seed = 42;
    assert_int_equal(run_once(path, &c, 1, 7, "--seed=42"), WEFT_OK);
    check_calls(&c, 1, 1);
    check_result(path, 120, 1);
    init_counter(&c, 0, 1);
    c.ndims = 3;
    c.shape[0] = 4;
    c.shape[2] = 6;
    path = fixture_path();
    assert_int_equal(run_once(path, &c, 1, 7, NULL), WEFT_OK);
    check_result(path, 0, 1);
}

static void test_complete_is_not_computed_again(void **state)
{
    (void)state;
    static counter c;
    const char *path = fixture_path();
    init_counter(&c, 100, 1);
    assert_int_equal(run_once(path, &c, 1, 0, NULL), WEFT_OK);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(run_once(path, &c, i, 0, NULL), WEFT_OK);
    }
    check_calls(&c, 1, 1);
    weft_result *r = NULL;
    weft_result_progress p;
    assert_int_equal(weft_result_open(path, &r), WEFT_OK);
    assert_int_equal(weft_result_get_progress(r, &p), WEFT_OK);
    /* Nor is that written down as a run. */
    assert_int_equal(p.runs, 1);
    weft_result_run run;
    assert_int_equal(weft_result_get_run(r, 0, &run), WEFT_OK);
    assert_int_equal(run.items, 100);
    assert_int_equal(run.outcome, WEFT_OUTCOME_COMPLETE);
    weft_result_close(r);
}

/* A signal in the middle: what is begun is finished, and another run does the rest, once. */
static void test_stop_and_go_on(void **state)
{
    (void)state;
    static counter c;
    static const int threads[] = {0, 1, 3};
    for (int t = 0; t < 3; t++) {
        const char *path = fixture_path();
        init_counter(&c, 1500, threads[t]);
        c.span_limit = 5;
        c.stop_after = 40;
        assert_int_equal(run_once(path, &c, threads[t], 5, NULL), WEFT_STOPPED);
        const int begun = atomic_load(&c.begun);
        assert_in_range(begun, 40, 1499);
        c.stop_after = begun + 200;
        assert_int_equal(run_once(path, &c, 2 - t, 0, NULL), WEFT_STOPPED);
        c.stop_after = 0;
        assert_int_equal(run_once(path, &c, 3, 0, NULL), WEFT_OK);
        check_calls(&c, 1, 1);
        check_result(path, 1500, 3);
    }
}

/* A kernel that gives up when it is asked to: its items are not failed, but left to the next run.
 */
static void test_giving_up_is_no_failure(void **state)
{
    (void)state;
    static counter c;
    const char *path = fixture_path();
    init_counter(&c, 1500, 2);
    c.give_up = true;
    c.stop_after = 100;
    assert_int_equal(run_once(path, &c, 2, 50, NULL), WEFT_STOPPED);
    c.stop_after = 0;
    assert_int_equal(run_once(path, &c, 2, 0, NULL), WEFT_OK);
    check_calls(&c, 1, 2);
    check_result(path, 1500, 2);
}

/* --fresh is for what was there before: the second time the map is complete, and nothing moves. */
static void test_a_map_twice_in_one_session(void **state)
{
    (void)state;
    static counter c;
    const char *path = fixture_path();
    init_counter(&c, 400, 2);
    assert_int_equal(run_once(path, &c, 2, 0, NULL), WEFT_OK);
    weft_session *session = fixture_session(path, 2, "--fresh");
    for (int i = 0; i < 2; i++) {
        weft_map *map = make_map(session, &c);
        assert_int_equal(weft_map_run(map, count_items, &c), WEFT_OK);
        weft_map_destroy(map);
        check_calls(&c, 2, 2);
    }
    /* Another job of that name: refused, and what has just been computed stays. */
    static counter d;
    init_counter(&d, 300, 2);
    weft_map *map = make_map(session, &d);
    assert_int_equal(weft_map_run(map, count_items, &d), WEFT_ERR_OTHER_JOB);
    weft_map_destroy(map);
    assert_int_equal(weft_finish(session, WEFT_OK), 0);
    assert_int_equal(run_once(path, &c, 2, 0, NULL), WEFT_OK);
    check_calls(&c, 2, 2);
    char backup[FIXTURE_PATH_BYTES + 8];
    (void)snprintf(backup, sizeof backup, "%s.bak", path);
    assert_int_equal(access(backup, F_OK), 0);
    (void)snprintf(backup, sizeof backup, "%s.bak.2", path);
    assert_int_not_equal(access(backup, F_OK), 0);
}

static int fill_with_ones(const weft_span *span, void *context)
{
    (void)context;
    memset(weft_span_result(span, 0), 1, (size_t)weft_span_count(span));
    return 0;
}

/* Nothing is computed for the second one, and the first one's result is as it was. With a file of
 * its own it can be run. */
static void test_a_map_that_comes_too_late(void **state)
{
    (void)state;
    static counter c;
    const char *path = fixture_path();
    static const char *const fresh[] = {NULL, "--fresh"};
    for (int i = 0; i < 2; i++) {
        init_counter(&c, 100, 1);
        weft_session *session = fixture_session(path, 1, fresh[i]);
        weft_map *map = make_map(session, &c);
        weft_map *other = NULL;
        assert_int_equal(weft_map_run(map, count_items, &c), WEFT_OK);
        assert_int_equal(weft_map_create(session, "other", 1, (int64_t[]){5}, &other), WEFT_OK);
        assert_int_equal(weft_map_add_field(other, "f", WEFT_INT8, 0, NULL, NULL, NULL), WEFT_OK);
        assert_int_equal(weft_map_run(other, fill_with_ones, NULL), WEFT_ERR_USAGE);
        const char *text = weft_error_text(session);
        assert_non_null(strstr(text, "map 'other'"));
        assert_non_null(strstr(text, "map 'counting'"));
        assert_non_null(strstr(text, path));
        assert_non_null(strstr(text, "weft_map_set_out()"));
        char own[FIXTURE_PATH_BYTES + 8];
        (void)snprintf(own, sizeof own, "%s.own", path);
        assert_int_equal(weft_map_set_out(other, own), WEFT_OK);
        assert_int_equal(weft_map_run(other, fill_with_ones, NULL), WEFT_OK);
        assert_int_equal(weft_map_set_out(other, path), WEFT_ERR_USAGE);
        assert_int_equal(weft_map_add_int64(other, "late", 1), WEFT_ERR_USAGE);
        weft_map_destroy(other);
        weft_map_destroy(map);
        assert_int_equal(weft_finish(session, WEFT_ERR_USAGE), 2);
        check_result(path, 100, 1);
    }
}

static void test_two_maps_in_a_folder(void **state)
{
    (void)state;
    static counter c;
    char folder[FIXTURE_PATH_BYTES];
    init_counter(&c, 100, 1);
    (void)snprintf(folder, sizeof folder, "%s/", fixture_folder);
    weft_session *session = fixture_session(folder, 1, NULL);
    weft_map *map = make_map(session, &c);
    weft_map *other = NULL;
    assert_int_equal(weft_map_create(session, "other", 1, (int64_t[]){5}, &other), WEFT_OK);
    assert_memory_equal(weft_map_path(other), folder, strlen(folder));
    assert_string_equal(weft_map_path(other) + strlen(folder), "other.h5");
    weft_map_destroy(other);
    assert_int_equal(weft_map_run(map, count_items, &c), WEFT_OK);
    char path[FIXTURE_PATH_BYTES];
    (void)snprintf(path, sizeof path, "%s", weft_map_path(map));
    weft_map_destroy(map);
    assert_int_equal(weft_finish(session, WEFT_OK), 0);
    check_result(path, 100, 1);
}

/* A signal is sent once, and asks for the end of the whole session. */
static void test_no_map_begins_after_a_signal(void **state)
{
    (void)state;
    static counter c;
    static const int after[] = {40, 1000}; /* in the middle, and with the last item */
    for (int i = 0; i < 2; i++) {
        init_counter(&c, 1000, 1);
        c.span_limit = 1;
        c.stop_after = after[i];
        weft_session *session = fixture_session(fixture_path(), 1, "--grain=1");
        weft_map *map = make_map(session, &c);
        assert_int_equal(weft_map_set_span_limit(map, c.span_limit), WEFT_OK);
        const weft_status status = weft_map_run(map, count_items, &c);
        assert_true(status == WEFT_STOPPED || (status == WEFT_OK && after[i] == 1000));
        const int begun = atomic_load(&c.begun);
        for (int again = 0; again < 2; again++) {
            assert_int_equal(weft_map_run(map, count_items, &c), WEFT_STOPPED);
            assert_non_null(strstr(weft_error_text(session), "SIGUSR1 before map"));
        }
        assert_int_equal(weft_map_run(map, NULL, NULL), WEFT_ERR_USAGE);
        assert_int_equal(atomic_load(&c.begun), begun);
        weft_map_destroy(map);
        assert_int_equal(weft_finish(session, WEFT_STOPPED), 75);
    }
}

/* A long double has bytes that carry no value; the kernel leaves noise in them. */
static int write_noise(const weft_span *span, void *context)
{
    (void)context;
    long double *value = weft_span_result(span, 0);
    for (int64_t i = 0; i < 2 * weft_span_count(span); i++) {
        const long double number = (long double)(2 * weft_span_first(span) + i) / 3.0L;
        unsigned char bytes[sizeof number];
        memset(bytes, 0xA0 + weft_span_worker(span), sizeof bytes);
        memcpy(bytes, &number, 10);
        memcpy(&value[i], bytes, sizeof bytes);
    }
    return 0;
}

static void test_padding_is_clear(void **state)
{
    (void)state;
    const char *path = fixture_path();
    weft_session *session = fixture_session(path, 2, "--grain=3");
    weft_map *map = NULL;
    assert_int_equal(weft_map_create(session, "padded", 1, (int64_t[]){100}, &map), WEFT_OK);
    assert_int_equal(
        weft_map_add_field(map, "value", WEFT_LONG_DOUBLE, 1, (int64_t[]){2}, NULL, NULL), WEFT_OK);
    assert_int_equal(weft_map_run(map, write_noise, NULL), WEFT_OK);
    weft_map_destroy(map);
    assert_int_equal(weft_finish(session, WEFT_OK), 0);
    weft_result *r = NULL;
    unsigned char bytes[200 * sizeof(long double)];
    assert_int_equal(weft_result_open(path, &r), WEFT_OK);
    assert_int_equal(weft_result_read(r, 0, 0, 100, bytes), WEFT_OK);
    weft_result_close(r);
    for (int64_t i = 0; i < 200; i++) {
        const unsigned char *at = bytes + (size_t)i * sizeof(long double);
        long double number = 0;
        memcpy(&number, at, sizeof number);
        assert_true(number == (long double)i / 3.0L);
        for (size_t k = 10; k < sizeof number; k++) {
            assert_int_equal(at[k], 0);
        }
    }
}

static void test_huge_grain(void **state)
{
    (void)state;
    static counter c;
    static const char *const words[] = {"--grain=9223372036854775807",
                                        "--grain=4611686018427387904", "--grain=4000000000G"};
    for (int i = 0; i < 3; i++) {
        const char *path = fixture_path();
        init_counter(&c, 100, 1);
        const weft_status status = run_once(path, &c, 1, 0, words[i]);
        assert_true(status == WEFT_OK || status == WEFT_ERR_USAGE);
        if (status == WEFT_OK) {
            check_result(path, 100, 1);
        }
    }
}

static void test_nothing_to_run(void **state)
{
    (void)state;
    static counter c;
    const char *path = fixture_path();
    weft_session *session = fixture_session(path, 1, NULL);
    weft_map *map = NULL;
    assert_int_equal(weft_map_create(session, "bare", 1, (int64_t[]){5}, &map), WEFT_OK);
    assert_int_equal(weft_map_run(map, count_items, &c), WEFT_ERR_USAGE);
    assert_non_null(strstr(weft_error_text(session), "no field"));
    assert_int_equal(weft_map_add_field(map, "a", WEFT_INT8, 0, NULL, NULL, NULL), WEFT_OK);
    assert_int_equal(weft_map_run(map, NULL, &c), WEFT_ERR_USAGE);
    assert_non_null(strstr(weft_error_text(session), "no kernel"));
    assert_int_equal(weft_map_set_grain(map, -1), WEFT_ERR_USAGE);
    assert_int_equal(weft_map_set_span_limit(map, -1), WEFT_ERR_USAGE);
    assert_int_equal(weft_map_set_isolation(map, (weft_isolation)7), WEFT_ERR_USAGE);
    assert_int_equal(weft_map_set_isolation(map, WEFT_ALWAYS), WEFT_OK);
    assert_int_equal(weft_map_set_isolation(map, WEFT_NEVER), WEFT_OK);
    weft_map_destroy(map);
    weft_map_destroy(NULL);
    assert_int_equal(weft_finish(session, WEFT_ERR_USAGE), 2);
    assert_int_not_equal(access(path, F_OK), 0);
}

static void test_bad_descriptions(void **state)
{
    (void)state;
    weft_session *session = fixture_session(fixture_path(), 1, NULL);
    weft_map *map = NULL;
    char text[1100];
    memset(text, 'x', sizeof text);
    text[sizeof text - 1] = '\0';
    assert_int_equal(weft_map_create(session, "a b", 1, (int64_t[]){5}, &map), WEFT_ERR_USAGE);
    weft_map_destroy(map);
    assert_int_equal(weft_map_create(session, "a", 1, (int64_t[]){-1}, &map), WEFT_ERR_USAGE);
    assert_non_null(strstr(weft_error_text(session), "-1"));
    weft_map_destroy(map);
    assert_int_equal(weft_map_create(session, "a", 1, (int64_t[]){5}, &map), WEFT_OK);
    assert_string_equal(weft_error_text(session), "");
    assert_int_equal(weft_map_add_field(map, "f", WEFT_INT8, 0, NULL, NULL, NULL), WEFT_OK);
    assert_int_equal(weft_map_add_field(map, "f", WEFT_INT8, 0, NULL, NULL, NULL), WEFT_ERR_USAGE);
    assert_int_equal(weft_map_set_fill(map, "g", text), WEFT_ERR_USAGE);
    assert_int_equal(weft_map_add_int64(map, "seed", 1), WEFT_ERR_USAGE);
    assert_int_equal(weft_map_add_int64(map, NULL, 1), WEFT_ERR_USAGE);
    assert_int_equal(weft_map_add_double(map, text, 1), WEFT_ERR_USAGE);
    assert_int_equal(weft_map_add_string(map, "t", text), WEFT_ERR_USAGE);
    assert_int_equal(weft_map_add_string(map, "t", NULL), WEFT_ERR_USAGE);
    text[1023] = '\0';
    assert_int_equal(weft_map_add_string(map, "t", text), WEFT_OK);
    weft_map_destroy(map);
    assert_int_equal(weft_finish(session, WEFT_OK), 0);
}

static void test_another_jobs_file(void **state)
{
    (void)state;
    static counter c;
    const char *path = fixture_path();
    init_counter(&c, 100, 1);
    assert_int_equal(run_once(path, &c, 1, 4, NULL), WEFT_OK);
    static const char *const words[] = {"--seed=1", "--grain=5"};
    static const char *const named[] = {"the seed is 0", "the grain is 4"};
    for (int i = 0; i < 2; i++) {
        weft_session *session = fixture_session(path, 1, words[i]);
        weft_map *map = make_map(session, &c);
        assert_int_equal(weft_map_run(map, count_items, &c), WEFT_ERR_OTHER_JOB);
        assert_non_null(strstr(weft_error_text(session), named[i]));
        assert_non_null(strstr(weft_error_text(session), path));
        weft_map_destroy(map);
        assert_int_equal(weft_finish(session, WEFT_ERR_OTHER_JOB), 2);
    }
    /* The map's own proposal gives way to the file's grain. */
    assert_int_equal(run_once(path, &c, 1, 9, NULL), WEFT_OK);
    check_calls(&c, 1, 1);
    /* Fresh: the same again, the old one kept. */
    char backup[FIXTURE_PATH_BYTES + 8];
    (void)snprintf(backup, sizeof backup, "%s.bak", path);
    assert_int_equal(run_once(path, &c, 1, 9, "--fresh"), WEFT_OK);
    check_calls(&c, 2, 2);
    assert_int_equal(access(backup, F_OK), 0);
    check_result(path, 100, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_each_item_once),
        cmocka_unit_test(test_every_technique),
        cmocka_unit_test(test_span_limit),
        cmocka_unit_test(test_shapes_and_seed),
        cmocka_unit_test(test_complete_is_not_computed_again),
        cmocka_unit_test(test_stop_and_go_on),
        cmocka_unit_test(test_giving_up_is_no_failure),
        cmocka_unit_test(test_a_map_twice_in_one_session),
        cmocka_unit_test(test_a_map_that_comes_too_late),
        cmocka_unit_test(test_two_maps_in_a_folder),
        cmocka_unit_test(test_no_map_begins_after_a_signal),
        cmocka_unit_test(test_padding_is_clear),
        cmocka_unit_test(test_huge_grain),
        cmocka_unit_test(test_nothing_to_run),
        cmocka_unit_test(test_bad_descriptions),
        cmocka_unit_test(test_another_jobs_file),
    };
    return cmocka_run_group_tests(tests, fixture_begin, fixture_end);
}
