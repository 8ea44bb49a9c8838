/* SPDX-License-Identifier: BSD-3-Clause */
/* Tests what is known of the host: its name, cores, and processes by pid. */
#define _GNU_SOURCE 1
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "host/host.h"
#include "host/slice.h"

#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

static void test_name(void **state)
{
    (void)state;
    char name[HOST_NAME_BYTES];
    char expected[256] = "";
    memset(name, 'x', sizeof name);
    host_name(name);
    assert_int_equal(gethostname(expected, sizeof expected - 1), 0);
    expected[HOST_NAME_BYTES - 1] = '\0';
    assert_string_equal(name, expected);
}

static void test_cores(void **state)
{
    (void)state;
    host_cores cores;
    memset(&cores, 0xFF, sizeof cores);
    host_get_cores(&cores);
    const long online = sysconf(_SC_NPROCESSORS_CONF);
    assert_in_range(host_count_cores(&cores), 1, online);
}

static void test_binding_a_thread(void **state)
{
    (void)state;
    host_cores before;
    host_cores one;
    host_cores found;
    host_get_cores(&before);
    memset(&one, 0, sizeof one);
    assert_false(host_bind_thread(&one));
    int last = HOST_MOST_CORES - 1;
    while (!host_has_core(&before, last)) {
        last--;
    }
    host_add_core(&one, last);
    assert_true(host_bind_thread(&one));
    host_get_cores(&found);
    assert_memory_equal(&found, &one, sizeof one);
    assert_true(host_bind_thread(&before));
    host_get_cores(&found);
    assert_memory_equal(&found, &before, sizeof before);
    assert_false(host_has_core(&before, -1));
    assert_false(host_has_core(&before, HOST_MOST_CORES));
}

static void test_counting(void **state)
{
    (void)state;
    host_cores a;
    memset(&a, 0, sizeof a);
    assert_int_equal(host_count_cores(&a), 0);
    a.mask[0] = 5;
    a.mask[HOST_MASK_WORDS - 1] = UINT64_C(1) << 63;
    assert_int_equal(host_count_cores(&a), 3);
    memset(&a, 0xFF, sizeof a);
    assert_int_equal(host_count_cores(&a), 64 * HOST_MASK_WORDS);
}

static void test_start_of_this_process(void **state)
{
    (void)state;
    const uint64_t start = host_process_start(getpid());
    assert_true(start > 0);
    assert_true(start == host_process_start(getpid()));
    assert_true(host_process_start(1) <= start);
}

/* /proc/<pid>/stat has the name in brackets, and the name may hold brackets and blanks itself. */
static void test_names_with_brackets(void **state)
{
    (void)state;
    const uint64_t start = host_process_start(getpid());
    char before[17] = "";
    assert_int_equal(prctl(PR_GET_NAME, before), 0);
    assert_int_equal(prctl(PR_SET_NAME, "a) R 1 (b 2 3"), 0);
    const uint64_t renamed = host_process_start(getpid());
    (void)prctl(PR_SET_NAME, before);
    assert_true(start == renamed);
}

static void test_dead_process_has_no_start(void **state)
{
    (void)state;
    const pid_t child = fork();
    if (child == 0) {
        _exit(0);
    }
    assert_true(child > 0);
    assert_int_equal(waitpid(child, NULL, 0), child);
    assert_true(host_process_start(child) == 0);
    assert_true(host_process_start(-1) == 0);
}

static void test_a_process_while_it_lives_and_after(void **state)
{
    (void)state;
    int go[2];
    int told[2];
    host_process mine;
    host_process other;
    host_this_process(&mine);
    assert_int_equal(mine.pid, getpid());
    assert_true(mine.boot[0] != '\0' && mine.start > 0);
    assert_true(pipe(go) == 0 && pipe(told) == 0);
    const pid_t child = fork();
    if (child == 0) {
        host_this_process(&other);
        (void)!write(told[1], &other, sizeof other);
        (void)!read(go[0], &other, 1);
        _exit(0);
    }
    assert_int_equal(read(told[0], &other, sizeof other), sizeof other);
    assert_true(host_process_near(&mine, &other));
    assert_true(host_process_lives(&mine) && host_process_lives(&other));
    assert_int_equal(write(go[1], "x", 1), 1);
    assert_int_equal(waitpid(child, NULL, 0), child);
    assert_false(host_process_lives(&other));
    for (int i = 0; i < 2; i++) {
        (void)close(go[i]);
        (void)close(told[i]);
    }
}

static void test_who_is_not_near(void **state)
{
    (void)state;
    host_process mine;
    host_process other;
    host_this_process(&mine);
    other = mine;
    other.space++;
    assert_false(host_process_near(&mine, &other));
    other = mine;
    other.boot[0] = 'x';
    assert_false(host_process_near(&mine, &other));
    mine.boot[0] = '\0';
    assert_false(host_process_near(&mine, &mine));
}

/* Its pid is used again. */
static void test_another_process_with_the_pid(void **state)
{
    (void)state;
    host_process mine;
    host_this_process(&mine);
    mine.start++;
    assert_false(host_process_lives(&mine));
    /* What is not known is not dead. */
    mine.start = 0;
    assert_true(host_process_lives(&mine));
}

static void test_files_are_read_as_text(void **state)
{
    (void)state;
    char path[] = "/tmp/weft-host-XXXXXX";
    char text[8192];
    const int fd = mkstemp(path);
    assert_true(fd >= 0);
    assert_int_equal(host_read_file(text, sizeof text, "%s", path), 0);
    assert_string_equal(text, "");
    assert_int_equal(write(fd, "12 34\n", 6), 6);
    assert_int_equal(close(fd), 0);
    assert_int_equal(host_read_file(text, sizeof text, "/tmp/%s", path + 5), 6);
    assert_string_equal(text, "12 34\n");
    assert_int_equal(host_read_file(text, 4, "%s", path), 3);
    assert_string_equal(text, "12 ");
    assert_int_equal(unlink(path), 0);
    assert_int_equal(host_read_file(text, sizeof text, "%s", path), 0);
    assert_string_equal(text, "");
    /* The system gives out some files of its own in pieces. */
    assert_true(host_read_file(text, sizeof text, "/proc/self/status") > 100);
    assert_non_null(strstr(text, "\nPid:"));
}

/* Where the system lets a thread have shorter shares of a core, it gets back what it had, as it
 * does with the time by which it may wake up late. */
static void test_short_slices(void **state)
{
    (void)state;
    const uint64_t before_ns = slice_ns();
    const int late_ns = prctl(PR_GET_TIMERSLACK);
    host_restore_slice();
    assert_int_equal(slice_ns(), before_ns);
    assert_int_equal(prctl(PR_GET_TIMERSLACK), late_ns);
    for (int i = 0; i < 2; i++) {
        host_shorten_slice();
        host_shorten_slice();
        assert_true(before_ns == 0 ? slice_ns() == 0 : slice_ns() < before_ns);
        assert_true(prctl(PR_GET_TIMERSLACK) < late_ns);
        host_restore_slice();
        assert_int_equal(slice_ns(), before_ns);
        assert_int_equal(prctl(PR_GET_TIMERSLACK), late_ns);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_files_are_read_as_text),
        cmocka_unit_test(test_name),
        cmocka_unit_test(test_cores),
        cmocka_unit_test(test_binding_a_thread),
        cmocka_unit_test(test_short_slices),
        cmocka_unit_test(test_counting),
        cmocka_unit_test(test_start_of_this_process),
        cmocka_unit_test(test_names_with_brackets),
        cmocka_unit_test(test_dead_process_has_no_start),
        cmocka_unit_test(test_a_process_while_it_lives_and_after),
        cmocka_unit_test(test_who_is_not_near),
        cmocka_unit_test(test_another_process_with_the_pid),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
