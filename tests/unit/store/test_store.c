/* SPDX-License-Identifier: BSD-3-Clause */
/* Tests the open result: writing in place, resuming, refusing another job's file untouched. */
#include "store/sample_result.h"

#include "base/clock.h"
#include "store/syncer.h"

#include <pthread.h>
#include <stdatomic.h>

int __wrap_fdatasync(int fd);
int __real_fdatasync(int fd);

enum { LIMIT_S = 600 };

static atomic_bool disk_is_silent;

int __wrap_fdatasync(int fd)
{
    while (atomic_load(&disk_is_silent)) {
        clock_sleep_ns(1000000);
    }
    return __real_fdatasync(fd);
}

static const store_policy resume = {.fresh = false};

static weft_status try_open(const char *path, job *j, store_policy policy, error *e)
{
    store *s = NULL;
    e->status = WEFT_OK;
    e->text[0] = '\0';
    const weft_status status = open_alone(path, j, policy, &s, e);
    assert_true((status == WEFT_OK) == (s != NULL));
    store_close(s);
    return status;
}

static void test_bytes_come_back(void **state)
{
    (void)state;
    error e = {.status = WEFT_OK};
    job *j = sample_job(SAMPLE_ROWS, SAMPLE_COLUMNS, 4);
    store *s = NULL;
    assert_int_equal(open_alone(sample_path("bytes.h5"), j, resume, &s, &e), WEFT_OK);
    static const int64_t order[] = {30, 0, 34, 17, 1};
    for (int i = 0; i < j->fields; i++) {
        for (int k = 0; k < 5; k++) {
            unsigned char *bytes = sample_bytes(j, i, order[k], 1);
            assert_int_equal(store_write(s, i, order[k], 1, bytes, &e), WEFT_OK);
            free(bytes);
        }
    }
    for (int i = 0; i < j->fields; i++) {
        for (int k = 0; k < 5; k++) {
            unsigned char *bytes = sample_bytes(j, i, order[k], 1);
            unsigned char got[1024];
            assert_int_equal(store_read(s, i, order[k], 1, got, &e), WEFT_OK);
            assert_memory_equal(got, bytes, (size_t)job_field_bytes(j, i, 1));
            free(bytes);
        }
    }
    store_touch(s);
    assert_int_equal(store_sync(s, &e), WEFT_OK);
    store_close(s);
    store_close(NULL);
    assert_false(sample_exists(sample_path("bytes.h5.lock")));
    job_destroy(j);
}

static void test_other_ranks_attach(void **state)
{
    (void)state;
    error e = {.status = WEFT_OK};
    job *j = sample_job(SAMPLE_ROWS, SAMPLE_COLUMNS, 4);
    store *s = NULL;
    store *other = NULL;
    const char *path = sample_path("attach.h5");
    assert_int_equal(open_alone(path, j, resume, &s, &e), WEFT_OK);
    assert_int_equal(store_attach(path, j, store_layout(s), &other, &e), WEFT_OK);
    unsigned char *bytes = sample_bytes(j, 2, 10, 6);
    unsigned char got[1024];
    assert_int_equal(store_write(other, 2, 10, 6, bytes, &e), WEFT_OK);
    assert_int_equal(store_read(s, 2, 10, 6, got, &e), WEFT_OK);
    assert_memory_equal(got, bytes, (size_t)job_field_bytes(j, 2, 6));
    free(bytes);
    store_close(other);
    assert_true(sample_exists(sample_path("attach.h5.lock")));
    /* A path that leads to another file, as where a file system is not shared. */
    other = NULL;
    metadata_layout elsewhere = *store_layout(s);
    elsewhere.inode++;
    assert_int_equal(store_attach(path, j, &elsewhere, &other, &e), WEFT_ERR_SYSTEM);
    assert_non_null(strstr(e.text, "another file"));
    elsewhere = *store_layout(s);
    elsewhere.file_bytes = INT64_MAX;
    assert_int_equal(store_attach(path, j, &elsewhere, &other, &e), WEFT_ERR_SYSTEM);
    assert_int_equal(store_attach(sample_path("none.h5"), j, store_layout(s), &other, &e),
                     WEFT_ERR_SYSTEM);
    assert_null(other);
    store_close(s);
    job_destroy(j);
}

static void test_resume(void **state)
{
    (void)state;
    error e = {.status = WEFT_OK};
    job *j = sample_job(SAMPLE_ROWS, SAMPLE_COLUMNS, 4);
    const char *path = sample_path("resume.h5");
    sample_make_file(path, j);
    size_t count = 0;
    unsigned char *before = sample_read(path, &count);
    store *s = NULL;
    assert_int_equal(open_alone(path, j, resume, &s, &e), WEFT_OK);
    assert_int_equal(tile_table_run(store_ledger(s)), 1);
    for (int64_t tile = 0; tile < j->tiles.tiles; tile++) {
        assert_int_equal(tile_table_state(store_ledger(s), tile), TILE_DONE);
    }
    store_close(s);
    assert_true(sample_same(path, before, count));
    free(before);
    job_destroy(j);
}

static void test_grain_of_the_file(void **state)
{
    (void)state;
    error e = {.status = WEFT_OK};
    job *j = sample_job(SAMPLE_ROWS, SAMPLE_COLUMNS, 4);
    const char *path = sample_path("grain.h5");
    sample_make_file(path, j);
    job_destroy(j);
    j = sample_job(SAMPLE_ROWS, SAMPLE_COLUMNS, 3);
    assert_int_equal(try_open(path, j, resume, &e), WEFT_ERR_OTHER_JOB);
    assert_non_null(strstr(e.text, "the grain is 4 in the file and 3 in this run"));
    assert_int_equal(j->tiles.grain, 3);
    assert_int_equal(try_open(path, j, (store_policy){.adopt_grain = true}, &e), WEFT_OK);
    assert_int_equal(j->tiles.grain, 4);
    assert_int_equal(j->tiles.tiles, 9);
    job_destroy(j);
}

/* A job that differs from the sample in one thing; the engine's store never says why by itself. */
static job *make_other(int what)
{
    error e = {.status = WEFT_OK};
    job *j = what == 0 ? sample_job(SAMPLE_ROWS, SAMPLE_COLUMNS + 1, 4)
                       : sample_job(SAMPLE_ROWS, SAMPLE_COLUMNS, what == 1 ? 5 : 4);
    if (what == 2) {
        assert_int_equal(job_settle(j, 5, 4, &e), WEFT_OK);
    } else if (what == 3) {
        sample_parameter(j, JOB_INT64, "one-more", 5, 0, "");
    } else if (what == 4) {
        assert_int_equal(job_add_field(j, "one-more", WEFT_INT8, 0, NULL, NULL, NULL, &e), WEFT_OK);
        assert_int_equal(job_settle(j, j->seed, 4, &e), WEFT_OK);
    } else if (what == 5) {
        (void)snprintf(j->name, sizeof j->name, "simple");
    } else if (what == 6) {
        j->parameter[2].text[0] = 'b';
    } else if (what == 7) {
        j->field[3].fill[0] ^= 1;
    }
    return j;
}

static void test_other_jobs_file_is_refused_untouched(void **state)
{
    (void)state;
    static const char *const named[] = {"the shape",          "the grain",        "the seed",
                                        "'one-more'",         "field 'one-more'", "the map",
                                        "parameter 'source'", "fill value"};
    error e = {.status = WEFT_OK};
    job *j = sample_job(SAMPLE_ROWS, SAMPLE_COLUMNS, 4);
    const char *path = sample_path("other.h5");
    sample_make_file(path, j);
    job_destroy(j);
    size_t count = 0;
    unsigned char *before = sample_read(path, &count);
    struct stat old;
    struct stat now;
    assert_int_equal(stat(path, &old), 0);
    for (int what = 0; what < 8; what++) {
        j = make_other(what);
        assert_int_equal(try_open(path, j, resume, &e), WEFT_ERR_OTHER_JOB);
        assert_non_null(strstr(e.text, path));
        assert_non_null(strstr(e.text, named[what]));
        assert_true(sample_same(path, before, count));
        assert_int_equal(stat(path, &now), 0);
        assert_true(now.st_ino == old.st_ino && now.st_mtim.tv_sec == old.st_mtim.tv_sec &&
                    now.st_mtim.tv_nsec == old.st_mtim.tv_nsec);
        assert_false(sample_exists(sample_path("other.h5.lock")));
        assert_false(sample_exists(sample_path("other.h5.new")));
        assert_false(sample_exists(sample_path("other.h5.bak")));
        job_destroy(j);
    }
    free(before);
}

static void test_fresh_moves_to_backup(void **state)
{
    (void)state;
    error e = {.status = WEFT_OK};
    job *j = sample_job(SAMPLE_ROWS, SAMPLE_COLUMNS, 4);
    job *other = make_other(3);
    const char *path = sample_path("fresh.h5");
    const char *backup = sample_path("fresh.h5.bak");
    sample_make_file(path, j);
    size_t count = 0;
    unsigned char *before = sample_read(path, &count);
    assert_int_equal(try_open(path, other, (store_policy){.fresh = true}, &e), WEFT_OK);
    assert_true(sample_same(backup, before, count));
    assert_int_equal(try_open(path, j, resume, &e), WEFT_ERR_OTHER_JOB);
    assert_int_equal(try_open(path, other, resume, &e), WEFT_OK);
    free(before);
    /* With nothing to move it is as without. */
    assert_int_equal(try_open(sample_path("fresh2.h5"), j, (store_policy){.fresh = true}, &e),
                     WEFT_OK);
    assert_false(sample_exists(sample_path("fresh2.h5.bak")));
    job_destroy(other);
    job_destroy(j);
}

/* An earlier file makes way once its successor is whole, and not before it is known that there can
 * be none. */
static void test_fresh_in_vain(void **state)
{
    (void)state;
    error e = {.status = WEFT_OK};
    job *j = sample_job(SAMPLE_ROWS, SAMPLE_COLUMNS, 4);
    const char *path = sample_path("vain.h5");
    sample_make_file(path, j);
    sample_write(sample_path("vain.h5.new"), "my notes", 8);
    size_t count = 0;
    unsigned char *before = sample_read(path, &count);
    assert_int_equal(try_open(path, j, (store_policy){.fresh = true}, &e), WEFT_ERR_FORMAT);
    assert_non_null(strstr(e.text, "vain.h5.new is in the way"));
    assert_true(sample_same(path, before, count));
    assert_false(sample_exists(sample_path("vain.h5.bak")));
    free(before);
    job_destroy(j);
}

/* Two names of one file, by a link: one lock, and a file that is made where the link leads. */
static void test_through_a_link(void **state)
{
    (void)state;
    error e = {.status = WEFT_OK};
    job *j = sample_job(SAMPLE_ROWS, SAMPLE_COLUMNS, 4);
    job *second = sample_job(SAMPLE_ROWS, SAMPLE_COLUMNS, 4);
    const char *link = sample_path("link.h5");
    const char *file = sample_path("disk.h5");
    store *s = NULL;
    store *other = NULL;
    struct stat status;
    assert_int_equal(symlink("disk.h5", link), 0);
    for (int fresh = 0; fresh < 2; fresh++) {
        assert_int_equal(open_alone(link, j, (store_policy){.fresh = fresh == 1}, &s, &e), WEFT_OK);
        assert_int_equal(lstat(link, &status), 0);
        assert_true(S_ISLNK(status.st_mode));
        assert_int_equal(lstat(file, &status), 0);
        assert_true(S_ISREG(status.st_mode));
        assert_true(sample_exists(sample_path("disk.h5.lock")));
        assert_int_equal(try_open(file, second, resume, &e), WEFT_ERR_BUSY);
        assert_int_equal(try_open(link, second, (store_policy){.fresh = true}, &e), WEFT_ERR_BUSY);
        assert_int_equal(store_attach(link, j, store_layout(s), &other, &e), WEFT_OK);
        store_close(other);
        store_close(s);
        assert_int_equal(sample_exists(sample_path("disk.h5.bak")), fresh);
    }
    assert_false(sample_exists(sample_path("link.h5.bak")));
    job_destroy(second);
    job_destroy(j);
}

static void test_in_use(void **state)
{
    (void)state;
    error e = {.status = WEFT_OK};
    job *j = sample_job(SAMPLE_ROWS, SAMPLE_COLUMNS, 4);
    const char *path = sample_path("busy.h5");
    store *s = NULL;
    assert_int_equal(open_alone(path, j, resume, &s, &e), WEFT_OK);
    size_t count = 0;
    unsigned char *before = sample_read(path, &count);
    job *second = sample_job(SAMPLE_ROWS, SAMPLE_COLUMNS, 4);
    assert_int_equal(try_open(path, second, resume, &e), WEFT_ERR_BUSY);
    assert_int_equal(try_open(path, second, (store_policy){.fresh = true}, &e), WEFT_ERR_BUSY);
    assert_true(sample_same(path, before, count));
    assert_false(sample_exists(sample_path("busy.h5.bak")));
    store_close(s);
    assert_int_equal(try_open(path, second, resume, &e), WEFT_OK);
    free(before);
    job_destroy(second);
    job_destroy(j);
}

static void test_folders(void **state)
{
    (void)state;
    error e = {.status = WEFT_OK};
    job *j = sample_job(SAMPLE_ROWS, SAMPLE_COLUMNS, 4);
    assert_int_equal(try_open(sample_path("none/a.h5"), j, resume, &e), WEFT_ERR_USAGE);
    assert_non_null(strstr(e.text, "none/a.h5"));
    assert_int_equal(mkdir(sample_path("folder.h5"), 0777), 0);
    assert_int_equal(try_open(sample_path("folder.h5"), j, resume, &e), WEFT_ERR_USAGE);
    assert_non_null(strstr(e.text, "names a folder"));
    job_destroy(j);
}

static void test_no_items(void **state)
{
    (void)state;
    error e = {.status = WEFT_OK};
    job *j = sample_job(3, 0, 4);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(try_open(sample_path("zero.h5"), j, resume, &e), WEFT_OK);
    }
    job_destroy(j);
}

/* Threads that write to one file at a time. */
typedef struct writer {
    store *store;
    const job *job;
    int64_t first;
    weft_status status;
} writer;

static void *write_items(void *argument)
{
    writer *w = argument;
    for (int64_t item = w->first; item < w->job->items.count; item += 4) {
        for (int i = 0; i < w->job->fields && w->status == WEFT_OK; i++) {
            error e = {.status = WEFT_OK};
            unsigned char bytes[1024];
            const int64_t count = job_field_bytes(w->job, i, 1);
            for (int64_t k = 0; k < count; k++) {
                bytes[k] = sample_byte(i, item * count + k);
            }
            w->status = store_write(w->store, i, item, 1, bytes, &e);
        }
    }
    return NULL;
}

static void test_threads_write_side_by_side(void **state)
{
    (void)state;
    error e = {.status = WEFT_OK};
    job *j = sample_job(40, 25, 4);
    store *s = NULL;
    syncer *y = NULL;
    assert_int_equal(open_alone(sample_path("threads.h5"), j, resume, &s, &e), WEFT_OK);
    assert_int_equal(syncer_create(s, NULL, NULL, &y, &e), WEFT_OK);
    pthread_t threads[4];
    writer writers[4];
    for (int i = 0; i < 4; i++) {
        writers[i] = (writer){.store = s, .job = j, .first = i};
        assert_int_equal(pthread_create(&threads[i], NULL, write_items, &writers[i]), 0);
    }
    syncer_ask(y);
    for (int i = 0; i < 4; i++) {
        (void)pthread_join(threads[i], NULL);
    }
    for (int i = 0; i < 4; i++) {
        assert_int_equal(writers[i].status, WEFT_OK);
    }
    for (int i = 0; i < j->fields; i++) {
        unsigned char *bytes = sample_bytes(j, i, 0, 1000);
        unsigned char *got = malloc((size_t)job_field_bytes(j, i, 1000));
        assert_int_equal(store_read(s, i, 0, 1000, got, &e), WEFT_OK);
        assert_memory_equal(got, bytes, (size_t)job_field_bytes(j, i, 1000));
        free(got);
        free(bytes);
    }
    syncer_destroy(y);
    store_close(s);
    job_destroy(j);
}

static void test_syncer(void **state)
{
    (void)state;
    error e = {.status = WEFT_OK};
    job *j = sample_job(SAMPLE_ROWS, SAMPLE_COLUMNS, 4);
    store *s = NULL;
    syncer *y = NULL;
    assert_int_equal(open_alone(sample_path("sync.h5"), j, resume, &s, &e), WEFT_OK);
    assert_int_equal(syncer_create(s, NULL, NULL, &y, &e), WEFT_OK);
    assert_false(syncer_busy(y));
    for (int i = 0; i < 3; i++) {
        syncer_ask(y);
        for (int k = 0; k < 20000 && syncer_busy(y); k++) {
            clock_sleep_ns(1000000);
        }
        assert_false(syncer_busy(y));
        assert_true(syncer_seconds(y) >= 0);
        assert_int_equal(syncer_status(y, &e), WEFT_OK);
    }
    syncer_ask(y);
    syncer_destroy(y);
    syncer_destroy(NULL);
    store_close(s);
    job_destroy(j);
}

static void count_call(void *calls)
{
    atomic_fetch_add((atomic_int *)calls, 1);
}

/* Who waits for the file to be closed is woken, and nobody for the records of a run that goes on.
 * Once all is written the writing thread makes its call. */
static void test_wakes_at_the_end(void **state)
{
    (void)state;
    error e = {.status = WEFT_OK};
    store *s = NULL;
    atomic_int calls = 0;
    job *j = sample_job(SAMPLE_ROWS, SAMPLE_COLUMNS, 4);
    assert_int_equal(open_alone(sample_path("wakes.h5"), j, resume, &s, &e), WEFT_OK);
    store_set_wake(s, count_call, &calls);
    store_touch(s);
    assert_int_equal(store_settle(s, &e), WEFT_OK);
    assert_int_equal(atomic_load(&calls), 0);
    store_flush(s, false);
    const int64_t end_ns = clock_now_ns() + INT64_C(600000000000);
    while (atomic_load(&calls) == 0 && clock_now_ns() < end_ns) {
        clock_sleep_ns(100000);
    }
    assert_int_equal(atomic_load(&calls), 1);
    store_set_wake(s, NULL, NULL);
    store_close(s);
    job_destroy(j);
}

/* Who leaves a disk that does not answer keeps the lock, which the writing thread still uses. */
static void test_leaving(void **state)
{
    (void)state;
    error e = {.status = WEFT_OK};
    job *j = sample_job(SAMPLE_ROWS, SAMPLE_COLUMNS, 4);
    store *s = NULL;
    assert_int_equal(open_alone(sample_path("leave.h5"), j, resume, &s, &e), WEFT_OK);
    atomic_store(&disk_is_silent, true);
    store_flush(s, true);
    store_flush(s, false);
    store_leave(s);
    assert_true(sample_exists(sample_path("leave.h5.lock")));
    atomic_store(&disk_is_silent, false);
    assert_int_equal(store_settle(s, &e), WEFT_OK);
    store_leave(s);
    assert_false(sample_exists(sample_path("leave.h5.lock")));
    store_close(s);
    job_destroy(j);
}

/* The thread of a store looks, and all that follows fails. */
static void test_store_misses_its_file(void **state)
{
    (void)state;
    error e = {.status = WEFT_OK};
    job *j = sample_job(SAMPLE_ROWS, SAMPLE_COLUMNS, 4);
    const char *path = sample_path("store.h5");
    const run_row row = {.start = 1};
    store *s = NULL;
    assert_int_equal(open_alone(path, j, (store_policy){.fresh = false}, &s, &e), WEFT_OK);
    store_touch(s);
    store_flush(s, true);
    assert_int_equal(store_settle(s, &e), WEFT_OK);
    assert_true(store_flushed(s));
    assert_int_equal(store_status(s, &e), WEFT_OK);
    assert_int_equal(unlink(path), 0);
    assert_int_equal(tile_table_put_run(store_ledger(s), &row, &e), WEFT_OK);
    store_touch(s);
    const int64_t end_ns = clock_now_ns() + LIMIT_S * INT64_C(1000000000);
    while (!store_flushed(s) && clock_now_ns() < end_ns) {
        clock_sleep_ns(1000000);
    }
    assert_int_equal(store_status(s, &e), WEFT_ERR_SYSTEM);
    assert_non_null(strstr(e.text, "was removed"));
    assert_int_equal(tile_table_put_run(store_ledger(s), &row, &e), WEFT_ERR_SYSTEM);
    store_flush(s, true);
    assert_int_equal(store_settle(s, &e), WEFT_ERR_SYSTEM);
    assert_int_equal(store_finish(s, &e), WEFT_OK);
    store_close(s);
    job_destroy(j);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_bytes_come_back),
        cmocka_unit_test(test_other_ranks_attach),
        cmocka_unit_test(test_resume),
        cmocka_unit_test(test_grain_of_the_file),
        cmocka_unit_test(test_other_jobs_file_is_refused_untouched),
        cmocka_unit_test(test_fresh_moves_to_backup),
        cmocka_unit_test(test_fresh_in_vain),
        cmocka_unit_test(test_through_a_link),
        cmocka_unit_test(test_in_use),
        cmocka_unit_test(test_folders),
        cmocka_unit_test(test_no_items),
        cmocka_unit_test(test_threads_write_side_by_side),
        cmocka_unit_test(test_syncer),
        cmocka_unit_test(test_wakes_at_the_end),
        cmocka_unit_test(test_leaving),
        cmocka_unit_test(test_store_misses_its_file),
    };
    return cmocka_run_group_tests(tests, sample_make_folder, sample_remove_folder);
}
