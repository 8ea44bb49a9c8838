/* SPDX-License-Identifier: BSD-3-Clause */
/* Tests how the system's counts of memory kills are read. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "host/memory_kills.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static int64_t kills_in(const char *text)
{
    char path[] = "/tmp/weft-memory-XXXXXX";
    const int fd = mkstemp(path);
    assert_true(fd >= 0);
    assert_true(dprintf(fd, "%s", text) >= 0);
    const int64_t kills = memory_kills_in(path);
    assert_int_equal(close(fd), 0);
    assert_int_equal(unlink(path), 0);
    return kills;
}

static void test_files(void **state)
{
    (void)state;
    assert_int_equal(kills_in("low 0\nhigh 3\nmax 9\noom 7\noom_kill 5\noom_group_kill 2\n"), 5);
    assert_int_equal(kills_in("nr_free_pages 4\noom_kill 0\npgfault 12\n"), 0);
    assert_int_equal(kills_in("low 0\noom 7\n"), -1);
    assert_int_equal(kills_in(""), -1);
    assert_int_equal(kills_in("oom_kill 18446744073709551614\n"), -1);
    assert_int_equal(memory_kills_in("/nowhere/at/all"), -1);
    assert_true(memory_kills() >= -1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_files)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
