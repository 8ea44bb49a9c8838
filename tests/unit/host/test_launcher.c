/* SPDX-License-Identifier: BSD-3-Clause */
/* Tests what is believed of the variables of launchers. What the parent of this process was started
 * with is the same in all cases: none of them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "host/launcher.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static const char *const names[] = {"OMPI_COMM_WORLD_RANK",
                                    "OMPI_COMM_WORLD_SIZE",
                                    "PMI_RANK",
                                    "PMI_SIZE",
                                    "MPI_LOCALRANKID",
                                    "MPI_LOCALNRANKS",
                                    "MV2_COMM_WORLD_RANK",
                                    "MV2_COMM_WORLD_SIZE",
                                    "PMIX_RANK",
                                    "ALPS_APP_PE",
                                    "SLURM_PROCID",
                                    "SLURM_NTASKS",
                                    "SLURM_STEP_ID",
                                    "SLURM_STEP_NUM_TASKS",
                                    "SLURM_PTY_PORT",
                                    "SLURM_TASK_PID"};

static int forget(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        (void)unsetenv(names[i]);
    }
    return 0;
}

static void set(const char *name, const char *value)
{
    assert_int_equal(setenv(name, value, 1), 0);
}

/* Nobody claims several. */
static void expect_none(void)
{
    launcher_claim claim;
    assert_false(launcher_claims_several(&claim));
}

static void expect(const char *variable, int rank, int size)
{
    launcher_claim claim;
    assert_true(launcher_claims_several(&claim));
    assert_string_equal(claim.rank_variable, variable);
    assert_int_equal(claim.rank, rank);
    assert_int_equal(claim.size, size);
}

static void test_none(void **state)
{
    (void)state;
    expect_none();
    set("PMI_RANK", "");
    set("PMI_SIZE", "many");
    set("PMIX_RANK", "-1");
    expect_none();
    set("PMI_SIZE", "3");
    expect_none();
}

static void test_each_launcher(void **state)
{
    static const char *const pairs[][2] = {{"PMI_RANK", "PMI_SIZE"},
                                           {"MPI_LOCALRANKID", "MPI_LOCALNRANKS"},
                                           {"MV2_COMM_WORLD_RANK", "MV2_COMM_WORLD_SIZE"},
                                           {"OMPI_COMM_WORLD_RANK", "OMPI_COMM_WORLD_SIZE"}};
    for (size_t i = 0; i < sizeof pairs / sizeof pairs[0]; i++) {
        (void)forget(state);
        set(pairs[i][0], "0");
        set(pairs[i][1], "3");
        expect(pairs[i][0], 0, 3);
        set(pairs[i][1], "1");
        expect_none();
    }
    /* One rank on each of three hosts. */
    (void)forget(state);
    set("PMI_RANK", "2");
    set("PMI_SIZE", "3");
    set("MPI_LOCALRANKID", "0");
    set("MPI_LOCALNRANKS", "1");
    expect("PMI_RANK", 2, 3);
    (void)forget(state);
    set("PMIX_RANK", "0");
    expect_none();
    set("PMIX_RANK", "2");
    expect("PMIX_RANK", 2, 0);
    (void)forget(state);
    set("ALPS_APP_PE", "4");
    expect("ALPS_APP_PE", 4, 0);
}

/* Also one that has started a single process. */
static void test_there_is_a_launcher(void **state)
{
    static const char *const ranks[] = {"OMPI_COMM_WORLD_RANK", "PMI_RANK",  "MPI_LOCALRANKID",
                                        "MV2_COMM_WORLD_RANK",  "PMIX_RANK", "ALPS_APP_PE"};
    assert_false(launcher_is_there());
    for (size_t i = 0; i < sizeof ranks / sizeof ranks[0]; i++) {
        (void)forget(state);
        set(ranks[i], "");
        assert_false(launcher_is_there());
        set(ranks[i], "0");
        assert_true(launcher_is_there());
    }
    (void)forget(state);
    set("SLURM_NTASKS", "4");
    set("SLURM_PROCID", "0");
    assert_false(launcher_is_there()); /* a shell in an allocation */
    set("SLURM_STEP_ID", "4294967291");
    assert_false(launcher_is_there()); /* a batch script */
    set("SLURM_STEP_ID", "0");
    assert_true(launcher_is_there()); /* srun */
    set("SLURM_PTY_PORT", "4000");
    assert_false(launcher_is_there()); /* a shell of srun's */
    set("PMIX_RANK", "0");
    assert_true(launcher_is_there()); /* whose variables MPI can use */
}

/* One rank under mpirun, which runs in a step or under another launcher. */
static void test_the_mpi_of_the_program_is_right(void **state)
{
    (void)state;
    set("PMI_RANK", "1");
    set("PMI_SIZE", "3");
    set("OMPI_COMM_WORLD_RANK", "0");
    set("OMPI_COMM_WORLD_SIZE", "1");
    expect_none();
}

static void test_slurm(void **state)
{
    (void)state;
    char pid[32];
    /* A shell in an allocation, and a batch script. */
    set("SLURM_NTASKS", "4");
    expect_none();
    set("SLURM_PROCID", "0");
    expect_none();
    set("SLURM_STEP_ID", "4294967290");
    expect_none();
    set("SLURM_STEP_ID", "4294967291");
    expect_none();
    /* A step of four, and one of one. */
    set("SLURM_STEP_ID", "0");
    expect("SLURM_PROCID", 0, 4);
    set("SLURM_STEP_NUM_TASKS", "1");
    expect_none();
    set("SLURM_STEP_NUM_TASKS", "2");
    expect("SLURM_PROCID", 0, 2);
    /* In a shell that srun --pty has started, and srun --pty itself. */
    set("SLURM_PTY_PORT", "4000");
    (void)snprintf(pid, sizeof pid, "%lld", (long long)getppid());
    set("SLURM_TASK_PID", pid);
    expect_none();
    /* With one of Slurm's plugins for MPI, the shell has more. */
    set("PMIX_RANK", "0");
    set("PMI_RANK", "0");
    set("PMI_SIZE", "2");
    expect_none();
    /* mpirun in that shell is another matter. */
    set("OMPI_COMM_WORLD_RANK", "1");
    set("OMPI_COMM_WORLD_SIZE", "3");
    expect("OMPI_COMM_WORLD_RANK", 1, 3);
    (void)unsetenv("OMPI_COMM_WORLD_RANK");
    (void)unsetenv("PMI_RANK");
    (void)snprintf(pid, sizeof pid, "%lld", (long long)getpid());
    set("SLURM_TASK_PID", pid);
    expect("SLURM_PROCID", 0, 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_none, forget, forget),
        cmocka_unit_test_setup_teardown(test_each_launcher, forget, forget),
        cmocka_unit_test_setup_teardown(test_there_is_a_launcher, forget, forget),
        cmocka_unit_test_setup_teardown(test_the_mpi_of_the_program_is_right, forget, forget),
        cmocka_unit_test_setup_teardown(test_slurm, forget, forget),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
