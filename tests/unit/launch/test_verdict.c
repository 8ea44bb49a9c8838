/* SPDX-License-Identifier: BSD-3-Clause */
/* Tests what the launcher makes of what it knows: the table of cluster/README.md, row by row. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "launch/verdict.h"

#include <signal.h>
#include <string.h>

enum { GRACE_S = 4, KILLED = 128 + SIGKILL, CRASHED = 128 + SIGSEGV };

/* A run that has begun and goes on; failures below are as outcome.c would note them. */
static evidence begun(void)
{
    evidence e;
    verdict_clear(&e);
    e.begun = true;
    return e;
}

static evidence starting(void)
{
    evidence e;
    verdict_clear(&e);
    return e;
}

static mark with(int status)
{
    return (mark){.there = true, .status = status};
}

static void fail_rank(evidence *e, int rank, int status)
{
    if (rank == 0) {
        e->rank_0 = with(status);
        e->rank_0_gone = true;
    }
    if (verdict_was_stopped(status)) {
        e->killed_rank = rank;
        e->killed_status = status;
    } else {
        e->failed_rank = rank;
        e->failed_status = status;
    }
}

static void assert_verdict(const evidence *e, int limit_s, int status, const char *why)
{
    char text[VERDICT_TEXT_BYTES];
    assert_int_equal(verdict_limit_s(e, GRACE_S), limit_s);
    assert_int_equal(verdict_status(e, text), status);
    assert_non_null(strstr(text, why));
    assert_true(why[0] != '\0' || text[0] == '\0');
}

static void test_program_ends(void **state)
{
    (void)state;
    static const int statuses[] = {0, 1, 2, 3, 75};
    for (size_t i = 0; i < sizeof statuses / sizeof statuses[0]; i++) {
        evidence e = begun();
        e.word = with(statuses[i]);
        assert_verdict(&e, 600, statuses[i], ""); /* rank 0 goes on */
        e.rank_0 = with(statuses[i]);
        e.rank_0_gone = true;
        assert_verdict(&e, GRACE_S, statuses[i], "");
        e.rank_0 = with(KILLED); /* amid its end */
        assert_verdict(&e, GRACE_S, statuses[i], "");
        e.rank_0 = with(9); /* another than it said: the later one */
        assert_verdict(&e, GRACE_S, 9, "");
    }
}

static void test_program_that_is_not_wefts(void **state)
{
    (void)state;
    evidence e = starting();
    fail_rank(&e, 0, 0);
    e.failed_rank = -1;
    e.mpirun_ended = true;
    assert_verdict(&e, VERDICT_NO_LIMIT, 0, "");
    fail_rank(&e, 1, 5);
    assert_verdict(&e, GRACE_S, 5, "rank 1 ended with status 5");
    fail_rank(&e, 1, 127);
    assert_verdict(&e, GRACE_S, 127, "was not found");
}

static void test_other_rank_dies(void **state)
{
    (void)state;
    evidence e = begun();
    fail_rank(&e, 2, CRASHED);
    assert_int_equal(verdict_limit_s(&e, GRACE_S), VERDICT_NO_LIMIT);
    e.host_lost = true;
    assert_int_equal(verdict_limit_s(&e, GRACE_S), VERDICT_NO_LIMIT);
    e.word = with(0);
    fail_rank(&e, 0, 0);
    assert_verdict(&e, GRACE_S, 0, "");
}

static void test_mpirun_ends_the_job_after_a_loss(void **state)
{
    (void)state;
    evidence e = begun();
    e.host_lost = e.mpirun_ended = true;
    e.mpirun_status = 1;
    assert_verdict(&e, VERDICT_NO_LIMIT, 75, "before the program did");
}

static void test_rank_0_dies(void **state)
{
    (void)state;
    evidence e = begun();
    fail_rank(&e, 0, CRASHED);
    assert_int_equal(verdict_limit_s(&e, GRACE_S), 60);
    e.alone = with(75);
    assert_verdict(&e, GRACE_S, 75, "");
    e.alone.there = false;
    e.alone.status = -1;
    e.nobody_left = true; /* the only one */
    assert_verdict(&e, GRACE_S, CRASHED, "rank 0 ended with status 139");
}

static void test_all_ranks_are_killed(void **state)
{
    (void)state;
    static const int signals[] = {SIGKILL, SIGTERM, SIGHUP, SIGINT, SIGUSR1, SIGUSR2, SIGXCPU};
    for (size_t i = 0; i < sizeof signals / sizeof signals[0]; i++) {
        evidence e = begun();
        fail_rank(&e, 0, 128 + signals[i]);
        e.nobody_left = true;
        assert_verdict(&e, GRACE_S, 75, "run the same command again");
        fail_rank(&e, 1, CRASHED); /* that was outlived */
        assert_verdict(&e, GRACE_S, 75, "rank 0 ended");
    }
}

static void test_all_hosts_are_lost(void **state)
{
    (void)state;
    evidence e = begun();
    e.host_lost = e.rank_0_gone = e.nobody_left = true;
    assert_verdict(&e, GRACE_S, 75, "on hosts that are lost");
    e.begun = false;
    assert_verdict(&e, GRACE_S, 1, "without a word");
}

static void test_failure_before_it_begins(void **state)
{
    (void)state;
    evidence e = starting();
    fail_rank(&e, 1, 9);
    assert_verdict(&e, GRACE_S, 9, "rank 1 ended with status 9");
    fail_rank(&e, 0, KILLED); /* by mpirun, for the other's sake */
    assert_verdict(&e, GRACE_S, 9, "rank 1 ended with status 9");
    e = starting();
    e.host_lost = e.mpirun_ended = true;
    e.mpirun_status = 1;
    assert_verdict(&e, GRACE_S, 1, "");
}

static void test_rank_is_killed_before_it_begins(void **state)
{
    (void)state;
    static const int signals[] = {SIGKILL, SIGTERM, SIGHUP, SIGINT, SIGUSR1, SIGUSR2, SIGXCPU};
    for (size_t i = 0; i < sizeof signals / sizeof signals[0]; i++) {
        for (int rank = 0; rank < 2; rank++) {
            evidence e = starting();
            fail_rank(&e, rank, 128 + signals[i]);
            assert_verdict(&e, GRACE_S, 75, "run the same command again");
            e.mpirun_ended = true;
            assert_verdict(&e, GRACE_S, 75, "run the same command again");
        }
    }
    evidence e = starting();
    fail_rank(&e, 0, CRASHED);
    assert_verdict(&e, GRACE_S, CRASHED, "rank 0 ended");
}

static void test_mpirun_is_killed(void **state)
{
    (void)state;
    evidence e = starting();
    e.mpirun_ended = true;
    e.mpirun_status = KILLED;
    assert_verdict(&e, VERDICT_NO_LIMIT, 75, "mpirun was killed");
    e.begun = true;
    e.mpirun_status = CRASHED;
    assert_verdict(&e, VERDICT_NO_LIMIT, 75, "mpirun was killed");
    e.begun = false;
    assert_verdict(&e, VERDICT_NO_LIMIT, CRASHED, "");
}

static void test_signal(void **state)
{
    (void)state;
    static const int signals[] = {SIGINT, SIGTERM, SIGHUP, SIGUSR2, SIGXCPU};
    for (size_t i = 0; i < sizeof signals / sizeof signals[0]; i++) {
        evidence e = starting();
        e.signal = signals[i];
        e.interrupts = signals[i] == SIGINT;
        assert_verdict(&e, 20, 75, "");
        e.mpirun_ended = true; /* before the run began */
        e.mpirun_status = 1;
        assert_verdict(&e, 20, 75, "");
        e.begun = true;
        e.mpirun_status = 0;
        assert_verdict(&e, 20, 75, "");
        /* A second TERM amid the end of MPI, which has no handlers any more. */
        fail_rank(&e, 0, 128 + SIGUSR2);
        e.word = with(75);
        assert_verdict(&e, GRACE_S, 75, "");
    }
}

static void test_usr1(void **state)
{
    (void)state;
    evidence e = starting();
    e.signal = SIGUSR1;
    assert_verdict(&e, VERDICT_NO_LIMIT, 75, "");
    fail_rank(&e, 0, 128 + SIGUSR1);
    assert_verdict(&e, GRACE_S, 75, "");
    e = starting();
    e.signal = SIGUSR1;
    e.rank_0 = with(0); /* a program that is not weft's, and goes on */
    assert_verdict(&e, VERDICT_NO_LIMIT, 0, "");
    fail_rank(&e, 1, 5);
    assert_verdict(&e, GRACE_S, 5, "");
}

static void test_second_interrupt(void **state)
{
    (void)state;
    evidence e = begun();
    e.signal = SIGINT;
    e.interrupts = 2;
    assert_verdict(&e, 0, 130, "");
    e.word = with(0); /* it was done */
    assert_verdict(&e, 0, 0, "");
    assert_int_equal(verdict_settle(&e, 0), 0);
    assert_int_equal(verdict_settle(&e, 75), 130);
    e.interrupts = 1;
    assert_int_equal(verdict_settle(&e, 75), 75);
}

static void test_no_word(void **state)
{
    (void)state;
    evidence e = starting();
    e.mpirun_ended = true;
    assert_verdict(&e, VERDICT_NO_LIMIT, 1, "no word came from rank 0");
    e.rank_0.there = true; /* and cannot be read */
    assert_verdict(&e, VERDICT_NO_LIMIT, 1, "no word came from rank 0");
    e.begun = true;
    assert_verdict(&e, VERDICT_NO_LIMIT, 1, "without a word");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_program_ends),
        cmocka_unit_test(test_program_that_is_not_wefts),
        cmocka_unit_test(test_other_rank_dies),
        cmocka_unit_test(test_mpirun_ends_the_job_after_a_loss),
        cmocka_unit_test(test_rank_0_dies),
        cmocka_unit_test(test_all_ranks_are_killed),
        cmocka_unit_test(test_all_hosts_are_lost),
        cmocka_unit_test(test_failure_before_it_begins),
        cmocka_unit_test(test_rank_is_killed_before_it_begins),
        cmocka_unit_test(test_mpirun_is_killed),
        cmocka_unit_test(test_signal),
        cmocka_unit_test(test_usr1),
        cmocka_unit_test(test_second_interrupt),
        cmocka_unit_test(test_no_word),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
