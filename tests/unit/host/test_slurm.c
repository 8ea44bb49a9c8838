/* SPDX-License-Identifier: BSD-3-Clause */
/* Tests what is known of the Slurm job, with an squeue of the test's own. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "host/slurm.h"

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
        const char *line;
        int64_t end_s; /* -1: nothing about job 12 */
    } cases[] = {
        {"12 1795321389", 1795321389},
        {"  12   6  ", 6},
        {"12 NONE", 0},
        {"", -1},
        {"12", -1},
        {"12 N/A", -1},
        {"12 2026-11-22T04:22:16", -1},
        {"12 -5", -1},
        {"12 5 6", -1},
        {"12 99999999999999999999", -1},
        {"121 5", -1},
        {"112 5", -1},
        {"1 2", -1},
        {"12_3 5", -1},
        {"slurm_load_jobs error: Invalid job id specified", -1},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        int64_t end_s = -2;
        const bool read = slurm_read_line(cases[i].line, "12", &end_s);
        assert_int_equal(read, cases[i].end_s >= 0);
        if (read) {
            assert_int_equal(end_s, cases[i].end_s);
        }
    }
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

static void assert_found(const char *script)
{
    error e = {.status = WEFT_OK};
    int64_t end_s = -1;
    set_job("12", NULL);
    set_squeue(script);
    assert_int_equal(slurm_job_end(20 * second_ns, &end_s, &e), WEFT_OK);
    assert_int_equal(end_s, 1234);
}

/* Its line is found wherever it is, and however it comes. */
static void test_squeue_says_other_things_first(void **state)
{
    (void)state;
    assert_found("printf '12 1234'");
    assert_found("echo; echo 'a partition is down' >&2; echo 12 1234; echo 13 1235");
    assert_found("printf '12 12'; sleep 0.1; printf '34\\n'");
    assert_found("printf '%0300d\\n12 1234\\n' 7");
    assert_found("i=1000; while test $i -lt 3000; do i=$((i + 1)); echo $i 1235; done;"
                 " echo 12 1234");
}

/* The array's last task: by its number alone all tasks would be listed. */
static void test_task_of_an_array(void **state)
{
    (void)state;
    assert_int_equal(setenv("SLURM_ARRAY_JOB_ID", "12", 1), 0);
    assert_found("test $3 = 12 && echo 12 1234");
    assert_int_equal(setenv("SLURM_ARRAY_TASK_ID", "7", 1), 0);
    assert_found("test $3 = 12_7 && echo 12 1234");
    assert_int_equal(unsetenv("SLURM_ARRAY_JOB_ID"), 0);
    assert_found("test $3 = 12 && echo 12 1234");
    assert_int_equal(unsetenv("SLURM_ARRAY_TASK_ID"), 0);
}

/* More than a pipe holds: squeue must not wait for ever to be read, nor we for it. */
static void test_squeue_says_too_much(void **state)
{
    (void)state;
    assert_found("echo 12 1234; while :; do echo 13 1235; done");
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
    set_squeue("exec yes 13 1235");
    assert_refused(second_ns / 10, "squeue has not answered in 0.1 seconds");
    set_squeue("exec >&- 2>&-; exec sleep 100");
    assert_refused(20 * second_ns, "the end of job 12");
    assert_int_equal(unlink(squeue), 0);
    assert_refused(20 * second_ns, "squeue");
}

/* As the kernel tells of a process in Slurm's control groups, of either version. */
static void test_groups(void **state)
{
    (void)state;
    int64_t job = 0;
    const char *both = "5:memory:/slurm/uid_0/job_42/step_0/task_0\n1:cpu:/\n";
    assert_false(slurm_groups_differ("0::/user.slice\n", "42", &job));
    assert_false(slurm_groups_differ(both, "42", &job));
    assert_true(slurm_groups_differ(both, "4", &job));
    assert_int_equal(job, 42);
    assert_true(slurm_groups_differ("0::/system.slice/slurmstepd.scope/job_7", "42", &job));
    assert_int_equal(job, 7);
    assert_false(slurm_groups_differ("0::/home/job_x/job_\n", "42", &job));
    assert_false(slurm_groups_differ("0::/job_13766279631452241920\n", "42", &job));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_groups),
        cmocka_unit_test(test_reading),
        cmocka_unit_test(test_squeue_says_other_things_first),
        cmocka_unit_test(test_task_of_an_array),
        cmocka_unit_test(test_no_job),
        cmocka_unit_test(test_environment_knows),
        cmocka_unit_test(test_squeue_knows),
        cmocka_unit_test(test_squeue_says_too_much),
        cmocka_unit_test(test_squeue_fails),
    };
    return cmocka_run_group_tests(tests, begin, end);
}
