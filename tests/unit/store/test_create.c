/* SPDX-License-Identifier: BSD-3-Clause */
/* Tests how a file is made beside what others have left: a killed run's goes, all else stays. */
#define _GNU_SOURCE 1
#include "base/sanitized.h"
#include "store/sample_result.h"

#include <pthread.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/resource.h>

static const char mark[] = "weft: a result that is being made\n";

static metadata_layout made;

static void put(const char *name, const char *text)
{
    sample_write(sample_path(name), text, strlen(text));
}

static bool holds(const char *name, const char *text)
{
    return sample_same(sample_path(name), (const unsigned char *)text, strlen(text));
}

/* Makes NAME where NAME.new is in the way. */
static weft_status make(const char *name, job *j)
{
    char temporary[64];
    error e = {.status = WEFT_OK};
    (void)snprintf(temporary, sizeof temporary, "%s.new", name);
    const weft_status status = metadata_create(sample_path(name), 1, &j, false, &made, &e);
    if (status == WEFT_OK) {
        assert_true(sample_exists(sample_path(name)));
        assert_false(sample_exists(sample_path(temporary)));
        assert_int_equal(unlink(sample_path(name)), 0);
    } else {
        assert_non_null(strstr(e.text, temporary));
        assert_false(sample_exists(sample_path(name)));
    }
    return status;
}

static void test_what_a_killed_run_has_left_goes(void **state)
{
    (void)state;
    error e = {.status = WEFT_OK};
    job *j = sample_job(SAMPLE_ROWS, SAMPLE_COLUMNS, 4);
    put("x.new", "");
    assert_int_equal(make("x", j), WEFT_OK);
    put("x.new", mark);
    assert_int_equal(make("x", j), WEFT_OK);
    put("x.new", mark);
    assert_int_equal(truncate(sample_path("x.new"), 10000), 0);
    assert_int_equal(make("x", j), WEFT_OK);
    assert_int_equal(metadata_create(sample_path("x.new"), 1, &j, false, &made, &e), WEFT_OK);
    assert_int_equal(make("x", j), WEFT_OK);
    job_destroy(j);
}

static void test_all_else_is_in_the_way(void **state)
{
    (void)state;
    error e = {.status = WEFT_OK};
    job *j = sample_job(SAMPLE_ROWS, SAMPLE_COLUMNS, 4);
    /* Somebody's half copy of a result begins as a whole one does. */
    assert_int_equal(metadata_create(sample_path("half.new"), 1, &j, false, &made, &e), WEFT_OK);
    assert_int_equal(truncate(sample_path("half.new"), 3000), 0);
    assert_int_equal(make("half", j), WEFT_ERR_FORMAT);
    sample_write(sample_path("zeros.new"), (const char[100]){""}, 100);
    assert_int_equal(make("zeros", j), WEFT_ERR_FORMAT);
    assert_int_equal(mkfifo(sample_path("pipe.new"), 0666), 0);
    assert_int_equal(make("pipe", j), WEFT_ERR_FORMAT);
    put("victim", "");
    assert_int_equal(symlink("victim", sample_path("link.new")), 0);
    assert_int_equal(make("link", j), WEFT_ERR_FORMAT);
    assert_true(holds("victim", ""));
    put("diary.new", "dear diary");
    assert_int_equal(make("diary", j), WEFT_ERR_FORMAT);
    assert_true(holds("diary.new", "dear diary"));
    sample_make_file(sample_path("result.new"), j);
    assert_int_equal(make("result", j), WEFT_ERR_FORMAT);
    assert_true(sample_exists(sample_path("result.new")));
    assert_int_equal(make("none/z", j), WEFT_ERR_SYSTEM);
    job_destroy(j);
}

static bool short_of_memory;

void *__real_mmap(void *at, size_t bytes, int protection, int flags, int fd, off_t offset);
void *__wrap_mmap(void *at, size_t bytes, int protection, int flags, int fd, off_t offset);

void *__wrap_mmap(void *at, size_t bytes, int protection, int flags, int fd, off_t offset)
{
    return short_of_memory ? MAP_FAILED : __real_mmap(at, bytes, protection, flags, fd, offset);
}

/* The largest file; 0: any. */
static void limit_files(rlim_t bytes)
{
    struct rlimit limit;
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &limit), 0);
    limit.rlim_cur = bytes == 0 ? limit.rlim_max : bytes;
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

static int forks;

static void count_fork(void)
{
    forks++;
}

/* HDF5 makes the file in this process, unless there may be too little memory for it, or files may
 * not have any size: where it fails it crashes when the process ends. */
static void test_no_process_where_none_is_needed(void **state)
{
    (void)state;
    job *j = sample_job(SAMPLE_ROWS, SAMPLE_COLUMNS, 4);
    assert_int_equal(pthread_atfork(count_fork, NULL, NULL), 0);
    assert_int_equal(make("near", j), WEFT_OK);
    assert_int_equal(forks, 0);
    short_of_memory = true;
    assert_int_equal(make("apart", j), WEFT_OK);
    short_of_memory = false;
    assert_int_equal(forks, 1);
    limit_files(1 << 30);
    assert_int_equal(make("limited", j), WEFT_OK);
    limit_files(0);
    assert_int_equal(forks, 2);
    job_destroy(j);
}

static long count_faults(void)
{
    struct rusage used;
    assert_int_equal(getrusage(RUSAGE_THREAD, &used), 0);
    return used.ru_minflt;
}

/* HDF5 takes more than a hundred pages of memory to make a file. Only for the first one has the
 * system to make them: this is the first test. */
static void test_memory_is_kept_for_the_next_file(void **state)
{
    (void)state;
    if (SANITIZED_MEMORY) { /* it keeps what is freed to itself, and lets nobody have it again */
        skip();
    }
    job *j = sample_job(SAMPLE_ROWS, SAMPLE_COLUMNS, 4);
    assert_int_equal(make("first", j), WEFT_OK);
    const long before = count_faults();
    assert_int_equal(make("next", j), WEFT_OK);
    assert_in_range(count_faults() - before, 0, 100);
    job_destroy(j);
}

static job *job_of_texts(int fields, int parameters)
{
    error e = {.status = WEFT_OK};
    job *j = NULL;
    char name[WEFT_NAME_BYTES];
    char text[JOB_VALUE_BYTES];
    char units[JOB_TEXT_BYTES];
    memset(text, 't', sizeof text - 1);
    memset(units, 'u', sizeof units - 1);
    text[sizeof text - 1] = units[sizeof units - 1] = '\0';
    assert_int_equal(job_create("texts", 1, (int64_t[]){10}, &j, &e), WEFT_OK);
    for (int i = 0; i < fields; i++) {
        (void)snprintf(name, sizeof name, "field-%d", i);
        assert_int_equal(job_add_field(j, name, WEFT_INT8, 0, NULL, units, units, &e), WEFT_OK);
    }
    for (int i = 0; i < parameters; i++) {
        (void)snprintf(name, sizeof name, "parameter-%d", i);
        sample_parameter(j, JOB_STRING, name, 0, 0, text);
    }
    assert_int_equal(job_settle(j, 1, 1, &e), WEFT_OK);
    return j;
}

/* Where a file may not become as large as it must, that is known before it is made. */
static void check_limits(int fields, int parameters)
{
    job *j = job_of_texts(fields, parameters);
    const char *path = sample_path("limited");
    weft_status status = WEFT_ERR_SYSTEM;
    for (rlim_t limit = 1 << 19; status != WEFT_OK; limit += 1 << 19) {
        error e = {.status = WEFT_OK};
        limit_files(limit);
        status = metadata_create(path, 1, &j, false, &made, &e);
        limit_files(0);
        if (status != WEFT_OK) {
            assert_non_null(strstr(e.text, "cannot reserve"));
            assert_non_null(strstr(e.text, path));
            assert_true(limit < 100 << 20);
        }
    }
    assert_int_equal(unlink(path), 0);
    job_destroy(j);
}

static void test_limit_on_files(void **state)
{
    (void)state;
    assert_true(signal(SIGXFSZ, SIG_IGN) != SIG_ERR);
    check_limits(1, 0);
    check_limits(1, WEFT_MAX_PARAMETERS);
    check_limits(WEFT_MAX_FIELDS, WEFT_MAX_PARAMETERS);
}

/* Each of them could be a file, and all of them cannot. */
static void test_beyond_all_files(void **state)
{
    (void)state;
    error e = {.status = WEFT_OK};
    metadata_layout layouts[3];
    job *jobs[3];
    for (int i = 0; i < 3; i++) {
        const int64_t count = INT64_C(1) << 40;
        const int64_t bytes = (INT64_C(1) << 22) - 1;
        assert_int_equal(job_create("huge", 1, &count, &jobs[i], &e), WEFT_OK);
        (void)snprintf(jobs[i]->name, sizeof jobs[i]->name, "huge-%d", i);
        assert_int_equal(job_add_field(jobs[i], "a", WEFT_INT8, 1, &bytes, NULL, NULL, &e),
                         WEFT_OK);
        assert_int_equal(job_settle(jobs[i], 0, 0, &e), WEFT_OK);
    }
    const char *path = sample_path("beyond.h5");
    assert_int_equal(metadata_create(path, 3, jobs, false, layouts, &e), WEFT_ERR_USAGE);
    assert_non_null(strstr(e.text, "larger than a file can be"));
    assert_false(sample_exists(path) || sample_exists(sample_path("beyond.h5.new")));
    for (int i = 0; i < 3; i++) {
        job_destroy(jobs[i]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_memory_is_kept_for_the_next_file),
        cmocka_unit_test(test_what_a_killed_run_has_left_goes),
        cmocka_unit_test(test_all_else_is_in_the_way),
        cmocka_unit_test(test_no_process_where_none_is_needed),
        cmocka_unit_test(test_limit_on_files),
        cmocka_unit_test(test_beyond_all_files),
    };
    return cmocka_run_group_tests(tests, sample_make_folder, sample_remove_folder);
}
