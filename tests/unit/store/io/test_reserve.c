/* SPDX-License-Identifier: BSD-3-Clause */
/* Tests that disk space is taken before it is needed. What a full disk does is for the system
 * tests. */
#include "store/folder.h"

#include "store/io/reserve.h"

enum { FILE_BYTES = 3 << 20, BLOCK_BYTES = 512 };

static void test_probe_leaves_nothing(void **state)
{
    (void)state;
    error e = {.status = WEFT_OK};
    struct stat file;
    const int fd = open(sample_path("probe"), O_RDWR | O_CREAT, 0666);
    assert_int_equal(reserve_probe(fd, "probe", FILE_BYTES, &e), WEFT_OK);
    assert_int_equal(fstat(fd, &file), 0);
    assert_int_equal(file.st_size, 0);
    assert_int_equal(reserve_all(fd, "probe", &e), WEFT_OK);
    (void)close(fd);
}

/* More than any disk has. */
static void test_probe_of_too_much(void **state)
{
    (void)state;
    error e = {.status = WEFT_OK};
    const int fd = open(sample_path("large"), O_RDWR | O_CREAT, 0666);
    assert_int_equal(reserve_probe(fd, "large", INT64_C(1) << 60, &e), WEFT_ERR_NO_SPACE);
    assert_non_null(strstr(e.text, "cannot reserve"));
    assert_non_null(strstr(e.text, "large"));
    assert_non_null(strstr(e.text, "MB are free there"));
    assert_null(strstr(e.text, "(0.0 MB"));
    struct stat file;
    assert_int_equal(fstat(fd, &file), 0);
    assert_int_equal(file.st_size, 0);
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
        cmocka_unit_test(test_probe_leaves_nothing),
        cmocka_unit_test(test_probe_of_too_much),
        cmocka_unit_test(test_holes_are_filled),
    };
    return cmocka_run_group_tests(tests, sample_make_folder, sample_remove_folder);
}
