/* SPDX-License-Identifier: BSD-3-Clause */
/* Tests whether Slurm's variables are believed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "launch/allocation.h"

#include <stdlib.h>

static void test_end(void **state)
{
    (void)state;
    assert_true(allocation_is_past("1000", 1001));
    assert_false(allocation_is_past("1000", 999));
    assert_false(allocation_is_past(NULL, 1001));
    assert_false(allocation_is_past("", 1001));
    assert_false(allocation_is_past("0", 1001));
    assert_false(allocation_is_past("10x", 1001));
}

static void test_state(void **state)
{
    (void)state;
    assert_false(allocation_has_ended("JobId=7 JobName=x JobState=RUNNING Reason=None"));
    assert_false(allocation_has_ended("JobId=7 JobState=COMPLETING"));
    assert_true(allocation_has_ended("JobId=7 JobState=COMPLETED Reason=None"));
    assert_true(allocation_has_ended("JobId=7 JobState=TIMEOUT"));
    assert_true(allocation_has_ended("slurm_load_jobs error: Invalid job id specified"));
    assert_false(allocation_has_ended("slurm_load_jobs error: Unable to contact slurm controller"));
    assert_false(allocation_has_ended(""));
}

static void test_job_that_is_over(void **state)
{
    (void)state;
    allocation a;
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
        cmocka_unit_test(test_end),
        cmocka_unit_test(test_state),
        cmocka_unit_test(test_job_that_is_over),
        cmocka_unit_test(test_no_job),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
