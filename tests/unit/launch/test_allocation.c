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

static void test_life(void **state)
{
    (void)state;
    static const struct {
        const char *shown;
        allocation_life life;
    } rows[] = {
        {"JobId=7 JobName=x JobState=RUNNING Reason=None", ALLOCATION_LIVES},
        {"JobId=7 JobState=COMPLETING", ALLOCATION_LIVES},
        {"JobId=7 JobState=COMPLETED Reason=None", ALLOCATION_IS_OVER},
        {"JobId=7 JobState=TIMEOUT", ALLOCATION_IS_OVER},
        {"slurm_load_jobs error: Invalid job id specified", ALLOCATION_IS_OVER},
        {"slurm_load_jobs error: Unable to contact slurm controller", ALLOCATION_UNKNOWN},
        {"", ALLOCATION_UNKNOWN},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        assert_int_equal(allocation_read_life(rows[i].shown), rows[i].life);
    }
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
        cmocka_unit_test(test_life),
        cmocka_unit_test(test_job_that_is_over),
        cmocka_unit_test(test_no_job),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
