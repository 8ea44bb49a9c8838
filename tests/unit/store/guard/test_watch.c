/* SPDX-License-Identifier: BSD-3-Clause */
/* Tests that a result which is taken away is missed. */
#include "store/folder.h"

#include "store/guard/watch.h"

enum { BYTES = 1000 };

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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_can_happen),
    };
    return cmocka_run_group_tests(tests, sample_make_folder, sample_remove_folder);
}
