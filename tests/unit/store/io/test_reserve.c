/* SPDX-License-Identifier: BSD-3-Clause */
/* Tests that disk space is taken before it is needed. What a full disk does is for the system
 * tests. */
#include "store/folder.h"

#include "store/io/reserve.h"

#include <sys/resource.h>

enum { FILE_BYTES = 3 << 20, BLOCK_BYTES = 512 };

/* The first bytes stay what they are. */
static void test_new_file(void **state)
{
    (void)state;
    static const int64_t lengths[] = {100, FILE_BYTES};
    for (size_t i = 0; i < sizeof lengths / sizeof lengths[0]; i++) {
        error e = {.status = WEFT_OK};
        struct stat file;
        char byte = 0;
        const int fd = open(sample_path("new"), O_RDWR | O_CREAT | O_TRUNC, 0666);
        assert_int_equal(pwrite(fd, "x", 1, 0), 1);
        assert_int_equal(reserve_check(fd, "new", 2 * FILE_BYTES, &e), WEFT_OK);
        assert_int_equal(fstat(fd, &file), 0);
        assert_true((int64_t)file.st_blocks * BLOCK_BYTES < FILE_BYTES);
        assert_int_equal(reserve_new(fd, "new", lengths[i], &e), WEFT_OK);
        assert_int_equal(fstat(fd, &file), 0);
        assert_int_equal(file.st_size, lengths[i]);
        assert_true((int64_t)file.st_blocks * BLOCK_BYTES >= lengths[i]);
        assert_int_equal(pread(fd, &byte, 1, 0), 1);
        assert_int_equal(byte, 'x');
        assert_int_equal(reserve_all(fd, "new", &e), WEFT_OK);
        (void)close(fd);
    }
}

/* What would be given back as soon as the length is known is not taken. */
static void test_a_small_file_is_taken_once(void **state)
{
    (void)state;
    error e = {.status = WEFT_OK};
    struct stat file;
    const int fd = open(sample_path("small"), O_RDWR | O_CREAT | O_TRUNC, 0666);
    assert_int_equal(reserve_check(fd, "small", 100000, &e), WEFT_OK);
    assert_int_equal(fstat(fd, &file), 0);
    assert_int_equal(file.st_size, 0);
    assert_int_equal(file.st_blocks, 0);
    assert_int_equal(reserve_new(fd, "small", 40000, &e), WEFT_OK);
    assert_int_equal(fstat(fd, &file), 0);
    assert_int_equal(file.st_size, 40000);
    (void)close(fd);
}

/* More than any disk has. */
static void test_too_much(void **state)
{
    (void)state;
    error e = {.status = WEFT_OK};
    const int fd = open(sample_path("large"), O_RDWR | O_CREAT, 0666);
    assert_int_equal(reserve_check(fd, "large", INT64_C(1) << 60, &e), WEFT_ERR_NO_SPACE);
    assert_non_null(strstr(e.text, "cannot reserve"));
    assert_non_null(strstr(e.text, "large"));
    assert_non_null(strstr(e.text, "MB are free there"));
    assert_null(strstr(e.text, "(0.0 MB"));
    (void)close(fd);
}

/* What may not be that long there is refused before anything is written. */
static void test_beyond_a_limit(void **state)
{
    (void)state;
    error e = {.status = WEFT_OK};
    struct rlimit before;
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
    struct rlimit limit = before;
    limit.rlim_cur = FILE_BYTES;
    const int fd = open(sample_path("limit"), O_RDWR | O_CREAT, 0666);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
    const weft_status fits = reserve_check(fd, "limit", FILE_BYTES, &e);
    const weft_status larger = reserve_check(fd, "limit", FILE_BYTES + 1, &e);
    limit.rlim_cur = 1000;
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
    error small_error = {.status = WEFT_OK};
    const weft_status small = reserve_check(fd, "limit", 1001, &small_error);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
    assert_int_equal(fits, WEFT_OK);
    assert_int_equal(larger, WEFT_ERR_SYSTEM);
    assert_int_equal(small, WEFT_ERR_SYSTEM);
    assert_non_null(strstr(e.text, "ulimit -f"));
    (void)close(fd);
}

/* A copy has holes; a run that goes on in it must not find out later that the disk is full. */
static void test_holes_are_filled(void **state)
{
    (void)state;
    error e = {.status = WEFT_OK};
    struct stat file;
    const int fd = open(sample_path("holes"), O_RDWR | O_CREAT, 0666);
    assert_int_equal(ftruncate(fd, FILE_BYTES), 0);
    assert_int_equal(pwrite(fd, "x", 1, FILE_BYTES / 2), 1);
    assert_int_equal(reserve_all(fd, "holes", &e), WEFT_OK);
    assert_int_equal(fstat(fd, &file), 0);
    assert_int_equal(file.st_size, FILE_BYTES);
    assert_true((int64_t)file.st_blocks * BLOCK_BYTES >= FILE_BYTES);
    char byte = 0;
    assert_int_equal(pread(fd, &byte, 1, FILE_BYTES / 2), 1);
    assert_int_equal(byte, 'x');
    (void)close(fd);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_new_file),         cmocka_unit_test(test_a_small_file_is_taken_once),
        cmocka_unit_test(test_too_much),         cmocka_unit_test(test_beyond_a_limit),
        cmocka_unit_test(test_holes_are_filled),
    };
    return cmocka_run_group_tests(tests, sample_make_folder, sample_remove_folder);
}
