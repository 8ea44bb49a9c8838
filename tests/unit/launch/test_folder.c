/* SPDX-License-Identifier: BSD-3-Clause */
/* Tests that a run's folder is removed by others only if its launcher is surely dead. */
#define _GNU_SOURCE 1
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "launch/folder.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static char parent[64];

static int make_parent(void **state)
{
    (void)state;
    (void)snprintf(parent, sizeof parent, "folder.XXXXXX");
    return mkdtemp(parent) == NULL ? -1 : 0;
}

static int remove_parent(void **state)
{
    (void)state;
    return rmdir(parent);
}

static void test_own(void **state)
{
    (void)state;
    folder f;
    folder other;
    error e;
    assert_int_equal(folder_make(&f, parent, &e), WEFT_OK);
    assert_int_equal(folder_make(&other, parent, &e), WEFT_OK);
    assert_int_equal(access(f.path, F_OK), 0);
    folder_remove_stale(parent);
    assert_int_equal(access(f.path, F_OK), 0);
    folder_remove(&f);
    folder_remove(&other);
}

static void test_nowhere(void **state)
{
    (void)state;
    folder f;
    error e;
    assert_int_equal(folder_make(&f, "none/of/these", &e), WEFT_ERR_SYSTEM);
}

/* A launcher that lives until it is killed, and the path of its folder. */
static pid_t start_launcher(char path[256])
{
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    const pid_t pid = fork();
    if (pid == 0) {
        folder f;
        error e;
        if (folder_make(&f, parent, &e) == WEFT_OK &&
            write(ends[1], f.path, strlen(f.path) + 1) > 0) {
            (void)pause();
        }
        _exit(1);
    }
    (void)close(ends[1]);
    assert_true(read(ends[0], path, 256) > 0);
    (void)close(ends[0]);
    return pid;
}

static void test_of_others(void **state)
{
    (void)state;
    char path[256];
    const pid_t pid = start_launcher(path);
    folder_remove_stale(parent);
    assert_int_equal(access(path, F_OK), 0);
    assert_int_equal(kill(pid, SIGKILL), 0);
    assert_int_equal(waitpid(pid, NULL, 0), pid);
    folder_remove_stale(parent);
    assert_int_not_equal(access(path, F_OK), 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, make_parent, remove_parent)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_own),
        TEST(test_nowhere),
        TEST(test_of_others),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
