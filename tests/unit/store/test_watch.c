/* SPDX-License-Identifier: BSD-3-Clause */
/* Tests that a result which is taken away is missed. */
#include "sample.h"

#include "base/clock.h"
#include "store/watch.h"

enum { BYTES = 1000, LIMIT_S = 20 };

static int make_file(const char *path)
{
    const int fd = open(path, O_RDWR | O_CREAT | O_TRUNC, 0666);
    assert_true(fd >= 0);
    assert_int_equal(ftruncate(fd, BYTES), 0);
    return fd;
}

static weft_status watch(int fd, const char *path, const char *says)
{
    error e = {.status = WEFT_OK};
    const weft_status status = watch_file(fd, path, BYTES, &e);
    if (status != WEFT_OK) {
        assert_non_null(strstr(e.text, path));
        assert_non_null(strstr(e.text, says));
    }
    return status;
}

static void test_what_can_happen(void **state)
{
    (void)state;
    const char *path = sample_path("a.h5");
    const char *other = sample_path("b.h5");
    const int fd = make_file(path);
    assert_int_equal(watch(fd, path, ""), WEFT_OK);
    assert_int_equal(ftruncate(fd, 2 * BYTES), 0);
    assert_int_equal(watch(fd, path, ""), WEFT_OK);
    assert_int_equal(ftruncate(fd, BYTES - 1), 0);
    assert_int_equal(watch(fd, path, "was cut to 999 bytes"), WEFT_ERR_CORRUPT);
    assert_int_equal(ftruncate(fd, BYTES), 0);
    assert_int_equal(rename(path, other), 0);
    assert_int_equal(watch(fd, path, "was moved"), WEFT_ERR_SYSTEM);
    assert_int_equal(rename(other, path), 0);
    assert_int_equal(watch(fd, path, ""), WEFT_OK);
    (void)close(make_file(other));
    assert_int_equal(rename(other, path), 0);
    assert_int_equal(watch(fd, path, "another file now"), WEFT_ERR_SYSTEM);
    assert_int_equal(unlink(path), 0);
    assert_int_equal(watch(fd, path, "was removed"), WEFT_ERR_SYSTEM);
    (void)close(fd);
    assert_int_equal(watch(fd, path, "cannot examine"), WEFT_ERR_SYSTEM);
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
    assert_int_equal(store_open(path, j, (store_policy){.fresh = false}, &s, &e), WEFT_OK);
    store_touch(s);
    store_flush(s, true);
    assert_int_equal(store_settle(s, &e), WEFT_OK);
    assert_true(store_flushed(s));
    assert_int_equal(store_status(s, &e), WEFT_OK);
    assert_int_equal(unlink(path), 0);
    assert_int_equal(ledger_put_run(store_ledger(s), &row, &e), WEFT_OK);
    store_touch(s);
    const int64_t end_ns = clock_now_ns() + LIMIT_S * INT64_C(1000000000);
    while (!store_flushed(s) && clock_now_ns() < end_ns) {
        clock_sleep_ns(1000000);
    }
    assert_int_equal(store_status(s, &e), WEFT_ERR_SYSTEM);
    assert_non_null(strstr(e.text, "was removed"));
    assert_int_equal(ledger_put_run(store_ledger(s), &row, &e), WEFT_ERR_SYSTEM);
    store_flush(s, true);
    assert_int_equal(store_settle(s, &e), WEFT_ERR_SYSTEM);
    assert_int_equal(store_finish(s, &e), WEFT_OK);
    store_close(s);
    job_destroy(j);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_can_happen),
        cmocka_unit_test(test_store_misses_its_file),
    };
    return cmocka_run_group_tests(tests, sample_make_folder, sample_remove_folder);
}
