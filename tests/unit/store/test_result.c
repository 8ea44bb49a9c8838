/* SPDX-License-Identifier: BSD-3-Clause */
/* Tests the public reading of a result: what it is of, how far it is, its bytes, its verification.
 */
#include "store/sample_result.h"

#include "reduce/reduction.h"

#include <limits.h>
#include <weft/result.h>

static weft_result *open_result(const char *path)
{
    weft_result *r = NULL;
    assert_int_equal(weft_result_open(path, &r), WEFT_OK);
    assert_string_equal(weft_result_error_text(r), "");
    return r;
}

static void test_description(void **state)
{
    (void)state;
    job *j = sample_job(SAMPLE_ROWS, SAMPLE_COLUMNS, 4);
    sample_make_file(sample_path("what.h5"), j);
    weft_result *r = open_result(sample_path("what.h5"));
    const weft_result_info *info = weft_result_describe(r);
    assert_string_equal(info->name, "sample");
    assert_string_equal(info->version, "0.1.0");
    assert_int_equal(strlen(info->created), 20);
    assert_int_equal(info->ndims, 2);
    assert_int_equal(info->shape[0], SAMPLE_ROWS);
    assert_int_equal(info->shape[1], SAMPLE_COLUMNS);
    assert_int_equal(info->count, SAMPLE_ITEMS);
    assert_int_equal(info->grain, 4);
    assert_int_equal(info->tiles, 9);
    assert_true(info->seed == j->seed);
    assert_int_equal(info->fields, j->fields);
    for (int i = 0; i < j->fields; i++) {
        const weft_field_info *field = weft_result_field(r, i);
        assert_string_equal(field->name, j->field[i].name);
        assert_int_equal(field->type, j->field[i].type);
        assert_int_equal(field->ndims, j->field[i].shape.ndims);
        assert_int_equal(field->item_bytes, j->field[i].item_bytes);
        assert_string_equal(field->units, j->field[i].units);
        assert_string_equal(field->long_name, j->field[i].long_name);
        assert_memory_equal(field->fill, j->field[i].fill, sizeof field->fill);
        assert_int_equal(weft_result_find_field(r, field->name), i);
    }
    assert_null(weft_result_field(r, -1));
    assert_null(weft_result_field(r, j->fields));
    assert_non_null(strstr(weft_result_error_text(r), "no field 11"));
    assert_int_equal(weft_result_find_field(r, "none"), -1);
    assert_non_null(strstr(weft_result_error_text(r), "no field 'none'; it has field-11, "));
    assert_int_equal(weft_result_find_field(r, "field-1"), 10);
    assert_string_equal(weft_result_error_text(r), "");
    weft_result_close(r);
    weft_result_close(NULL);
    assert_string_equal(weft_result_error_text(NULL), "");
    job_destroy(j);
}

static void test_dimensions(void **state)
{
    (void)state;
    job *j = sample_job(SAMPLE_ROWS, SAMPLE_COLUMNS, 4);
    sample_make_file(sample_path("dims.h5"), j);
    weft_result *r = open_result(sample_path("dims.h5"));
    weft_dimension_info about;
    double values[SAMPLE_COLUMNS];
    assert_int_equal(weft_result_get_dimension(r, 0, &about), WEFT_OK);
    assert_string_equal(about.name, "row");
    assert_string_equal(about.units, "degrees_north");
    assert_int_equal(about.count, SAMPLE_ROWS);
    assert_true(about.coordinates);
    assert_int_equal(weft_result_get_dimension(r, 1, &about), WEFT_OK);
    assert_string_equal(about.name, "column");
    assert_string_equal(about.units, "µm");
    assert_false(about.coordinates);
    for (int64_t first = 0; first <= SAMPLE_ROWS; first++) {
        const int64_t count = SAMPLE_ROWS - first;
        assert_int_equal(weft_result_read_coordinates(r, 0, first, count, values), WEFT_OK);
        assert_memory_equal(values, sample_coordinates() + first, (size_t)count * sizeof values[0]);
    }
    assert_int_equal(weft_result_read_coordinates(r, 1, 3, 4, values), WEFT_OK);
    for (int i = 0; i < 4; i++) {
        assert_true(values[i] == 3 + i);
    }
    static const int64_t bad[][3] = {{-1, 0, 1}, {2, 0, 1}, {0, -1, 1}, {0, 0, 6},
                                     {0, 5, 1},  {1, 7, 1}, {0, 0, -1}};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        assert_int_equal(
            weft_result_read_coordinates(r, (int)bad[i][0], bad[i][1], bad[i][2], values),
            WEFT_ERR_USAGE);
        assert_non_null(strstr(weft_result_error_text(r), "dims.h5"));
    }
    weft_result_close(r);
    job_destroy(j);
}

static void test_reading(void **state)
{
    (void)state;
    job *j = sample_job(SAMPLE_ROWS, SAMPLE_COLUMNS, 4);
    sample_make_file(sample_path("read.h5"), j);
    weft_result *r = open_result(sample_path("read.h5"));
    unsigned char *got = malloc(100000);
    for (int i = 0; i < j->fields; i++) {
        for (int64_t first = 0; first <= SAMPLE_ITEMS; first += 5) {
            for (int64_t count = 0; count <= SAMPLE_ITEMS - first; count += 3) {
                unsigned char *bytes = sample_bytes(j, i, first, count);
                assert_int_equal(weft_result_read(r, i, first, count, got), WEFT_OK);
                assert_memory_equal(got, bytes, (size_t)job_field_bytes(j, i, count));
                free(bytes);
            }
        }
    }
    static const int64_t bad[][3] = {
        {-1, 0, 1}, {11, 0, 1},        {0, -1, 1},        {0, 0, -1}, {0, 35, 1},
        {0, 0, 36}, {0, 1, INT64_MAX}, {0, INT64_MAX, 1}, {0, 36, 0}, {0, 0, INT64_MIN}};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        assert_int_equal(weft_result_read(r, (int)bad[i][0], bad[i][1], bad[i][2], got),
                         WEFT_ERR_USAGE);
        assert_true(strlen(weft_result_error_text(r)) > 0);
    }
    assert_int_equal(weft_result_read(r, 0, 0, 1, got), WEFT_OK);
    assert_string_equal(weft_result_error_text(r), "");
    free(got);
    weft_result_close(r);
    job_destroy(j);
}

static void test_progress_while_it_runs(void **state)
{
    (void)state;
    error e = {.status = WEFT_OK};
    job *j = sample_job(SAMPLE_ROWS, SAMPLE_COLUMNS, 4);
    store *s = NULL;
    weft_result_progress p;
    weft_result_run run;
    weft_result_failure failure;
    assert_int_equal(open_alone(sample_path("far.h5"), j, (store_policy){.fresh = false}, &s, &e),
                     WEFT_OK);
    weft_result *r = open_result(sample_path("far.h5"));
    assert_int_equal(weft_result_get_progress(r, &p), WEFT_OK);
    assert_int_equal(p.items_done + p.items_failed + p.tiles_done + p.tiles_bad, 0);
    assert_int_equal(p.runs + p.failures, 0);
    assert_true(p.in_use);
    assert_non_null(strstr(p.user, "pid "));
    assert_int_equal(weft_result_get_run(r, 0, &run), WEFT_ERR_USAGE);
    assert_int_equal(weft_result_get_failure(r, 0, &failure), WEFT_ERR_USAGE);
    sample_put_tile(s, j, 0, 0);
    sample_put_tile(s, j, 8, 0); /* the short one */
    sample_put_tile(s, j, 3, 2);
    /* They are given back in the order of the items. */
    const failure_row rows[] = {{.item = 15, .code = -1}, {.item = 12, .code = 5, .text = "low"}};
    assert_int_equal(tile_table_add_failures(store_ledger(s), &rows[0], 1, &e), WEFT_OK);
    assert_int_equal(tile_table_add_failures(store_ledger(s), &rows[1], 1, &e), WEFT_OK);
    run_row row = {.start = 1.7e9,
                   .end = 1.7e9 + 2,
                   .ranks = 3,
                   .workers = 9,
                   .hosts = 2,
                   .cores = 7,
                   .items = 11,
                   .failed = 2,
                   .duplicates = 1,
                   .busy = 1.5,
                   .cpu = 1.25,
                   .wait = 0.125};
    memset(row.outcome, 'o', sizeof row.outcome);
    memset(row.host_names, 'h', sizeof row.host_names);
    memset(row.command, 'c', sizeof row.command);
    assert_int_equal(tile_table_put_run(store_ledger(s), &row, &e), WEFT_OK);
    assert_int_equal(store_settle(s, &e), WEFT_OK);
    assert_int_equal(weft_result_get_progress(r, &p), WEFT_OK);
    assert_int_equal(p.tiles_done, 3);
    assert_int_equal(p.items_done, 11);
    assert_int_equal(p.items_failed, 2);
    assert_int_equal(p.tiles_bad, 0);
    assert_int_equal(p.runs, 1);
    assert_int_equal(p.failures, 2);
    assert_true(p.busy_s == 1.5);
    assert_int_equal(weft_result_get_run(r, 0, &run), WEFT_OK);
    assert_int_equal(run.ranks, 3);
    assert_int_equal(run.workers, 9);
    assert_int_equal(run.hosts, 2);
    assert_int_equal(run.cores, 7);
    assert_true(run.cpu_s == 1.25 && run.wait_s == 0.125);
    assert_int_equal(run.items, 11);
    assert_int_equal(run.failed, 2);
    assert_int_equal(run.duplicates, 1);
    assert_true(run.start_s == 1.7e9 && run.end_s == 1.7e9 + 2 && run.busy_s == 1.5);
    /* Texts that fill their place have no final zero in the file, and one here. */
    assert_int_equal(run.outcome, WEFT_OUTCOME_UNKNOWN);
    assert_int_equal(strlen(run.host_names), sizeof run.host_names - 1);
    assert_int_equal(strlen(run.command), sizeof run.command - 1);
    assert_int_equal(weft_result_get_run(r, 1, &run), WEFT_ERR_USAGE);
    assert_int_equal(weft_result_get_run(r, -1, &run), WEFT_ERR_USAGE);
    /* A row that was written last before more was recorded. */
    run_row_set_outcome(&row, WEFT_OUTCOME_RUNNING);
    row.items = 1;
    row.failed = 0;
    assert_int_equal(tile_table_put_run(store_ledger(s), &row, &e), WEFT_OK);
    assert_int_equal(store_settle(s, &e), WEFT_OK);
    assert_int_equal(weft_result_get_progress(r, &p), WEFT_OK);
    assert_int_equal(weft_result_get_run(r, 0, &run), WEFT_OK);
    assert_int_equal(run.items, p.items_done);
    assert_int_equal(run.failed, p.items_failed);
    assert_int_equal(run.outcome, WEFT_OUTCOME_RUNNING);
    assert_int_equal(weft_result_get_failure(r, 0, &failure), WEFT_OK);
    assert_int_equal(failure.item, 12);
    assert_int_equal(failure.code, 5);
    assert_string_equal(failure.text, "low");
    assert_int_equal(weft_result_get_failure(r, 1, &failure), WEFT_OK);
    assert_int_equal(failure.item, 15);
    assert_int_equal(weft_result_get_failure(r, 2, &failure), WEFT_ERR_USAGE);
    assert_int_equal(weft_result_get_failure(r, -1, &failure), WEFT_ERR_USAGE);
    store_close(s);
    assert_int_equal(weft_result_get_progress(r, &p), WEFT_OK);
    assert_false(p.in_use);
    assert_string_equal(p.user, "");
    assert_int_equal(weft_result_get_run(r, 0, &run), WEFT_OK);
    assert_int_equal(run.outcome, WEFT_OUTCOME_KILLED);
    weft_result_close(r);
    job_destroy(j);
}

typedef struct bad_tiles {
    int count;
    int64_t tile[16];
    int64_t first[16];
    int64_t items[16];
    bool record[16];
} bad_tiles;

static void note_bad(int64_t tile, int64_t first, int64_t count, const char *what, void *context)
{
    bad_tiles *b = context;
    if (b->count < 16) {
        b->tile[b->count] = tile;
        b->first[b->count] = first;
        b->items[b->count] = count;
        b->record[b->count] = strstr(what, "record") != NULL;
    }
    b->count++;
}

static void flip(const char *path, int64_t place)
{
    unsigned char byte = 0;
    const int fd = open(path, O_RDWR);
    assert_true(fd >= 0);
    assert_int_equal(pread(fd, &byte, 1, place), 1);
    byte ^= 1;
    assert_int_equal(pwrite(fd, &byte, 1, place), 1);
    assert_int_equal(close(fd), 0);
}

static void check_verify(const char *path, int64_t verified, int64_t bad, bad_tiles *found)
{
    int64_t good_now = -1;
    int64_t bad_now = -1;
    weft_result *r = open_result(path);
    memset(found, 0, sizeof *found);
    assert_int_equal(weft_result_verify(r, note_bad, found, &good_now, &bad_now),
                     bad == 0 ? WEFT_OK : WEFT_ERR_CORRUPT);
    assert_int_equal(good_now, verified);
    assert_int_equal(bad_now, bad);
    assert_int_equal(found->count, bad);
    assert_int_equal(weft_result_verify(r, NULL, NULL, &good_now, &bad_now),
                     bad == 0 ? WEFT_OK : WEFT_ERR_CORRUPT);
    weft_result_close(r);
}

static void test_verify(void **state)
{
    (void)state;
    job *j = sample_job(SAMPLE_ROWS, SAMPLE_COLUMNS, 4);
    const char *path = sample_path("verify.h5");
    bad_tiles found;
    metadata m;
    error e = {.status = WEFT_OK};
    sample_make_file(path, j);
    assert_int_equal(metadata_read(path, &m, &e), WEFT_OK);
    check_verify(path, 9, 0, &found);
    /* Each byte of each field belongs to the tile of its item. */
    for (int i = 0; i < j->fields; i++) {
        for (int64_t item = i; item < SAMPLE_ITEMS; item += 11) {
            const int64_t place = m.layout[0].field_offset[i] + job_field_bytes(j, i, item);
            flip(path, place);
            check_verify(path, 8, 1, &found);
            assert_int_equal(found.tile[0], item / 4);
            assert_int_equal(found.first[0], item / 4 * 4);
            assert_int_equal(found.items[0], item / 4 == 8 ? 3 : 4);
            assert_false(found.record[0]);
            flip(path, place);
        }
    }
    check_verify(path, 9, 0, &found);
    flip(path, m.layout[0].tiles_offset + 5 * 64 + 40);
    flip(path, m.layout[0].field_offset[0]);
    check_verify(path, 7, 2, &found);
    assert_int_equal(found.tile[0], 0);
    assert_false(found.record[0]);
    assert_int_equal(found.tile[1], 5);
    assert_true(found.record[1]);
    metadata_release(&m);
    job_destroy(j);
}

/* Coordinates have a checksum of their own. */
static void test_verify_coordinates(void **state)
{
    (void)state;
    job *j = sample_job(SAMPLE_ROWS, SAMPLE_COLUMNS, 4);
    const char *path = sample_path("coordinates.h5");
    metadata m;
    error e = {.status = WEFT_OK};
    int64_t good = -1;
    int64_t bad = -1;
    sample_make_file(path, j);
    assert_int_equal(metadata_read(path, &m, &e), WEFT_OK);
    for (int64_t byte = 0; byte < SAMPLE_ROWS * 8; byte += 7) {
        flip(path, m.layout[0].coordinate_offset[0] + byte);
        weft_result *r = open_result(path);
        assert_int_equal(weft_result_verify(r, NULL, NULL, &good, &bad), WEFT_ERR_CORRUPT);
        assert_int_equal(good, 9);
        assert_int_equal(bad, 0);
        assert_non_null(strstr(weft_result_error_text(r), "coordinates of dimension 'row'"));
        weft_result_close(r);
        flip(path, m.layout[0].coordinate_offset[0] + byte);
    }
    bad_tiles found;
    check_verify(path, 9, 0, &found);
    metadata_release(&m);
    job_destroy(j);
}

/* The items in runs that are done, or are not. */
static void test_what_is_done(void **state)
{
    (void)state;
    job *j = sample_job(SAMPLE_ROWS, SAMPLE_COLUMNS, 4);
    const char *path = sample_path("done.h5");
    metadata m;
    error e = {.status = WEFT_OK};
    weft_result_progress progress;
    bool done = true;
    int64_t count = 0;
    sample_make_file(path, j);
    assert_int_equal(metadata_read(path, &m, &e), WEFT_OK);
    flip(path, m.layout[0].tiles_offset + 2 * 64 + 40);
    flip(path, m.layout[0].tiles_offset + 3 * 64 + 40);
    weft_result *r = open_result(path);
    assert_int_equal(weft_result_get_done(r, 0, &done, &count), WEFT_OK);
    assert_false(done);
    assert_int_equal(weft_result_get_progress(r, &progress), WEFT_OK);
    static const int64_t runs[][3] = {{0, 1, 8},  {5, 1, 3},   {8, 0, 8},
                                      {15, 0, 1}, {16, 1, 19}, {34, 1, 1}};
    for (size_t i = 0; i < sizeof runs / sizeof runs[0]; i++) {
        assert_int_equal(weft_result_get_done(r, runs[i][0], &done, &count), WEFT_OK);
        assert_int_equal(done, runs[i][1]);
        assert_int_equal(count, runs[i][2]);
    }
    assert_int_equal(weft_result_get_done(r, -1, &done, &count), WEFT_ERR_USAGE);
    assert_int_equal(weft_result_get_done(r, SAMPLE_ITEMS, &done, &count), WEFT_ERR_USAGE);
    weft_result_close(r);
    metadata_release(&m);
    job_destroy(j);
}

static void test_verify_of_little(void **state)
{
    (void)state;
    error e = {.status = WEFT_OK};
    bad_tiles found;
    job *j = sample_job(0, 7, 4);
    sample_make_file(sample_path("zero.h5"), j);
    check_verify(sample_path("zero.h5"), 0, 0, &found);
    job_destroy(j);
    j = sample_job(SAMPLE_ROWS, SAMPLE_COLUMNS, 4);
    store *s = NULL;
    assert_int_equal(open_alone(sample_path("half.h5"), j, (store_policy){.fresh = false}, &s, &e),
                     WEFT_OK);
    sample_put_tile(s, j, 2, 0);
    sample_put_tile(s, j, 7, 1);
    store_close(s);
    check_verify(sample_path("half.h5"), 2, 0, &found);
    job_destroy(j);
}

/* More tiles than are read at a time, and tiles larger than that. */
static void test_verify_of_much(void **state)
{
    (void)state;
    static const int64_t grains[] = {64, 3000, 10000};
    for (int i = 0; i < 3; i++) {
        job *j = sample_job(100, 100, grains[i]);
        const char *path = sample_path("much.h5");
        bad_tiles found;
        metadata m;
        error e = {.status = WEFT_OK};
        sample_make_file(path, j);
        check_verify(path, j->tiles.tiles, 0, &found);
        assert_int_equal(metadata_read(path, &m, &e), WEFT_OK);
        flip(path, m.layout[0].field_offset[j->fields - 1] +
                       job_field_bytes(j, j->fields - 1, 10000) - 1);
        check_verify(path, j->tiles.tiles - 1, 1, &found);
        assert_int_equal(found.tile[0], j->tiles.tiles - 1);
        metadata_release(&m);
        assert_int_equal(unlink(path), 0);
        job_destroy(j);
    }
}

/* While a run is going on; of a tile whose record is torn nothing is done. */
static void test_items_that_are_done(void **state)
{
    (void)state;
    error e = {.status = WEFT_OK};
    const char *path = sample_path("items.h5");
    job *j = sample_job(SAMPLE_ROWS, SAMPLE_COLUMNS, 4);
    store *s = NULL;
    assert_int_equal(open_alone(path, j, (store_policy){.fresh = false}, &s, &e), WEFT_OK);
    weft_result *r = open_result(path);
    for (int64_t item = 0; item < SAMPLE_ITEMS; item++) {
        assert_false(weft_result_item_done(r, item));
        assert_string_equal(weft_result_error_text(r), "");
    }
    sample_put_tile(s, j, 1, 0);
    sample_put_tile(s, j, 8, 2); /* the short one, with failures */
    assert_int_equal(store_settle(s, &e), WEFT_OK);
    unsigned char got[64];
    for (int64_t item = 0; item < SAMPLE_ITEMS; item++) {
        const bool done = item / 4 == 1 || item / 4 == 8;
        assert_int_equal(weft_result_item_done(r, item), done);
        if (done) {
            unsigned char *bytes = sample_bytes(j, 0, item, 1);
            assert_int_equal(weft_result_read(r, 0, item, 1, got), WEFT_OK);
            assert_memory_equal(got, bytes, (size_t)job_field_bytes(j, 0, 1));
            free(bytes);
        }
    }
    flip(path, store_layout(s)->tiles_offset + (int64_t)sizeof(tile_record) + 20);
    assert_false(weft_result_item_done(r, 4));
    assert_true(weft_result_item_done(r, 33));
    static const int64_t bad[] = {-1, SAMPLE_ITEMS, INT64_MIN, INT64_MAX};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        assert_false(weft_result_item_done(r, bad[i]));
        assert_non_null(strstr(weft_result_error_text(r), "it has 35, from 0 on"));
    }
    store_close(s);
    weft_result_close(r);
    job_destroy(j);
}

static void add_reduction(job *j, const char *name, weft_reduction how, int field)
{
    error e = {.status = WEFT_OK};
    const reduction_value value = reduction_value_of(&how);
    job_reduction r = {
        .bytes = reduction_bytes(&how), .type = value.type, .shape = value.shape, .field = field};
    (void)snprintf(r.name, sizeof r.name, "%s", name);
    reduction_describe(&how, r.how, sizeof r.how);
    const size_t used = strlen(r.how);
    (void)snprintf(r.how + used, sizeof r.how - used, "%s", field < 0 ? "" : "; of field 'x'");
    assert_int_equal(job_add_reduction(j, &r, &e), WEFT_OK);
}

/* A reduction of every kind. */
static job *reducing_job(void)
{
    static const double numbers[] = {0, 0.25, 0.5, 1};
    static const int64_t shape[] = {2, 3};
    static const weft_reducer own = {.bytes = 48, .type = WEFT_INT64, .ndims = 2, .shape = shape};
    const weft_reduction how[WEFT_REDUCE_KINDS] = {
        [WEFT_REDUCE_SUM] = WEFT_SUM,
        [WEFT_REDUCE_INT64_SUM] = WEFT_INT64_SUM,
        [WEFT_REDUCE_MOMENTS] = WEFT_MOMENTS,
        [WEFT_REDUCE_COVARIANCE] = weft_covariance_of(2),
        [WEFT_REDUCE_EXTREMES] = WEFT_EXTREMES,
        [WEFT_REDUCE_HISTOGRAM] = weft_histogram_of(3, numbers),
        [WEFT_REDUCE_QUANTILES] = weft_quantiles_of(0.01, 0.1, 10, 4, numbers),
        [WEFT_REDUCE_OWN] = weft_reducer_of(&own)};
    error e = {.status = WEFT_OK};
    job *j = NULL;
    assert_int_equal(job_create("reducing", 1, (int64_t[]){10}, &j, &e), WEFT_OK);
    assert_int_equal(job_add_field(j, "x", WEFT_FLOAT64, 0, NULL, NULL, NULL, &e), WEFT_OK);
    for (int kind = 0; kind < WEFT_REDUCE_KINDS; kind++) {
        char name[WEFT_NAME_BYTES];
        (void)snprintf(name, sizeof name, "reduction-%d", kind);
        add_reduction(j, name, how[kind], kind % 3 == 0 ? 0 : -1);
    }
    assert_int_equal(job_settle(j, 7, 4, &e), WEFT_OK);
    return j;
}

static void check_description(weft_result *r, const job *j, int number)
{
    const weft_reduction_info *info = weft_result_reduction(r, number);
    assert_string_equal(info->name, j->reduction[number].name);
    assert_string_equal(info->what, j->reduction[number].how);
    assert_int_equal(info->kind, number);
    assert_int_equal(info->type, j->reduction[number].type);
    assert_int_equal(info->ndims, j->reduction[number].shape.ndims);
    assert_memory_equal(info->shape, j->reduction[number].shape.shape,
                        (size_t)info->ndims * sizeof info->shape[0]);
    assert_int_equal(info->value_bytes, job_value_bytes(j, number));
    assert_int_equal(weft_result_find_reduction(r, info->name), number);
}

static void test_reductions(void **state)
{
    (void)state;
    error e = {.status = WEFT_OK};
    const char *path = sample_path("reductions.h5");
    job *j = reducing_job();
    unsigned char value[256];
    unsigned char got[256];
    store *s = NULL;
    assert_int_equal(open_alone(path, j, (store_policy){.fresh = false}, &s, &e), WEFT_OK);
    weft_result *r = open_result(path);
    assert_int_equal(weft_result_describe(r)->reductions, WEFT_REDUCE_KINDS);
    assert_int_equal(weft_result_describe(r)->fields, 1);
    for (int i = 0; i < WEFT_REDUCE_KINDS; i++) {
        check_description(r, j, i);
        assert_int_equal(weft_result_get_value(r, i, got), WEFT_ERR_NOT_FOUND);
        assert_non_null(strstr(weft_result_error_text(r), "has no value yet"));
        memset(value, i + 1, sizeof value);
        assert_int_equal(store_write_value(s, i, value, &e), WEFT_OK);
        memset(got, 0, sizeof got);
        assert_int_equal(weft_result_get_value(r, i, got), WEFT_OK);
        assert_memory_equal(got, value, (size_t)job_value_bytes(j, i));
        assert_int_equal(got[job_value_bytes(j, i)], 0);
    }
    flip(path, store_layout(s)->value_offset[2] + 3);
    assert_int_equal(weft_result_get_value(r, 2, got), WEFT_ERR_CORRUPT);
    assert_non_null(strstr(weft_result_error_text(r), "'reduction-2' of map 'reducing'"));
    assert_int_equal(weft_result_get_value(r, 3, got), WEFT_OK);
    assert_int_equal(store_forget_values(s, &e), WEFT_OK);
    assert_int_equal(weft_result_get_value(r, 3, got), WEFT_ERR_NOT_FOUND);
    static const int bad[] = {-1, WEFT_REDUCE_KINDS, INT_MAX};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        assert_null(weft_result_reduction(r, bad[i]));
        assert_non_null(strstr(weft_result_error_text(r), "it has 8, from 0 on"));
        assert_int_equal(weft_result_get_value(r, bad[i], got), WEFT_ERR_USAGE);
    }
    assert_int_equal(weft_result_find_reduction(r, "x"), -1);
    assert_non_null(strstr(weft_result_error_text(r), "it has reduction-0, reduction-1, "));
    store_close(s);
    weft_result_close(r);
    job_destroy(j);
}

/* A result without reductions. */
static void test_no_reductions(void **state)
{
    (void)state;
    double value = 0;
    job *j = sample_job(SAMPLE_ROWS, SAMPLE_COLUMNS, 4);
    sample_make_file(sample_path("fields.h5"), j);
    weft_result *r = open_result(sample_path("fields.h5"));
    assert_int_equal(weft_result_describe(r)->reductions, 0);
    assert_null(weft_result_reduction(r, 0));
    assert_int_equal(weft_result_get_value(r, 0, &value), WEFT_ERR_USAGE);
    assert_int_equal(weft_result_find_reduction(r, "sum"), -1);
    assert_non_null(strstr(weft_result_error_text(r), "it has none"));
    weft_result_close(r);
    job_destroy(j);
}

static void test_needs(void **state)
{
    (void)state;
    job *j = sample_job(SAMPLE_ROWS, SAMPLE_COLUMNS, 4);
    job_add_need(j, "earlier");
    sample_make_file(sample_path("needs.h5"), j);
    weft_result *r = open_result(sample_path("needs.h5"));
    assert_int_equal(weft_result_describe(r)->needs, 1);
    assert_string_equal(weft_result_need(r, 0), "earlier");
    assert_null(weft_result_need(r, 1));
    assert_non_null(strstr(weft_result_error_text(r), "needs no map 1; it needs 1"));
    assert_null(weft_result_need(r, -1));
    weft_result_close(r);
    job_destroy(j);
}

static void test_not_there(void **state)
{
    (void)state;
    weft_result *r = NULL;
    assert_int_equal(weft_result_open(sample_path("none.h5"), &r), WEFT_ERR_NOT_FOUND);
    assert_non_null(r);
    assert_non_null(strstr(weft_result_error_text(r), "none.h5"));
    weft_result_close(r);
    assert_int_equal(weft_result_open(NULL, &r), WEFT_ERR_USAGE);
    assert_non_null(r);
    weft_result_close(r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_description),    cmocka_unit_test(test_dimensions),
        cmocka_unit_test(test_what_is_done),   cmocka_unit_test(test_verify_coordinates),
        cmocka_unit_test(test_reading),        cmocka_unit_test(test_progress_while_it_runs),
        cmocka_unit_test(test_verify),         cmocka_unit_test(test_verify_of_little),
        cmocka_unit_test(test_verify_of_much), cmocka_unit_test(test_not_there),
        cmocka_unit_test(test_needs),          cmocka_unit_test(test_reductions),
        cmocka_unit_test(test_no_reductions),  cmocka_unit_test(test_items_that_are_done),
    };
    return cmocka_run_group_tests(tests, sample_make_folder, sample_remove_folder);
}
