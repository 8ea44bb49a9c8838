/* SPDX-License-Identifier: BSD-3-Clause */
/* Tests messages in a process that is alone, as when a program runs without mpirun; ranks in
 * company are tested in tests/mpi/messages.c. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "comm/comm.h"

#include <string.h>
#include <unistd.h>

/* MPI starts once per process. */
static comm *alone;

static int open_alone(void **state)
{
    (void)state;
    error e = {.status = WEFT_OK};
    return comm_open(NULL, NULL, &alone, &e) == WEFT_OK ? 0 : -1;
}

static int close_alone(void **state)
{
    (void)state;
    comm_close(alone);
    comm_close(NULL);
    return 0;
}

static void test_one_rank(void **state)
{
    (void)state;
    assert_int_equal(comm_rank(alone), 0);
    assert_int_equal(comm_size(alone), 1);
}

static void test_collective_calls(void **state)
{
    (void)state;
    error e = {.status = WEFT_OK};
    char bytes[] = "bytes";
    char all[sizeof bytes] = "";
    assert_int_equal(comm_broadcast(alone, 0, bytes, sizeof bytes, &e), WEFT_OK);
    assert_string_equal(bytes, "bytes");
    assert_int_equal(comm_gather(alone, bytes, sizeof bytes, all, &e), WEFT_OK);
    assert_string_equal(all, "bytes");
    assert_int_equal(comm_broadcast(alone, 0, bytes, (size_t)3 << 30, &e), WEFT_ERR_INTERNAL);
    assert_int_equal(comm_gather(alone, bytes, (size_t)3 << 30, all, &e), WEFT_ERR_INTERNAL);
}

static void test_agreement_with_oneself(void **state)
{
    (void)state;
    error e = {.status = WEFT_OK};
    assert_int_equal(comm_agree(alone, WEFT_OK, &e), WEFT_OK);
    (void)error_set(&e, WEFT_ERR_FORMAT, "what and where");
    assert_int_equal(comm_agree(alone, WEFT_ERR_FORMAT, &e), WEFT_ERR_FORMAT);
    assert_int_equal(e.status, WEFT_ERR_FORMAT);
    assert_string_equal(e.text, "what and where");
}

static void test_no_mail(void **state)
{
    (void)state;
    error e = {.status = WEFT_OK};
    bool arrived = true;
    int source = -1;
    const void *bytes = NULL;
    size_t count = 0;
    assert_int_equal(comm_receive(alone, &arrived, &source, &bytes, &count, &e), WEFT_OK);
    assert_false(arrived);
    comm_flush(alone, INT64_C(1000000000));
}

/* A second session in a process that has MPI running, and one that leaves it running. */
static void test_started_by_somebody_else(void **state)
{
    (void)state;
    error e = {.status = WEFT_OK};
    for (int i = 0; i < 3; i++) {
        comm *c = NULL;
        assert_int_equal(comm_open(NULL, NULL, &c, &e), WEFT_OK);
        assert_int_equal(comm_size(c), 1);
        assert_int_equal(comm_agree(c, WEFT_OK, &e), WEFT_OK);
        comm_close(c);
    }
    assert_int_equal(comm_agree(alone, WEFT_OK, &e), WEFT_OK);
}

static void test_bad_rank_is_an_error(void **state)
{
    (void)state;
    error e = {.status = WEFT_OK};
    assert_int_equal(comm_post(alone, 7, "x", 1, &e), WEFT_ERR_MPI);
    assert_non_null(strstr(e.text, "MPI_Isend"));
    e.status = WEFT_OK;
    char byte = 'x';
    assert_int_equal(comm_broadcast(alone, 7, &byte, 1, &e), WEFT_ERR_MPI);
    assert_non_null(strstr(e.text, "MPI_Ibcast"));
    assert_int_equal(comm_post(alone, 0, "x", SIZE_MAX - 8, &e), WEFT_ERR_MEMORY);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_one_rank),
        cmocka_unit_test(test_collective_calls),
        cmocka_unit_test(test_agreement_with_oneself),
        cmocka_unit_test(test_no_mail),
        cmocka_unit_test(test_started_by_somebody_else),
        cmocka_unit_test(test_bad_rank_is_an_error),
    };
    return cmocka_run_group_tests(tests, open_alone, close_alone);
}
