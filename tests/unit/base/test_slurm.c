/* SPDX-License-Identifier: BSD-3-Clause */
/* Tests what is known of the Slurm job, with an squeue of the test's own. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/slurm.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static const int64_t second_ns = INT64_C(1000000000);

static char folder[] = "/tmp/weft-slurm-XXXXXX";
static char squeue[sizeof folder + 16];

static int begin(void **state)
{
    (void)state;
    char path[4096];
    if (mkdtemp(folder) == NULL) {
        return -1;
    }
    (void)snprintf(squeue, sizeof squeue, "%s/squeue", folder);
    (void)snprintf(path, sizeof path, "%s:/usr/bin:/bin", folder);
    return setenv("PATH", path, 1);
}

static int end(void **state)
{
    (void)state;
    (void)unlink(squeue);
    return rmdir(folder);
}

/* What squeue does from now on. */
static void set_squeue(const char *script)
{
    FILE *file = fopen(squeue, "w");
    assert_non_null(file);
    assert_true(fprintf(file, "#!/bin/sh\n%s\n", script) > 0);
    assert_int_equal(fclose(file), 0);
    assert_int_equal(chmod(squeue, 0755), 0);
}

static void set_job(const char *job, const char *end_time)
{
    assert_int_equal(job == NULL ? unsetenv("SLURM_JOB_ID") : setenv("SLURM_JOB_ID", job, 1), 0);
    assert_int_equal(end_time == NULL ? unsetenv("SLURM_JOB_END_TIME")
                                      : setenv("SLURM_JOB_END_TIME", end_time, 1),
                     0);
}

static void test_reading(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int64_t end_s; /* -1: nothing about job 12 */
    } cases[] = {
        {"12 1795321389\n", 1795321389},
        {"12 1795321389", 1795321389},
        {"11 5\n12 6\n13 7\n", 6},
        {"112 5\n12 6\n", 6},
        {"slurm_load_jobs error: Invalid job id specified\n12 6\n", 6},
        {"12 NONE\n", 0},
        {"", -1},
        {"\n\n", -1},
        {"12\n", -1},
        {"12 N/A\n", -1},
        {"12 2026-11-22T04:22:16\n", -1},
        {"12 -5\n", -1},
        {"12 5 6\n", -1},
        {"12 99999999999999999999\n", -1},
        {"121 5\n", -1},
        {"1 2\n", -1},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        int64_t end_s = -2;
        const bool read = slurm_read_end(cases[i].text, "12", &end_s);
        assert_int_equal(read, cases[i].end_s >= 0);
        if (read) {
            assert_int_equal(end_s, cases[i].end_s);
        }
    }
}

static void test_long_lines_are_skipped(void **state)
{
    (void)state;
    char text[256];
    memset(text, 'x', sizeof text);
    memcpy(text + 200, "\n12 7\n", sizeof "\n12 7\n");
    int64_t end_s = 0;
    assert_true(slurm_read_end(text, "12", &end_s));
    assert_int_equal(end_s, 7);
}

static void test_no_job(void **state)
{
    (void)state;
    error e = {.status = WEFT_OK};
    int64_t end_s = -1;
    set_squeue("echo 12 1234");
    set_job(NULL, "99");
    assert_int_equal(slurm_job_end(second_ns, &end_s, &e), WEFT_OK);
    assert_int_equal(end_s, 0);
}

static void test_environment_knows(void **state)
{
    (void)state;
    error e = {.status = WEFT_OK};
    int64_t end_s = -1;
    set_squeue("echo 12 1234");
    set_job("12", "99");
    assert_int_equal(slurm_job_end(second_ns, &end_s, &e), WEFT_OK);
    assert_int_equal(end_s, 99);
}

static void test_squeue_knows(void **state)
{
    (void)state;
    error e = {.status = WEFT_OK};
    int64_t end_s = -1;
    set_squeue("test $SLURM_TIME_FORMAT = %s && test \"$*\" ="
               " '--noheader --jobs 12 --format %A %e' && echo 11 1 && echo 12 1234");
    set_job("12", NULL);
    assert_int_equal(slurm_job_end(20 * second_ns, &end_s, &e), WEFT_OK);
    assert_int_equal(end_s, 1234);
    set_job("12", "soon");
    assert_int_equal(slurm_job_end(20 * second_ns, &end_s, &e), WEFT_OK);
    assert_int_equal(end_s, 1234);
}

/* More than a pipe holds: squeue must not wait for ever to be read, nor we for it. */
static void test_squeue_says_too_much(void **state)
{
    (void)state;
    error e = {.status = WEFT_OK};
    int64_t end_s = -1;
    set_squeue("echo 12 1234; while :; do echo 13 1235; done");
    set_job("12", NULL);
    assert_int_equal(slurm_job_end(20 * second_ns, &end_s, &e), WEFT_OK);
    assert_int_equal(end_s, 1234);
}

static void assert_refused(int64_t limit_ns, const char *text)
{
    error e = {.status = WEFT_OK};
    int64_t end_s = -1;
    assert_int_equal(slurm_job_end(limit_ns, &end_s, &e), WEFT_ERR_SYSTEM);
    assert_non_null(strstr(e.text, text));
    assert_int_equal(end_s, -1);
    assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
    assert_int_equal(errno, ECHILD);
}

static void test_squeue_fails(void **state)
{
    (void)state;
    set_job("12", NULL);
    set_squeue("echo 'cannot reach the controller' >&2; echo or so; exit 1");
    assert_refused(20 * second_ns, "the end of job 12: cannot reach the controller");
    set_squeue("exec sleep 100");
    assert_refused(second_ns / 10, "squeue has not answered in 0.1 seconds");
    set_squeue("exec >&- 2>&-; exec sleep 100");
    assert_refused(20 * second_ns, "the end of job 12");
    assert_int_equal(unlink(squeue), 0);
    assert_refused(20 * second_ns, "squeue");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_reading),      cmocka_unit_test(test_long_lines_are_skipped),
        cmocka_unit_test(test_no_job),       cmocka_unit_test(test_environment_knows),
        cmocka_unit_test(test_squeue_knows), cmocka_unit_test(test_squeue_says_too_much),
        cmocka_unit_test(test_squeue_fails),
    };
    return cmocka_run_group_tests(tests, begin, end);
}
