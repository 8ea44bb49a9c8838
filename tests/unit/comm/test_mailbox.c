/* SPDX-License-Identifier: BSD-3-Clause */
/* Tests that processes of a machine find each other's mailboxes, and only those. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "comm/mailbox.h"

#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { RANKS = 3, NUMBER = 2 };

static const int64_t for_ever_ns = INT64_C(3600000000000);

/* Three ranks with this process's place; those from `far` on are of another machine. */
static void describe(mailboxes_peer of[RANKS], const mailboxes_place *place, int far)
{
    for (int rank = 0; rank < RANKS; rank++) {
        host_this_process(&of[rank].process);
        of[rank].place = *place;
        if (rank >= far) {
            (void)strcpy(of[rank].process.boot, "elsewhere");
        }
    }
}

/* As another rank: joins, hears what rank 0 says, and answers. */
static int join_and_answer(const mailboxes_peer of[RANKS], int rank)
{
    mailboxes_place own;
    mailboxes *m = mailboxes_join(mailboxes_create(RANKS, &own), of, rank);
    mailbox *mine = mailboxes_of(m, rank, NUMBER);
    mailbox *first = mailboxes_of(m, 0, NUMBER);
    if (mine == NULL || first == NULL || mine == first || mailboxes_of(m, rank, 0) == mine) {
        return 1;
    }
    while (!bell_wait(&mine->bell, for_ever_ns)) {
    }
    const uint32_t sent = atomic_load(&mine->sent);
    atomic_fetch_add(&first->sent, sent);
    bell_ring(&first->bell);
    mailboxes_destroy(m);
    return 0;
}

static void test_processes(void **state)
{
    (void)state;
    mailboxes_place place;
    mailboxes_peer of[RANKS];
    pid_t child[RANKS];
    mailboxes *m = mailboxes_create(RANKS, &place);
    assert_non_null(m);
    describe(of, &place, RANKS);
    for (int rank = 1; rank < RANKS; rank++) {
        child[rank] = fork();
        if (child[rank] == 0) {
            _exit(join_and_answer(of, rank));
        }
    }
    m = mailboxes_join(m, of, 0);
    mailbox *mine = mailboxes_of(m, 0, NUMBER);
    assert_non_null(mine);
    uint32_t sum = 0;
    for (int rank = 1; rank < RANKS; rank++) {
        int status = -1;
        mailbox *other = mailboxes_of(m, rank, NUMBER);
        sum += (uint32_t)rank;
        atomic_fetch_add(&other->sent, (uint32_t)rank);
        bell_ring(&other->bell);
        assert_int_equal(waitpid(child[rank], &status, 0), child[rank]);
        assert_int_equal(status, 0);
        assert_true(bell_wait(&mine->bell, 0));
        assert_int_equal(atomic_load(&mine->sent), sum);
    }
    assert_true(mailboxes_are_complete(m));
    mailboxes_destroy(m);
}

/* Ranks of another machine have none here, and not all are there then. */
static void test_another_machine(void **state)
{
    (void)state;
    mailboxes_place place;
    mailboxes_peer of[RANKS];
    mailboxes *m = mailboxes_create(RANKS, &place);
    describe(of, &place, 1);
    m = mailboxes_join(m, of, 0);
    assert_non_null(mailboxes_of(m, 0, 0));
    assert_null(mailboxes_of(m, 1, 0));
    assert_null(mailboxes_of(m, 0, MAILBOXES_EACH));
    assert_null(mailboxes_of(m, RANKS, 0));
    assert_false(mailboxes_are_complete(m));
    mailboxes_destroy(m);
}

/* What a descriptor stands for by now is another file; nobody offers any; the process is gone. */
static void test_nothing_to_join(void **state)
{
    (void)state;
    mailboxes_place place;
    mailboxes_place own;
    mailboxes_peer of[RANKS];
    mailboxes *m = mailboxes_create(RANKS, &place);
    assert_non_null(m);
    describe(of, &place, RANKS);
    of[0].place.file++;
    assert_null(mailboxes_join(mailboxes_create(RANKS, &own), of, 1));
    of[0].place = (mailboxes_place){.descriptor = -1};
    assert_null(mailboxes_join(mailboxes_create(RANKS, &own), of, 1));
    describe(of, &place, RANKS);
    of[0].process.pid = INT32_MAX;
    assert_null(mailboxes_join(mailboxes_create(RANKS, &own), of, 1));
    mailboxes_destroy(m);
    assert_null(mailboxes_join(NULL, of, 1));
    assert_null(mailboxes_of(NULL, 0, 0));
    assert_false(mailboxes_are_complete(NULL));
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_processes),
                                       cmocka_unit_test(test_another_machine),
                                       cmocka_unit_test(test_nothing_to_join)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
