/* SPDX-License-Identifier: BSD-3-Clause */
/* Tests when a run has to be over: by --time-limit, and by the Slurm job. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "api/deadline.h"
#include "base/clock.h"

#include <stdio.h>
#include <stdlib.h>

static const double second_ns = 1e9;

/* A Slurm job that ends so many seconds from now. */
static void set_job(double left_s)
{
    char end[32];
    (void)snprintf(end, sizeof end, "%.0f", clock_wall_s() + left_s);
    assert_int_equal(setenv("SLURM_JOB_ID", "12", 1), 0);
    assert_int_equal(setenv("SLURM_JOB_END_TIME", end, 1), 0);
}

static int leave_job(void **state)
{
    (void)state;
    (void)unsetenv("SLURM_JOB_ID");
    (void)unsetenv("SLURM_JOB_END_TIME");
    return unsetenv("WEFT_TIME_LIMIT");
}

/* The deadline, in seconds after the start, which is now; 0: none. */
static double find(const char *word)
{
    char name[] = "program";
    char given[64];
    (void)snprintf(given, sizeof given, "%s", word == NULL ? "" : word);
    char *words[] = {name, word == NULL ? NULL : given, NULL};
    int count = word == NULL ? 1 : 2;
    options c;
    error e = {.status = WEFT_OK};
    assert_int_equal(options_read(&c, NULL, &count, words, &e), WEFT_OK);
    const int64_t start_ns = clock_now_ns();
    const int64_t deadline_ns = deadline_find(&c, start_ns);
    return deadline_ns == 0 ? 0 : (double)(deadline_ns - start_ns) / second_ns;
}

static void assert_near(double found_s, double expected_s)
{
    assert_true(found_s > expected_s - 2 && found_s < expected_s + 2);
}

static void test_none(void **state)
{
    (void)state;
    assert_true(find(NULL) <= 0);
    assert_true(find("--time-limit=0") <= 0);
}

static void test_limit(void **state)
{
    (void)state;
    assert_near(find("--time-limit=1:00"), 60);
    set_job(1000);
    assert_near(find("--time-limit=1:00"), 60);
    assert_near(find("--time-limit=1:00:00"), 3600);
}

/* What comes after the run gets 3.5 %, at most ten seconds. */
static void test_slurm(void **state)
{
    (void)state;
    set_job(100);
    assert_near(find(NULL), 96.5);
    set_job(10000);
    assert_near(find(NULL), 9990);
}

static void test_zero_wins_over_slurm(void **state)
{
    (void)state;
    set_job(100);
    assert_true(find("--time-limit=0") <= 0);
    assert_int_equal(setenv("WEFT_TIME_LIMIT", "0", 1), 0);
    assert_true(find(NULL) <= 0);
}

/* An environment that a shell has kept: a limit that has passed would stop each run at once, and a
 * loop until the result is complete would never end. */
static void test_job_that_is_over(void **state)
{
    (void)state;
    set_job(-100);
    assert_true(find(NULL) <= 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_none, leave_job, leave_job),
        cmocka_unit_test_teardown(test_limit, leave_job),
        cmocka_unit_test_teardown(test_slurm, leave_job),
        cmocka_unit_test_teardown(test_zero_wins_over_slurm, leave_job),
        cmocka_unit_test_teardown(test_job_that_is_over, leave_job),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
