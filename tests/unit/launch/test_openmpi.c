/* SPDX-License-Identifier: BSD-3-Clause */
/* Tests the mpirun line. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "launch/openmpi.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

static void test_versions(void **state)
{
    (void)state;
    static const char *const wrong[] = {"mpirun (Open MPI) 3.1.6\n", "mpirun (Open MPI) 4.0.7",
                                        "HYDRA build details: 4.1", "", "(Open MPI) x"};
    int version = 0;
    error e;
    assert_int_equal(openmpi_read_version("mpirun (Open MPI) 4.1.4\n\nReport", &version, &e),
                     WEFT_OK);
    assert_int_equal(version, 4);
    assert_int_equal(openmpi_read_version("mpirun (Open MPI) 5.0.7", &version, &e), WEFT_OK);
    assert_int_equal(version, 5);
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        assert_int_equal(openmpi_read_version(wrong[i], &version, &e), WEFT_ERR_SYSTEM);
        assert_non_null(strstr(e.text, "Open MPI"));
    }
}

static char *line_of(const char *list, const openmpi_run *from)
{
    static char pi[] = "./pi", out[] = "--out", file[] = "a b.h5";
    static char sync_s[] = "WEFT_SYNC=1", rsh[] = "WEFT_RSH=ssh", done[] = "WEFT_DONE_FILE=/x",
                threads[] = "WEFT_THREADS=9", home[] = "HOME=/h", places[] = "OMP_PLACES=cores",
                library[] = "LD_LIBRARY_PATH=/l";
    char *const program[] = {pi, out, file, NULL};
    char *const environment[] = {sync_s, rsh, done, threads, home, places, library, NULL};
    hosts h = {.count = 0};
    words line = {.count = 0};
    error e;
    assert_int_equal(hosts_read_list(&h, list, &e), WEFT_OK);
    hosts_share(&h, from->ranks);
    openmpi_run run = *from;
    run.hosts = &h;
    run.self = run.self == NULL ? "/bin/weft" : run.self;
    run.done = "/d/status";
    run.environment = environment;
    run.program = program;
    openmpi_line(&run, &line);
    char *text = words_line(&line);
    words_free(&line);
    hosts_free(&h);
    return text;
}

static void assert_line(const char *list, const openmpi_run *run, const char *expected)
{
    char *text = line_of(list, run);
    assert_string_equal(text, expected);
    free(text);
}

static void test_open_mpi_4_here(void **state)
{
    (void)state;
    const openmpi_run run = {.version = 4, .ranks = 2};
    assert_line("localhost", &run,
                "mpirun --enable-recovery --quiet -n 2 --host localhost:2 --map-by "
                "slot:OVERSUBSCRIBE --bind-to none --mca mpi_yield_when_idle 1 -x WEFT_SYNC -x "
                "WEFT_THREADS -x OMP_PLACES -x LD_LIBRARY_PATH -x WEFT_DONE_FILE=/d/status "
                "/bin/weft run --rank ./pi --out 'a b.h5'");
}

static void test_open_mpi_4_on_hosts(void **state)
{
    (void)state;
    openmpi_run run = {.version = 4,
                       .ranks = 3,
                       .workers = 4,
                       .binds = true,
                       .as_root = true,
                       .talks = true,
                       .in_slurm = true};
    words_split(&run.options, "--mca pml ob1");
    assert_line(
        "a,b", &run,
        "mpirun --enable-recovery --allow-run-as-root -n 3 --host a:2,b:1 --map-by "
        "slot:PE=4 --mca mpi_yield_when_idle 1 --leave-session-attached --mca plm rsh --mca "
        "plm_rsh_agent '/bin/weft run --remote' --mca plm_rsh_no_tree_spawn 1 --mca "
        "oob_tcp_keepalive_time 10 --mca oob_tcp_keepalive_intvl 5 --mca "
        "oob_tcp_keepalive_probes 4 --mca ras '^slurm' -x WEFT_SYNC -x OMP_PLACES -x "
        "LD_LIBRARY_PATH -x WEFT_THREADS=4 -x WEFT_DONE_FILE=/d/status --mca pml ob1 "
        "/bin/weft run --rank ./pi --out 'a b.h5'");
    words_free(&run.options);
}

static void test_open_mpi_5(void **state)
{
    (void)state;
    const openmpi_run run = {.version = 5, .ranks = 1, .in_slurm = true, .self = "/a b/weft"};
    assert_line("a", &run,
                "mpirun --with-ft ulfm -n 1 --host a:1 --map-by slot:OVERSUBSCRIBE --bind-to none "
                "--mca mpi_yield_when_idle 1 --leave-session-attached --prtemca plm ssh --prtemca "
                "plm_ssh_agent 'weft run --remote' --prtemca plm_ssh_no_tree_spawn 1 --prtemca "
                "oob_tcp_keepalive_time 10 --prtemca oob_tcp_keepalive_intvl 5 --prtemca "
                "oob_tcp_keepalive_probes 4 -x WEFT_SYNC -x WEFT_THREADS -x OMP_PLACES -x "
                "LD_LIBRARY_PATH -x WEFT_DONE_FILE=/d/status '/a b/weft' run --rank ./pi --out "
                "'a b.h5'");
}

static void test_identity(void **state)
{
    (void)state;
    static const char *const of_a_rank[] = {
        "OMPI_COMM_WORLD_RANK=1",  "PMIX_RANK=0", "PMIX_NAMESPACE=x",
        "PMIX_SERVER_URI41=y",     "PMI_RANK=0",  "OMPI_MCA_orte_hnp_uri=z",
        "OMPI_MCA_ess_base_vpid=1"};
    static const char *const of_a_user[] = {"OMPI_MCA_pml=ob1", "PMIX_MCA_gds=hash",
                                            "OMPI_ALLOW_RUN_AS_ROOT=1", "PATH=/bin",
                                            "OMPI_MCA_rmaps_base_oversubscribe=1"};
    for (size_t i = 0; i < sizeof of_a_rank / sizeof of_a_rank[0]; i++) {
        assert_true(openmpi_is_identity(of_a_rank[i]));
    }
    for (size_t i = 0; i < sizeof of_a_user / sizeof of_a_user[0]; i++) {
        assert_false(openmpi_is_identity(of_a_user[i]));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_versions),
        cmocka_unit_test(test_open_mpi_4_here),
        cmocka_unit_test(test_open_mpi_4_on_hosts),
        cmocka_unit_test(test_open_mpi_5),
        cmocka_unit_test(test_identity),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
