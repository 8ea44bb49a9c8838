/* SPDX-License-Identifier: BSD-3-Clause */
/* Tests the thread that forks: one that does not return is not waited for, and does no harm when
 * it does. */
#define _GNU_SOURCE 1
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/clock.h"
#include "engine/exec/forker.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

static const int64_t a_minute_ns = INT64_C(60000000000);

static void leave(void *context)
{
    _exit(*(const int *)context);
}

static forker *make(void)
{
    error e = {.status = WEFT_OK};
    lull *quiet = NULL;
    forker *f = NULL;
    assert_int_equal(lull_create(1, &quiet, &e), WEFT_OK);
    assert_int_equal(forker_create(quiet, 1000000, &f, &e), WEFT_OK);
    return f;
}

static void test_processes(void **state)
{
    (void)state;
    forker *f = make();
    for (int i = 0; i < 3; i++) {
        int status = 0;
        const pid_t pid = forker_fork(f, leave, &i, a_minute_ns);
        assert_true(pid > 0);
        assert_int_equal(waitpid(pid, &status, 0), pid);
        assert_int_equal(WEXITSTATUS(status), i);
    }
    forker_destroy(f);
    forker_destroy(NULL);
}

static int count_threads(void)
{
    DIR *folder = opendir("/proc/self/task");
    int count = 0;
    assert_non_null(folder);
    while (readdir(folder) != NULL) {
        count++;
    }
    (void)closedir(folder);
    return count;
}

/* The text that is to be written before a fork goes to a pipe that nobody reads. */
static void test_a_fork_that_hangs(void **state)
{
    (void)state;
    const int threads = count_threads();
    forker *f = make();
    int ends[2];
    int seven = 7;
    static char bytes[1 << 20];
    static char buffer[sizeof bytes];
    assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
    FILE *file = fdopen(ends[1], "w");
    assert_non_null(file);
    assert_int_equal(setvbuf(file, buffer, _IOFBF, sizeof buffer), 0);
    assert_int_equal(fwrite(bytes, 1, sizeof bytes - 1, file), sizeof bytes - 1);
    struct pollfd begun = {.fd = ends[0], .events = POLLIN};
    while (poll(&begun, 1, 0) == 0) {
        assert_int_equal(forker_fork(f, leave, &seven, 1000000), -ETIMEDOUT);
    }
    assert_int_equal(forker_fork(f, leave, &seven, a_minute_ns), -ETIMEDOUT);
    forker_destroy(f);
    for (size_t left = sizeof bytes - 1; left > 0;) {
        const ssize_t got = read(ends[0], bytes, left);
        assert_true(got > 0);
        left -= (size_t)got;
    }
    while (count_threads() > threads) {
        clock_sleep_ns(1000000);
    }
    assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
    (void)fclose(file);
    (void)close(ends[0]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_processes),
        cmocka_unit_test(test_a_fork_that_hangs),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
