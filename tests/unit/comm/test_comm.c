/* SPDX-License-Identifier: BSD-3-Clause */
/* Tests messages in a process that is alone, as when a program runs without mpirun; ranks in
 * company are tested in tests/mpi/messages.c. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "comm/internals.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Without MPI. */
static comm *alone;

static bool mpi_is_started(void)
{
    int started = 0;
    assert_int_equal(MPI_Initialized(&started), MPI_SUCCESS);
    return started != 0;
}

static int open_alone(void **state)
{
    (void)state;
    error e = {.status = WEFT_OK};
    return comm_open(NULL, NULL, false, &alone, &e) == WEFT_OK ? 0 : -1;
}

static int close_alone(void **state)
{
    (void)state;
    comm_close(alone);
    comm_close(NULL);
    return 0;
}

static void test_no_mpi_unasked(void **state)
{
    (void)state;
    assert_false(mpi_is_started());
}

static void test_one_rank(void **state)
{
    (void)state;
    assert_int_equal(comm_rank(alone), 0);
    assert_int_equal(comm_size(alone), 1);
    comm_flush(alone, INT64_C(1000000000));
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

/* MPI starts once per process: whoever asks for it again is told so, others do without. */
static void check_mpi_is_over(void)
{
    error e = {.status = WEFT_OK};
    comm *c = NULL;
    assert_int_equal(comm_open(NULL, NULL, false, &c, &e), WEFT_OK);
    assert_true(c->communicator == MPI_COMM_NULL);
    assert_int_equal(comm_size(c), 1);
    assert_int_equal(comm_agree(c, WEFT_OK, &e), WEFT_OK);
    comm_close(c);
    c = NULL;
    assert_int_equal(comm_open(NULL, NULL, true, &c, &e), WEFT_ERR_MPI);
    assert_non_null(strstr(e.text, "cannot be started again"));
    assert_null(c);
    assert_int_equal(setenv("PMI_RANK", "0", 1), 0);
    assert_int_equal(comm_open(NULL, NULL, false, &c, &e), WEFT_ERR_MPI);
    assert_int_equal(unsetenv("PMI_RANK"), 0);
}

/* Further sessions find MPI there, and leave it. */
static void test_with_mpi(void **state)
{
    (void)state;
    error e = {.status = WEFT_OK};
    comm *first = NULL;
    assert_int_equal(comm_open(NULL, NULL, true, &first, &e), WEFT_OK);
    assert_true(mpi_is_started());
    for (int i = 0; i < 3; i++) {
        comm *c = NULL;
        assert_int_equal(comm_open(NULL, NULL, i == 1, &c, &e), WEFT_OK);
        assert_true(c->communicator != MPI_COMM_NULL);
        assert_int_equal(comm_size(c), 1);
        assert_int_equal(comm_agree(c, WEFT_OK, &e), WEFT_OK);
        comm_close(c);
    }
    assert_int_equal(comm_agree(first, WEFT_OK, &e), WEFT_OK);
    int over = 1;
    assert_int_equal(MPI_Finalized(&over), MPI_SUCCESS);
    assert_int_equal(over, 0);
    comm_close(first);
    assert_int_equal(MPI_Finalized(&over), MPI_SUCCESS);
    assert_int_equal(over, 1);
    check_mpi_is_over();
}

/* A death is known to all communicators, whichever has seen it; a branch is closed before. */
static void test_broken_for_all(void **state)
{
    (void)state;
    error e = {.status = WEFT_OK};
    comm *trunk = NULL;
    comm *branch[3] = {NULL};
    assert_int_equal(comm_open(NULL, NULL, false, &trunk, &e), WEFT_OK);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(comm_branch(trunk, &branch[i], &e), WEFT_OK);
    }
    comm_close(branch[1]);
    assert_int_equal(comm_agree(branch[2], WEFT_OK, &e), WEFT_OK);
    comm_break(branch[0]);
    assert_true(comm_broken(trunk) && comm_broken(branch[0]) && comm_broken(branch[2]));
    assert_int_equal(comm_agree(branch[2], WEFT_OK, &e), WEFT_ERR_MPI);
    comm_close(branch[0]);
    comm_close(branch[2]);
    comm_close(trunk);
}

static void test_bad_rank_is_an_error(void **state)
{
    (void)state;
    error e = {.status = WEFT_OK};
    char byte = 'x';
    assert_int_equal(comm_broadcast(alone, 7, &byte, 1, &e), WEFT_ERR_MPI);
    assert_non_null(strstr(e.text, "MPI_Ibcast"));
}

static void test_too_long_a_message(void **state)
{
    (void)state;
    error e = {.status = WEFT_OK};
    sendqueue *queue = NULL;
    outbox *box = NULL;
    assert_int_equal(sendqueue_create(2, SIZE_MAX, &queue, &e), WEFT_OK);
    assert_int_equal(outbox_open(queue, &box, &e), WEFT_OK);
    const address to = {.communicator = MPI_COMM_NULL, .rank = 1};
    assert_int_equal(outbox_post(box, &to, false, "x", SIZE_MAX - 8, &e), WEFT_ERR_MEMORY);
    outbox_close(box);
    sendqueue_destroy(queue);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_no_mpi_unasked),     cmocka_unit_test(test_one_rank),
        cmocka_unit_test(test_collective_calls),   cmocka_unit_test(test_agreement_with_oneself),
        cmocka_unit_test(test_broken_for_all),     cmocka_unit_test(test_bad_rank_is_an_error),
        cmocka_unit_test(test_too_long_a_message), cmocka_unit_test(test_with_mpi),
    };
    return cmocka_run_group_tests(tests, open_alone, close_alone);
}
