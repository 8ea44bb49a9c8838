/* SPDX-License-Identifier: BSD-3-Clause */
/* Tests whether Slurm's variables are believed. */
#define _GNU_SOURCE 1
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "launch/allocation.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* A folder of this test's own, in front of $PATH, with a scontrol that says what $SHOWN holds. */
static int make_scontrol(void **state)
{
    static char folder[] = "allocation.XXXXXX";
    char path[4096];
    (void)state;
    if (mkdtemp(folder) == NULL || chdir(folder) != 0 || getcwd(path, sizeof path / 2) == NULL) {
        return -1;
    }
    FILE *file = fopen("scontrol", "w");
    if (file == NULL || fputs("#!/bin/sh\necho \"$SHOWN\"\n", file) < 0 || fclose(file) != 0) {
        return -1;
    }
    (void)snprintf(path + strlen(path), sizeof path - strlen(path), ":%s", getenv("PATH"));
    return chmod("scontrol", 0700) != 0 || setenv("PATH", path, 1) != 0 ? -1 : 0;
}

static int remove_scontrol(void **state)
{
    char path[4096] = "";
    (void)state;
    return unlink("scontrol") != 0 || getcwd(path, sizeof path) == NULL ? -1 : rmdir(path);
}

static void test_life(void **state)
{
    (void)state;
    static const char past[] = "1000000000";
    static const char future[] = "9000000000";
    static const struct {
        const char *shown;
        const char *end; /* as in the environment */
        bool believed;
    } rows[] = {
        {"JobId=7 JobName=x JobState=RUNNING Reason=None", future, true},
        {"JobId=7 JobState=RUNNING", past, true}, /* that end is another job's */
        {"JobId=7 JobState=COMPLETING", NULL, true},
        {"JobId=7 JobState=COMPLETED Reason=None", future, false},
        {"JobId=7 JobState=TIMEOUT", NULL, false},
        {"slurm_load_jobs error: Invalid job id specified", future, false},
        {"slurm_load_jobs error: Unable to contact slurm controller", future, true},
        {"slurm_load_jobs error: Unable to contact slurm controller", past, false},
        {"", NULL, true},
        {"", "", true},
        {"", "0", true},
        {"", "10x", true},
        {"", past, false},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        allocation a;
        (void)setenv("SHOWN", rows[i].shown, 1);
        (void)setenv("SLURM_JOB_ID", "7", 1);
        (void)setenv("SLURM_JOB_NODELIST", "n1", 1);
        (void)unsetenv("SLURM_JOB_END_TIME");
        if (rows[i].end != NULL) {
            (void)setenv("SLURM_JOB_END_TIME", rows[i].end, 1);
        }
        allocation_find(&a);
        assert_int_equal(a.job != NULL, rows[i].believed);
        const bool other = rows[i].believed && rows[i].end == past;
        assert_true(!other || getenv("SLURM_JOB_END_TIME") == NULL);
    }
}

static void test_job_that_is_over(void **state)
{
    (void)state;
    allocation a;
    (void)setenv("SHOWN", "", 1);
    (void)setenv("SLURM_JOB_ID", "7", 1);
    (void)setenv("SLURM_JOB_NODELIST", "n1", 1);
    (void)setenv("SLURM_NTASKS", "3", 1);
    (void)setenv("SLURM_JOB_END_TIME", "1000000000", 1);
    allocation_find(&a);
    assert_null(a.job);
    assert_null(a.tasks);
    assert_null(getenv("SLURM_JOB_ID"));
    assert_null(getenv("SLURM_NTASKS"));
    assert_null(getenv("SLURM_JOB_END_TIME"));
    assert_non_null(getenv("PATH"));
}

static void test_no_job(void **state)
{
    (void)state;
    allocation a;
    (void)unsetenv("SLURM_JOB_NODELIST");
    (void)setenv("SLURM_JOB_ID", "7", 1);
    allocation_find(&a);
    assert_null(a.job);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_life),
        cmocka_unit_test(test_job_that_is_over),
        cmocka_unit_test(test_no_job),
    };
    return cmocka_run_group_tests(tests, make_scontrol, remove_scontrol);
}
