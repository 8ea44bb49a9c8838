/* SPDX-License-Identifier: BSD-3-Clause */
/* Tests several maps in one result: each is computed once, in whatever order, over several
 * sessions; a file with other maps is refused and left as it is; small results are small. */
#include "fixture.h"

#include <math.h>

#include <stdatomic.h>
#include <sys/stat.h>

enum { MOST_MAPS = WEFT_MAX_MAPS + 1, ITEMS = 100 };

/* The maps of a program, and which of them are run. */
typedef struct program {
    int maps;
    int run; /* so many of them, from … */
    int from;
    bool backwards;
    int fails_at; /* an item that fails in each map; 0: none */
    int skip;     /* the map that is not described; -1: none */
    atomic_int calls[MOST_MAPS];
} program;

typedef struct work {
    program *program;
    int number;
} work;

static double value_of(int map, int64_t item)
{
    return 1000 * map + (double)item / 4;
}

static int compute(const weft_span *span, void *context)
{
    const work *w = context;
    double *value = weft_span_result(span, 0);
    for (int64_t i = 0; i < weft_span_count(span); i++) {
        const int64_t item = weft_span_first(span) + i;
        atomic_fetch_add(&w->program->calls[w->number], 1);
        value[i] = value_of(w->number, item);
        if (w->program->fails_at > 0 && item == w->program->fails_at) {
            weft_span_fail(span, item, 4, "on purpose");
        }
    }
    return 0;
}

static void name_map(int number, char name[WEFT_NAME_BYTES])
{
    (void)snprintf(name, WEFT_NAME_BYTES, "map-%d", number);
}

static weft_status describe(weft_session *session, int number, weft_map **map)
{
    char name[WEFT_NAME_BYTES];
    name_map(number, name);
    weft_status status = weft_map_create(session, name, 1, (int64_t[]){ITEMS}, map);
    if (status == WEFT_OK) {
        status = weft_map_add_field(*map, "value", WEFT_FLOAT64, 0, NULL, "1", "a value");
    }
    if (status == WEFT_OK) {
        status = weft_map_add_int64(*map, "number", number);
    }
    return status;
}

/* One session. The text of its last error stays. */
static char said[2048];

static weft_status run(const char *path, program *p, const char *more)
{
    static weft_map *map[MOST_MAPS];
    static work w[MOST_MAPS];
    weft_session *session = fixture_session(path, 1, more);
    weft_status status = WEFT_OK;
    weft_status worst = WEFT_OK;
    for (int k = 0; k < p->maps; k++) {
        const int i = p->backwards ? p->maps - 1 - k : k;
        map[i] = NULL;
        w[i] = (work){.program = p, .number = i};
        if (i != p->skip) {
            assert_int_equal(describe(session, i, &map[i]), WEFT_OK);
        }
    }
    for (int i = p->from; i < p->from + p->run && status == WEFT_OK; i++) {
        if (map[i] != NULL) {
            status = weft_map_run(map[i], compute, &w[i]);
        }
        worst = status != WEFT_OK ? status : worst;
        status = status == WEFT_ITEMS_FAILED ? WEFT_OK : status;
    }
    (void)snprintf(said, sizeof said, "%s", weft_error_text(session));
    for (int i = 0; i < p->maps; i++) {
        weft_map_destroy(map[i]);
    }
    assert_int_equal(weft_finish(session, worst), weft_status_exit(worst));
    return worst;
}

static void check_values(weft_result *r, int number, int failed)
{
    double values[ITEMS];
    assert_int_equal(weft_result_read(r, 0, 0, ITEMS, values), WEFT_OK);
    for (int i = 0; i < ITEMS; i++) {
        assert_true(failed > 0 && i == failed ? values[i] != values[i]
                                              : values[i] == value_of(number, i));
    }
}

/* Each of the maps first … end - 1 is complete, after so many runs, and the others are not begun.
 */
static void check_file(const char *path, const program *p, int first, int end, int runs)
{
    weft_result *r = NULL;
    assert_int_equal(weft_result_open(path, &r), WEFT_OK);
    assert_int_equal(weft_result_describe(r)->maps, p->maps - (p->skip >= 0));
    for (int i = 0; i < p->maps; i++) {
        char name[WEFT_NAME_BYTES];
        weft_result_progress progress;
        int64_t verified = 0;
        int64_t bad = 0;
        name_map(i, name);
        const int number = weft_result_find_map(r, name);
        assert_int_equal(number < 0, i == p->skip);
        if (number < 0) {
            continue;
        }
        const bool done = i >= first && i < end;
        assert_int_equal(weft_result_set_map(r, number), WEFT_OK);
        assert_string_equal(weft_result_describe(r)->name, name);
        assert_int_equal(weft_result_get_progress(r, &progress), WEFT_OK);
        assert_int_equal(progress.items_done, done ? ITEMS : 0);
        assert_int_equal(progress.runs, done ? runs : 0);
        assert_false(progress.in_use || progress.running);
        for (int run = 0; run < progress.runs; run++) {
            weft_result_run row;
            assert_int_equal(weft_result_get_run(r, run, &row), WEFT_OK);
            assert_int_equal(row.items, run == 0 ? ITEMS : row.items);
        }
        assert_int_equal(weft_result_verify(r, NULL, NULL, &verified, &bad), WEFT_OK);
        if (done) {
            check_values(r, i, p->fails_at);
        }
    }
    weft_result_close(r);
}

static void check_calls(const program *p, int first, int end, int times)
{
    for (int i = 0; i < p->maps; i++) {
        const bool run = i >= first && i < end;
        assert_int_equal(atomic_load(&p->calls[i]), run ? times * ITEMS : 0);
    }
}

static void test_each_map_once(void **state)
{
    (void)state;
    static const int counts[] = {1, 2, 5, WEFT_MAX_MAPS};
    for (size_t i = 0; i < sizeof counts / sizeof counts[0]; i++) {
        const char *path = fixture_path();
        static program p;
        memset(&p, 0, sizeof p);
        p.maps = p.run = counts[i];
        p.skip = -1;
        assert_int_equal(run(path, &p, NULL), WEFT_OK);
        check_file(path, &p, 0, p.maps, 1);
        /* What is complete is passed, also by a program that describes them in another order. */
        p.backwards = true;
        assert_int_equal(run(path, &p, NULL), WEFT_OK);
        check_calls(&p, 0, p.maps, 1);
        check_file(path, &p, 0, p.maps, 1);
        assert_int_equal(run(path, &p, "--fresh"), WEFT_OK);
        check_calls(&p, 0, p.maps, 2);
        check_file(path, &p, 0, p.maps, 1);
    }
}

/* Some of them in one session, the rest in another. */
static void test_map_by_map(void **state)
{
    (void)state;
    const char *path = fixture_path();
    static program p;
    memset(&p, 0, sizeof p);
    p = (program){.maps = 6, .run = 2, .from = 2, .skip = -1};
    assert_int_equal(run(path, &p, NULL), WEFT_OK);
    check_file(path, &p, 2, 4, 1);
    p.from = 4;
    assert_int_equal(run(path, &p, NULL), WEFT_OK);
    check_file(path, &p, 2, 6, 1);
    p.from = 0;
    p.run = 6;
    assert_int_equal(run(path, &p, NULL), WEFT_OK);
    check_calls(&p, 0, 6, 1);
    check_file(path, &p, 0, 6, 1);
}

static void test_failed_items_of_all(void **state)
{
    (void)state;
    const char *path = fixture_path();
    static program p;
    memset(&p, 0, sizeof p);
    p = (program){.maps = 3, .run = 3, .skip = -1, .fails_at = 7};
    assert_int_equal(run(path, &p, NULL), WEFT_ITEMS_FAILED);
    check_file(path, &p, 0, 3, 1);
    assert_int_equal(run(path, &p, NULL), WEFT_ITEMS_FAILED);
    assert_non_null(strstr(said, "1 items failed"));
    check_calls(&p, 0, 3, 1);
    p.fails_at = 0;
    assert_int_equal(run(path, &p, "--retry-failed"), WEFT_OK);
    check_file(path, &p, 0, 3, 2);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(atomic_load(&p.calls[i]), ITEMS + 1);
    }
}

/* The bytes of a file; the caller frees them. */
static char *read_bytes(const char *path, size_t *count)
{
    struct stat file;
    assert_int_equal(stat(path, &file), 0);
    *count = (size_t)file.st_size;
    char *bytes = malloc(*count + 1);
    FILE *stream = fopen(path, "rb");
    assert_true(bytes != NULL && stream != NULL);
    assert_int_equal(fread(bytes, 1, *count, stream), *count);
    assert_int_equal(fclose(stream), 0);
    return bytes;
}

static void check_untouched(const char *path, const char *bytes, size_t count)
{
    size_t now = 0;
    char *there = read_bytes(path, &now);
    assert_int_equal(now, count);
    assert_memory_equal(there, bytes, count);
    free(there);
}

/* A map is missing, or one too many, or another one: which, is told, and nothing is changed. */
static void test_other_maps(void **state)
{
    (void)state;
    const char *path = fixture_path();
    static program p;
    memset(&p, 0, sizeof p);
    p = (program){.maps = 3, .run = 3, .skip = -1};
    assert_int_equal(run(path, &p, NULL), WEFT_OK);
    size_t count = 0;
    char *bytes = read_bytes(path, &count);
    p.maps = p.run = 4;
    assert_int_equal(run(path, &p, NULL), WEFT_ERR_OTHER_JOB);
    assert_non_null(strstr(said, "no map 'map-3'"));
    assert_non_null(strstr(said, path));
    check_untouched(path, bytes, count);
    p.maps = p.run = 3;
    p.skip = 1;
    assert_int_equal(run(path, &p, NULL), WEFT_ERR_OTHER_JOB);
    assert_non_null(strstr(said, "this run has no map 'map-1'"));
    check_untouched(path, bytes, count);
    p.maps = p.run = 4;
    assert_int_equal(run(path, &p, NULL), WEFT_ERR_OTHER_JOB);
    check_untouched(path, bytes, count);
    p.skip = -1;
    p.maps = p.run = 3;
    assert_int_equal(run(path, &p, "--seed=5"), WEFT_ERR_OTHER_JOB);
    assert_non_null(strstr(said, "the seed is 0 in the file and 5 in this run"));
    check_untouched(path, bytes, count);
    assert_int_equal(run(path, &p, "--grain=3"), WEFT_ERR_OTHER_JOB);
    check_untouched(path, bytes, count);
    check_calls(&p, 0, 3, 1);
    free(bytes);
}

static void test_names(void **state)
{
    (void)state;
    static const char *const reserved[] = {"weft", "runs"};
    weft_session *session = fixture_session(fixture_path(), 1, NULL);
    weft_map *map = NULL;
    for (int i = 0; i < 2; i++) {
        assert_int_equal(weft_map_create(session, reserved[i], 1, (int64_t[]){1}, &map),
                         WEFT_ERR_USAGE);
        assert_non_null(strstr(weft_error_text(session), reserved[i]));
        weft_map_destroy(map);
    }
    weft_map *other = NULL;
    assert_int_equal(describe(session, 1, &map), WEFT_OK);
    assert_int_equal(describe(session, 1, &other), WEFT_OK);
    assert_int_equal(weft_map_run(map, compute, NULL), WEFT_ERR_USAGE);
    assert_non_null(strstr(weft_error_text(session), "two maps are named 'map-1'"));
    /* In files of their own they are two. */
    static program p;
    work w = {.program = &p, .number = 1};
    memset(&p, 0, sizeof p);
    assert_int_equal(weft_map_set_out(other, fixture_path()), WEFT_OK);
    assert_int_equal(weft_map_run(map, compute, &w), WEFT_OK);
    assert_int_equal(weft_map_run(other, compute, &w), WEFT_OK);
    assert_string_not_equal(weft_map_path(map), weft_map_path(other));
    assert_int_equal(atomic_load(&p.calls[1]), 2 * ITEMS);
    weft_map_destroy(map);
    weft_map_destroy(other);
    assert_int_equal(weft_finish(session, WEFT_OK), 0);
}

static void test_no_path(void **state)
{
    (void)state;
    static const char *const paths[] = {NULL, ""};
    weft_session *session = fixture_session(fixture_path(), 1, NULL);
    for (int i = 0; i < 2; i++) {
        weft_map *map = NULL;
        assert_int_equal(describe(session, 1, &map), WEFT_OK);
        assert_int_equal(weft_map_set_out(map, paths[i]), WEFT_ERR_USAGE);
        assert_non_null(strstr(weft_error_text(session), "the path is empty"));
        weft_map_destroy(map);
    }
    assert_int_equal(weft_finish(session, WEFT_OK), 0);
}

static void test_too_many(void **state)
{
    (void)state;
    const char *path = fixture_path();
    static program p;
    memset(&p, 0, sizeof p);
    p.maps = p.run = MOST_MAPS;
    p.skip = -1;
    assert_int_equal(run(path, &p, NULL), WEFT_ERR_USAGE);
    assert_non_null(strstr(said, "more than 128 maps"));
    assert_int_not_equal(access(path, F_OK), 0);
}

/* A map that is described again in the same session is the one that is in the file, or refused. */
static void test_described_again(void **state)
{
    (void)state;
    const char *path = fixture_path();
    static program p;
    memset(&p, 0, sizeof p);
    work w[] = {{.program = &p, .number = 0}, {.program = &p, .number = 1}};
    weft_session *session = fixture_session(path, 1, NULL);
    weft_map *map[2] = {NULL, NULL};
    for (int i = 0; i < 2; i++) {
        assert_int_equal(describe(session, i, &map[i]), WEFT_OK);
    }
    assert_int_equal(weft_map_run(map[0], compute, &w[0]), WEFT_OK);
    weft_map_destroy(map[0]);
    assert_int_equal(describe(session, 0, &map[0]), WEFT_OK);
    assert_int_equal(weft_map_run(map[0], compute, &w[0]), WEFT_OK);
    weft_map_destroy(map[0]);
    assert_int_equal(describe(session, 0, &map[0]), WEFT_OK);
    assert_int_equal(weft_map_add_int64(map[0], "more", 1), WEFT_OK);
    assert_int_equal(weft_map_run(map[0], compute, &w[0]), WEFT_ERR_OTHER_JOB);
    assert_non_null(strstr(weft_error_text(session), "more"));
    assert_int_equal(weft_map_run(map[1], compute, &w[1]), WEFT_OK);
    weft_map_destroy(map[0]);
    weft_map_destroy(map[1]);
    assert_int_equal(weft_finish(session, WEFT_OK), 0);
    p.maps = 2;
    p.skip = -1;
    check_calls(&p, 0, 2, 1);
    check_file(path, &p, 0, 2, 1);
}

/* A file is one, however it is spelt. */
static void test_spellings(void **state)
{
    (void)state;
    static program p;
    memset(&p, 0, sizeof p);
    char link[FIXTURE_PATH_BYTES];
    char path[FIXTURE_PATH_BYTES];
    (void)snprintf(link, sizeof link, "%s", fixture_path());
    char spelt[3][2 * FIXTURE_PATH_BYTES];
    (void)snprintf(path, sizeof path, "%s", fixture_path());
    const char *name = strrchr(path, '/') + 1;
    assert_int_equal(symlink(name, link), 0);
    (void)snprintf(spelt[0], sizeof spelt[0], "%s", path);
    (void)snprintf(spelt[1], sizeof spelt[1], "%s/.././%s/%s", fixture_folder,
                   strrchr(fixture_folder, '/') + 1, name);
    (void)snprintf(spelt[2], sizeof spelt[2], "%s", link);
    for (int again = 0; again < 2; again++) {
        work w[3];
        weft_map *map[3];
        weft_session *session = fixture_session(path, 1, NULL);
        for (int i = 0; i < 3; i++) {
            w[i] = (work){.program = &p, .number = i};
            assert_int_equal(describe(session, i, &map[i]), WEFT_OK);
            assert_int_equal(weft_map_set_out(map[i], spelt[i]), WEFT_OK);
            assert_string_equal(weft_map_path(map[i]), spelt[i]);
        }
        for (int i = 0; i < 3; i++) {
            assert_int_equal(weft_map_run(map[(i + 1) % 3], compute, &w[(i + 1) % 3]), WEFT_OK);
        }
        for (int i = 0; i < 3; i++) {
            weft_map_destroy(map[i]);
        }
        assert_int_equal(weft_finish(session, WEFT_OK), 0);
    }
    p.maps = 3;
    p.skip = -1;
    check_calls(&p, 0, 3, 1);
    check_file(path, &p, 0, 3, 1);
}

static void test_small_results_are_small(void **state)
{
    (void)state;
    const char *path = fixture_path();
    static program p;
    memset(&p, 0, sizeof p);
    work w = {.program = &p};
    struct stat file;
    weft_map *map = NULL;
    weft_session *session = fixture_session(path, 1, NULL);
    assert_int_equal(weft_map_create(session, "thousand", 1, (int64_t[]){1000}, &map), WEFT_OK);
    assert_int_equal(weft_map_add_field(map, "value", WEFT_FLOAT64, 0, NULL, "1", "a value"),
                     WEFT_OK);
    assert_int_equal(weft_map_run(map, compute, &w), WEFT_OK);
    weft_map_destroy(map);
    assert_int_equal(weft_finish(session, WEFT_OK), 0);
    assert_int_equal(stat(path, &file), 0);
    assert_in_range(file.st_size, 8000, 65536);
    assert_in_range(file.st_blocks, 1, 65536 / 512 + 8);
}

static void test_small_results_with_labels(void **state)
{
    (void)state;
    const char *path = fixture_path();
    static program p;
    memset(&p, 0, sizeof p);
    work w = {.program = &p};
    struct stat file;
    weft_map *map = NULL;
    double lat[25];
    double lon[40];
    for (int i = 0; i < 40; i++) {
        lat[i % 25] = i % 25;
        lon[i] = i;
    }
    weft_session *session = fixture_session(path, 1, NULL);
    assert_int_equal(weft_map_create(session, "thousand", 2, (int64_t[]){25, 40}, &map), WEFT_OK);
    assert_int_equal(weft_map_set_dimension(map, 0, "lat", "degrees_north", lat), WEFT_OK);
    assert_int_equal(weft_map_set_dimension(map, 1, "lon", "degrees_east", lon), WEFT_OK);
    assert_int_equal(weft_map_add_field(map, "value", WEFT_FLOAT64, 0, NULL, "1", "a value"),
                     WEFT_OK);
    assert_int_equal(weft_map_run(map, compute, &w), WEFT_OK);
    assert_int_equal(weft_map_set_dimension(map, 1, "late", NULL, NULL), WEFT_ERR_USAGE);
    assert_non_null(strstr(weft_error_text(session),
                           "describe it before it, or another map of that file, is started"));
    weft_map_destroy(map);
    assert_int_equal(weft_finish(session, WEFT_OK), 0);
    assert_int_equal(stat(path, &file), 0);
    assert_in_range(file.st_size, 8000, 65536);
}

static void test_bad_labels(void **state)
{
    (void)state;
    weft_map *map = NULL;
    const double nan[] = {0, (double)NAN};
    weft_session *session = fixture_session(fixture_path(), 1, NULL);
    assert_int_equal(weft_map_create(session, "m", 2, (int64_t[]){2, 2}, &map), WEFT_OK);
    const struct {
        int dimension;
        const char *name;
        const double *values;
        const char *says;
    } bad[] = {{2, "x", NULL, "map 'm' has no dimension 2; it has 2, from 0 on"},
               {-1, "x", NULL, "map 'm' has no dimension -1"},
               {0, NULL, NULL, "dimension '': a name has 1 to 63"},
               {0, "", NULL, "dimension '': a name has 1 to 63"},
               {0, "weft", NULL, "weft's own"},
               {0, "x", nan, "dimension 'x': coordinate 1 is nan"}};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        assert_int_equal(
            weft_map_set_dimension(map, bad[i].dimension, bad[i].name, NULL, bad[i].values),
            WEFT_ERR_USAGE);
        if (strstr(weft_error_text(session), bad[i].says) == NULL) {
            fail_msg("%s", weft_error_text(session));
        }
    }
    assert_int_equal(weft_map_set_dimension(map, 0, "x", NULL, NULL), WEFT_OK);
    assert_int_equal(weft_map_set_dimension(map, 1, "x", NULL, NULL), WEFT_ERR_USAGE);
    assert_int_equal(weft_map_add_field(map, "x", WEFT_INT8, 0, NULL, NULL, NULL), WEFT_ERR_USAGE);
    weft_map_destroy(map);
    assert_int_equal(weft_finish(session, WEFT_OK), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_each_map_once),
        cmocka_unit_test(test_map_by_map),
        cmocka_unit_test(test_failed_items_of_all),
        cmocka_unit_test(test_other_maps),
        cmocka_unit_test(test_names),
        cmocka_unit_test(test_no_path),
        cmocka_unit_test(test_too_many),
        cmocka_unit_test(test_described_again),
        cmocka_unit_test(test_spellings),
        cmocka_unit_test(test_small_results_are_small),
        cmocka_unit_test(test_small_results_with_labels),
        cmocka_unit_test(test_bad_labels),
    };
    return cmocka_run_group_tests(tests, fixture_begin, fixture_end);
}
