/* SPDX-License-Identifier: BSD-3-Clause */
#define _DEFAULT_SOURCE 1 /* mincore() */
/* Tests rank 0's books: what is put into the tables is there for the next run. */
#include "store/sample_result.h"

#include "host/usage.h"
#include "store/io/backlog.h"

#include <sys/mman.h>

weft_status __wrap_backlog_write(backlog *b, int64_t offset, const void *bytes, size_t count,
                                 error *e);
weft_status __real_backlog_write(backlog *b, int64_t offset, const void *bytes, size_t count,
                                 error *e);

/* What is asked for after that many writes never gets to the file, as if the process was killed. */
static int64_t writes_left = INT64_MAX;

weft_status __wrap_backlog_write(backlog *b, int64_t offset, const void *bytes, size_t count,
                                 error *e)
{
    return writes_left-- > 0 ? __real_backlog_write(b, offset, bytes, count, e) : WEFT_OK;
}

static job *run_record_job(int64_t count, int64_t grain)
{
    error e = {.status = WEFT_OK};
    job *j = NULL;
    assert_int_equal(job_create("books", 1, &count, &j, &e), WEFT_OK);
    assert_int_equal(job_add_field(j, "a", WEFT_INT32, 0, NULL, NULL, NULL, &e), WEFT_OK);
    assert_int_equal(job_settle(j, 0, grain, &e), WEFT_OK);
    return j;
}

static store *open_books(const char *path, job *j)
{
    error e = {.status = WEFT_OK};
    store *s = NULL;
    assert_int_equal(open_alone(path, j, (store_policy){.fresh = false}, &s, &e), WEFT_OK);
    return s;
}

static tile_record done_record(int64_t tile, uint32_t failed)
{
    tile_record record = {.state = failed > 0 ? TILE_DONE_WITH_FAILURES : TILE_DONE,
                          .attempts = 1,
                          .failed = failed,
                          .checksum = (uint64_t)tile * 77};
    tile_record_seal(&record, tile);
    return record;
}

/* What the file says of a tile. The store has been closed. */
static tile_record read_record(const char *path, int64_t at, int64_t tile)
{
    tile_record record;
    const int fd = open(path, O_RDONLY);
    assert_true(fd >= 0);
    assert_int_equal(pread(fd, &record, sizeof record, at + tile * (int64_t)sizeof record),
                     sizeof record);
    (void)close(fd);
    return record;
}

static void test_new_books_are_empty(void **state)
{
    (void)state;
    job *j = run_record_job(100, 3);
    store *s = open_books(sample_path("new.h5"), j);
    tile_table *l = store_ledger(s);
    int64_t rows = -1;
    assert_int_equal(tile_table_damaged(l), 0);
    assert_int_equal(tile_table_run(l), 0);
    (void)tile_table_failures(l, &rows);
    assert_int_equal(rows, 0);
    for (int64_t tile = 0; tile < j->tiles.tiles; tile++) {
        assert_int_equal(tile_table_state(l, tile), TILE_EMPTY);
    }
    store_close(s);
    job_destroy(j);
}

static void test_records_stay(void **state)
{
    (void)state;
    error e = {.status = WEFT_OK};
    job *j = run_record_job(100, 3);
    store *s = open_books(sample_path("records.h5"), j);
    const tile_record some[] = {done_record(5, 0), done_record(6, 0), done_record(7, 2)};
    assert_int_equal(tile_table_put(store_ledger(s), 5, 3, some, NULL, &e), WEFT_OK);
    const tile_record last = done_record(33, 0);
    assert_int_equal(tile_table_put(store_ledger(s), 33, 1, &last, NULL, &e), WEFT_OK);
    const int64_t at = store_layout(s)->tiles_offset;
    for (int again = 0; again < 2; again++) {
        const tile_table *l = store_ledger(s);
        assert_int_equal(tile_table_failed(l), again == 0 ? 0 : 2);
        for (int64_t tile = 0; tile < j->tiles.tiles; tile++) {
            const bool done = (tile >= 5 && tile <= 7) || tile == 33;
            const tile_record same = done_record(tile, tile == 7 ? 2 : 0);
            const tile_record other = done_record(tile + 1, 0);
            assert_int_equal(tile_table_state(l, tile), done ? same.state : TILE_EMPTY);
            assert_true(!done || tile_table_same(l, tile, &same));
            assert_false(done && tile_table_same(l, tile, &other));
        }
        store_close(s);
        for (int64_t tile = 0; tile < j->tiles.tiles; tile++) {
            const bool done = (tile >= 5 && tile <= 7) || tile == 33;
            const tile_record record = read_record(sample_path("records.h5"), at, tile);
            const tile_record same = done_record(tile, tile == 7 ? 2 : 0);
            assert_int_equal(tile_record_done(&record), done);
            assert_true(!done || memcmp(&record, &same, sizeof record) == 0);
        }
        s = open_books(sample_path("records.h5"), j);
    }
    store_close(s);
    job_destroy(j);
}

/* A tile with failed items is begun again and again: what is left of it is known each time, and
 * once it is whole it is forgotten. */
static void test_attempts_are_counted(void **state)
{
    (void)state;
    error e = {.status = WEFT_OK};
    const char *path = sample_path("attempts.h5");
    job *j = run_record_job(10, 1);
    store *s = open_books(path, j);
    const int64_t at = store_layout(s)->tiles_offset;
    for (int attempt = 1; attempt < 5; attempt++) {
        const tile_record record = done_record(4, attempt < 4);
        assert_int_equal(tile_table_put(store_ledger(s), 4, 1, &record, NULL, &e), WEFT_OK);
        store_close(s);
        const tile_record written = read_record(path, at, 4);
        assert_int_equal(written.attempts, attempt);
        assert_int_equal(written.state, record.state);
        assert_true(tile_record_sound(&written, 4));
        s = open_books(path, j);
        assert_int_equal(tile_table_damaged(store_ledger(s)), 0);
        const tile_past *past = tile_table_past(store_ledger(s), 4);
        assert_null(tile_table_past(store_ledger(s), 3));
        assert_int_equal(past != NULL, attempt < 4);
        if (past != NULL) {
            assert_int_equal(past->attempts, attempt);
            assert_int_equal(past->failed, 1);
            assert_true(past->checksum == record.checksum);
            assert_int_equal(past->state, TILE_DONE_WITH_FAILURES);
            assert_int_equal(tile_table_reopen_failed(store_ledger(s), &e), WEFT_OK);
            assert_int_equal(tile_table_state(store_ledger(s), 4), TILE_EMPTY);
            store_close(s);
            s = open_books(path, j);
            past = tile_table_past(store_ledger(s), 4);
            assert_int_equal(tile_table_damaged(store_ledger(s)), 0);
            assert_int_equal(tile_table_failed(store_ledger(s)), 0);
            assert_int_equal(tile_table_state(store_ledger(s), 4), TILE_EMPTY);
            assert_non_null(past);
            assert_int_equal(past->failed, 1);
            assert_true(past->checksum == record.checksum);
            assert_int_equal(past->state, TILE_EMPTY);
        }
    }
    store_close(s);
    job_destroy(j);
}

static int64_t count_failures(const tile_table *l, int64_t first, int64_t end)
{
    int64_t rows = 0;
    int64_t count = 0;
    const failure_row *row = tile_table_failures(l, &rows);
    for (int64_t i = 0; i < rows; i++) {
        count += row[i].code != 0 && row[i].item >= first && row[i].item < end;
    }
    return count;
}

static void test_failures_stay_and_are_cleared_with_their_tile(void **state)
{
    (void)state;
    error e = {.status = WEFT_OK};
    job *j = run_record_job(100, 5);
    store *s = open_books(sample_path("failures.h5"), j);
    const tile_record some[] = {done_record(2, 2), done_record(3, 1)};
    assert_int_equal(tile_table_put(store_ledger(s), 2, 2, some, NULL, &e), WEFT_OK);
    static const int64_t items[] = {11, 13, 19};
    for (int i = 0; i < 3; i++) {
        failure_row row = {.item = items[i], .code = 100 + i};
        (void)snprintf(row.text, sizeof row.text, "item %d", (int)items[i]);
        assert_int_equal(tile_table_add_failures(store_ledger(s), &row, 1, &e), WEFT_OK);
    }
    store_close(s);
    s = open_books(sample_path("failures.h5"), j);
    int64_t rows = 0;
    const failure_row *row = tile_table_failures(store_ledger(s), &rows);
    assert_int_equal(rows, 3);
    for (int i = 0; i < 3; i++) {
        char text[32];
        (void)snprintf(text, sizeof text, "item %d", (int)items[i]);
        assert_int_equal(row[i].item, items[i]);
        assert_int_equal(row[i].code, 100 + i);
        assert_string_equal(row[i].text, text);
    }
    const tile_record better = done_record(2, 0);
    assert_int_equal(tile_table_put(store_ledger(s), 2, 1, &better, NULL, &e), WEFT_OK);
    assert_int_equal(count_failures(store_ledger(s), 10, 15), 0);
    assert_int_equal(count_failures(store_ledger(s), 0, 100), 1);
    store_close(s);
    s = open_books(sample_path("failures.h5"), j);
    assert_int_equal(count_failures(store_ledger(s), 0, 100), 1);
    assert_int_equal(count_failures(store_ledger(s), 19, 20), 1);
    /* Rows that were cleared are used again, and those behind the last, also at once. */
    const failure_row more[] = {{.item = 1, .code = 1},
                                {.item = 2, .code = 2},
                                {.item = 3, .code = 3},
                                {.item = 4, .code = 4}};
    assert_int_equal(tile_table_add_failures(store_ledger(s), more, 1, &e), WEFT_OK);
    (void)tile_table_failures(store_ledger(s), &rows);
    assert_int_equal(rows, 3);
    assert_int_equal(tile_table_add_failures(store_ledger(s), more + 1, 3, &e), WEFT_OK);
    store_close(s);
    s = open_books(sample_path("failures.h5"), j);
    row = tile_table_failures(store_ledger(s), &rows);
    assert_int_equal(rows, 5);
    for (int i = 0; i < 4; i++) {
        assert_int_equal(count_failures(store_ledger(s), more[i].item, more[i].item + 1), 1);
    }
    assert_int_equal(row[2].item, 19);
    store_close(s);
    job_destroy(j);
}

/* Tiles 1 and 3 have failed items and are computed again, and well, in a run with tiles 2 and 4,
 * which are new; that run is killed after some writes. */
static void die_in_retry(const char *path, job *j, int64_t writes)
{
    error e = {.status = WEFT_OK};
    store *s = open_books(path, j);
    for (int64_t tile = 1; tile <= 3; tile += 2) {
        const tile_record bad = done_record(tile, 2);
        assert_int_equal(tile_table_put(store_ledger(s), tile, 1, &bad, NULL, &e), WEFT_OK);
        for (int64_t item = 5 * tile; item < 5 * tile + 2; item++) {
            const failure_row row = {.item = item, .code = 1};
            assert_int_equal(tile_table_add_failures(store_ledger(s), &row, 1, &e), WEFT_OK);
        }
    }
    store_close(s);
    s = open_books(path, j);
    assert_int_equal(tile_table_reopen_failed(store_ledger(s), &e), WEFT_OK);
    const tile_record good[] = {done_record(1, 0), done_record(2, 0), done_record(3, 0),
                                done_record(4, 0)};
    writes_left = writes;
    assert_int_equal(tile_table_put(store_ledger(s), 1, 4, good, NULL, &e), WEFT_OK);
    store_close(s);
    writes_left = INT64_MAX;
}

/* Once the record of a tile says that nothing has failed, nobody looks for its failures again: they
 * are gone before, and the record counts the attempts. */
static void test_failures_go_before_the_record_comes(void **state)
{
    (void)state;
    enum { WRITES = 8 }; /* four rows, and a record per tile */
    const char *path = sample_path("killed.h5");
    job *j = run_record_job(100, 5);
    for (int64_t writes = 0; writes <= WRITES; writes++) {
        die_in_retry(path, j, writes);
        store *s = open_books(path, j);
        const int64_t at = store_layout(s)->tiles_offset;
        for (int64_t tile = 1; tile <= 4; tile++) {
            const tile_record record = read_record(path, at, tile);
            const bool done = tile_record_done(&record);
            assert_true(done || writes < WRITES);
            if (done) {
                assert_int_equal(count_failures(store_ledger(s), 5 * tile, 5 * tile + 5), 0);
                assert_int_equal(record.attempts, tile % 2 == 1 ? 2 : 1);
            } else {
                assert_int_equal(tile_table_past(store_ledger(s), tile) != NULL, tile % 2 == 1);
            }
        }
        store_close(s);
        assert_int_equal(unlink(path), 0);
    }
    job_destroy(j);
}

static void test_full_table_of_failures(void **state)
{
    (void)state;
    error e = {.status = WEFT_OK};
    job *j = run_record_job(100, 5);
    store *s = open_books(sample_path("full.h5"), j);
    const int64_t room = store_layout(s)->failure_rows;
    assert_true(room > 0);
    int64_t rows = 0;
    (void)tile_table_failures(store_ledger(s), &rows);
    const failure_row row = {.item = 3, .code = 1};
    for (int64_t i = 0; i < room + 20; i++) {
        assert_int_equal(tile_table_add_failures(store_ledger(s), &row, 1, &e), WEFT_OK);
    }
    (void)tile_table_failures(store_ledger(s), &rows);
    assert_int_equal(rows, room);
    store_close(s);
    s = open_books(sample_path("full.h5"), j);
    assert_int_equal(tile_table_run(store_ledger(s)), 0);
    (void)tile_table_failures(store_ledger(s), &rows);
    assert_int_equal(rows, room);
    store_close(s);
    job_destroy(j);
}

/* One failed item in each of as many tiles as the table has rows. */
static int64_t fill_table(tile_table *l, int64_t rows)
{
    error e = {.status = WEFT_OK};
    const int64_t start_ns = usage_cpu_ns();
    for (int64_t tile = 0; tile < rows; tile++) {
        const tile_record record = done_record(tile, 1);
        const failure_row row = {.item = 5 * tile, .code = 1};
        assert_int_equal(tile_table_put(l, tile, 1, &record, NULL, &e), WEFT_OK);
        assert_int_equal(tile_table_add_failures(l, &row, 1, &e), WEFT_OK);
    }
    return usage_cpu_ns() - start_ns;
}

/* A failure is added, left out and cleared in a time that does not depend on how many there are:
 * with a look at each of 8192 rows a million of them took seconds of rank 0's time. */
static void test_failures_take_constant_time(void **state)
{
    (void)state;
    enum { TIMES = 200 };
    error e = {.status = WEFT_OK};
    job *j = run_record_job(50000, 5);
    store *s = open_books(sample_path("constant.h5"), j);
    tile_table *l = store_ledger(s);
    const int64_t room = store_layout(s)->failure_rows;
    const int64_t first_ns = fill_table(l, room);
    const int64_t again_ns = fill_table(l, room);
    const int64_t start_ns = usage_cpu_ns();
    for (int64_t i = 0; i < TIMES * room; i++) {
        const failure_row row = {.item = i % j->items.count, .code = 1};
        assert_int_equal(tile_table_add_failures(l, &row, 1, &e), WEFT_OK);
    }
    const int64_t left_out_ns = usage_cpu_ns() - start_ns;
    assert_true(again_ns < 10 * first_ns + 20000000);
    assert_true(left_out_ns < TIMES * first_ns / 2 + 20000000);
    assert_int_equal(count_failures(l, 0, j->items.count), room);
    for (int64_t tile = 0; tile < room; tile += 1000) {
        assert_int_equal(count_failures(l, 5 * tile, 5 * tile + 5), 1);
    }
    store_close(s);
    job_destroy(j);
}

static void test_rows_of_runs(void **state)
{
    (void)state;
    error e = {.status = WEFT_OK};
    job *j = run_record_job(10, 1);
    int64_t room = 0;
    for (int run = 0; run < 3; run++) {
        store *s = open_books(sample_path("runs.h5"), j);
        room = store_layout(s)->run_rows;
        assert_int_equal(tile_table_run(store_ledger(s)), run);
        assert_int_equal(tile_table_idle_before(store_ledger(s)), run > 0);
        const run_row row = {.start = 1.7e9 + run, .ranks = run + 1, .outcome = "stopped"};
        assert_int_equal(tile_table_put_run(store_ledger(s), &row, &e), WEFT_OK);
        store_close(s);
    }
    /* When the table is full its last row is used again, and nothing behind it is touched. */
    store *s = open_books(sample_path("runs.h5"), j);
    const int64_t at = store_layout(s)->runs_offset;
    store_close(s);
    run_row row = {.start = 1.7e9, .outcome = "stopped"};
    const int fd = open(sample_path("runs.h5"), O_WRONLY);
    assert_true(fd >= 0);
    for (int64_t i = 3; i < room; i++) {
        row.items = i < room - 1;
        assert_int_equal(pwrite(fd, &row, sizeof row, at + i * (int64_t)sizeof row), sizeof row);
    }
    (void)close(fd);
    s = open_books(sample_path("runs.h5"), j);
    assert_int_equal(tile_table_run(store_ledger(s)), room - 1);
    assert_true(tile_table_idle_before(store_ledger(s)));
    store_close(s);
    job_destroy(j);
}

/* How many pages of memory are there. */
static int64_t count_pages(const void *memory, size_t bytes)
{
    const size_t page = (size_t)sysconf(_SC_PAGESIZE);
    const uintptr_t first = (uintptr_t)memory / page * page;
    const size_t pages = ((uintptr_t)memory + bytes - first + page - 1) / page;
    unsigned char *there = calloc(pages, 1);
    int64_t count = 0;
    assert_non_null(there);
    /* NOLINTNEXTLINE(performance-no-int-to-ptr) */
    assert_int_equal(mincore((void *)first, pages * page, there), 0);
    for (size_t i = 0; i < pages; i++) {
        count += there[i] & 1;
    }
    free(there);
    return count;
}

/* The table of failures has room for many, and most maps have none. */
static void test_what_is_not_used_is_not_touched(void **state)
{
    (void)state;
    error e = {.status = WEFT_OK};
    int64_t rows = -1;
    job *j = run_record_job(200000, 1);
    store *s = open_books(sample_path("untouched.h5"), j);
    tile_table *l = store_ledger(s);
    const failure_row *failures = tile_table_failures(l, &rows);
    const size_t bytes = (size_t)store_layout(s)->failure_rows * sizeof *failures;
    assert_int_equal(rows, 0);
    assert_int_equal(count_pages(failures, bytes), 0);
    const failure_row one = {.item = 7, .code = 5};
    assert_int_equal(tile_table_add_failures(l, &one, 1, &e), WEFT_OK);
    assert_int_equal(count_pages(failures, bytes), 1);
    store_close(s);
    job_destroy(j);
}

static void flip_bit(const char *path, int64_t at)
{
    unsigned char byte = 0;
    const int fd = open(path, O_RDWR);
    assert_true(fd >= 0);
    assert_int_equal(pread(fd, &byte, 1, at), 1);
    byte ^= 0x10;
    assert_int_equal(pwrite(fd, &byte, 1, at), 1);
    (void)close(fd);
}

/* A damaged record is an empty one, and the others are what they were. */
static void test_damaged_records_are_empty(void **state)
{
    (void)state;
    error e = {.status = WEFT_OK};
    job *j = run_record_job(50, 1);
    store *s = open_books(sample_path("torn.h5"), j);
    for (int64_t tile = 0; tile < 50; tile++) {
        const tile_record record = done_record(tile, 0);
        assert_int_equal(tile_table_put(store_ledger(s), tile, 1, &record, NULL, &e), WEFT_OK);
    }
    const int64_t at = store_layout(s)->tiles_offset;
    store_close(s);
    for (int64_t tile = 0; tile < 50; tile += 7) {
        flip_bit(sample_path("torn.h5"), at + tile * 64 + tile % 64);
    }
    s = open_books(sample_path("torn.h5"), j);
    assert_int_equal(tile_table_damaged(store_ledger(s)), 8);
    for (int64_t tile = 0; tile < 50; tile++) {
        assert_int_equal(tile_table_state(store_ledger(s), tile),
                         tile % 7 != 0 ? TILE_DONE : TILE_EMPTY);
    }
    store_close(s);
    job_destroy(j);
}

/* The rows of a tile whose record is damaged go when it has been computed again; a row about an
 * item that has not failed goes at once. */
static void test_rows_of_damaged_records_go(void **state)
{
    (void)state;
    const char *path = sample_path("damaged.h5");
    error e = {.status = WEFT_OK};
    job *j = run_record_job(100, 5);
    store *s = open_books(path, j);
    const tile_record some[] = {done_record(2, 2), done_record(3, 1), done_record(4, 0)};
    assert_int_equal(tile_table_put(store_ledger(s), 2, 3, some, NULL, &e), WEFT_OK);
    static const int64_t items[] = {11, 13, 16, 21, 100};
    for (int i = 0; i < 5; i++) {
        const failure_row row = {.item = items[i], .code = 1};
        assert_int_equal(tile_table_add_failures(store_ledger(s), &row, 1, &e), WEFT_OK);
    }
    const int64_t at = store_layout(s)->tiles_offset;
    store_close(s);
    flip_bit(path, at + 2 * (int64_t)sizeof some[0]);
    s = open_books(path, j);
    assert_int_equal(tile_table_state(store_ledger(s), 2), TILE_EMPTY);
    assert_int_equal(count_failures(store_ledger(s), 10, 15), 2);
    assert_int_equal(count_failures(store_ledger(s), 0, 200), 3);
    const tile_record again[] = {done_record(1, 0), done_record(2, 1)};
    assert_int_equal(tile_table_put(store_ledger(s), 1, 2, again, NULL, &e), WEFT_OK);
    assert_int_equal(count_failures(store_ledger(s), 0, 200), 1);
    store_close(s);
    s = open_books(path, j);
    assert_int_equal(count_failures(store_ledger(s), 0, 200), 1);
    assert_int_equal(count_failures(store_ledger(s), 16, 17), 1);
    store_close(s);
    job_destroy(j);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_new_books_are_empty),
        cmocka_unit_test(test_what_is_not_used_is_not_touched),
        cmocka_unit_test(test_records_stay),
        cmocka_unit_test(test_attempts_are_counted),
        cmocka_unit_test(test_failures_stay_and_are_cleared_with_their_tile),
        cmocka_unit_test(test_failures_go_before_the_record_comes),
        cmocka_unit_test(test_full_table_of_failures),
        cmocka_unit_test(test_failures_take_constant_time),
        cmocka_unit_test(test_rows_of_runs),
        cmocka_unit_test(test_damaged_records_are_empty),
        cmocka_unit_test(test_rows_of_damaged_records_go),
    };
    return cmocka_run_group_tests(tests, sample_make_folder, sample_remove_folder);
}
