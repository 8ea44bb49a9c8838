/* SPDX-License-Identifier: BSD-3-Clause */
/* Tests how neighbours are missed, with processes that end when they are told to. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "comm/neighbours.h"

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

enum { RANKS = 5, NOBODY = -1, PAUSE_NS = 200000000 };

/* Rank 3 is on another machine. */
enum { STRANGER = 3 };

typedef struct ranks {
    pid_t pid[RANKS];
    host_process of[RANKS];
    int64_t now_ns;
} ranks;

static void kill_rank(ranks *r, int rank)
{
    (void)kill(r->pid[rank], SIGKILL);
    (void)waitpid(r->pid[rank], NULL, 0);
    r->pid[rank] = 0;
}

static void start_ranks(ranks *r)
{
    r->now_ns = 0;
    for (int rank = 0; rank < RANKS; rank++) {
        r->pid[rank] = fork();
        if (r->pid[rank] == 0) {
            for (;;) {
                (void)pause();
            }
        }
        assert_true(r->pid[rank] > 0);
        host_this_process(&r->of[rank]);
        r->of[rank].pid = r->pid[rank];
        r->of[rank].start = host_process_start(r->pid[rank]);
    }
    r->of[STRANGER].boot[0] = 'x';
}

static void end_ranks(ranks *r)
{
    for (int rank = 0; rank < RANKS; rank++) {
        if (r->pid[rank] != 0) {
            kill_rank(r, rank);
        }
    }
}

static neighbours *make(const ranks *r, int rank)
{
    error e = {.status = WEFT_OK};
    neighbours *n = NULL;
    assert_int_equal(neighbours_create(r->of, RANKS, rank, &n, &e), WEFT_OK);
    return n;
}

/* Who is missed at the next look. */
static int look(ranks *r, neighbours *n)
{
    r->now_ns += PAUSE_NS;
    return neighbours_next_dead(n, r->now_ns);
}

static void test_the_next_one_is_watched(void **state)
{
    (void)state;
    ranks r;
    start_ranks(&r);
    neighbours *n = make(&r, 1);
    assert_int_equal(look(&r, n), NOBODY);
    kill_rank(&r, 4);
    assert_int_equal(look(&r, n), NOBODY);
    kill_rank(&r, 2);
    assert_int_equal(look(&r, n), 2);
    /* From there on it watches the one after, which is dead already; each is told of once. */
    assert_int_equal(neighbours_next_dead(n, r.now_ns), 4);
    assert_int_equal(look(&r, n), NOBODY);
    neighbours_destroy(n);
    end_ranks(&r);
}

static void test_all_watch_the_first(void **state)
{
    (void)state;
    ranks r;
    start_ranks(&r);
    neighbours *all[RANKS];
    for (int rank = 0; rank < RANKS; rank++) {
        all[rank] = make(&r, rank);
    }
    kill_rank(&r, 0);
    for (int rank = 1; rank < RANKS; rank++) {
        assert_int_equal(look(&r, all[rank]), rank == STRANGER ? NOBODY : 0);
        assert_int_equal(look(&r, all[rank]), NOBODY);
    }
    for (int rank = 0; rank < RANKS; rank++) {
        neighbours_destroy(all[rank]);
    }
    end_ranks(&r);
}

static void test_the_ring_is_closed(void **state)
{
    (void)state;
    ranks r;
    start_ranks(&r);
    neighbours *last = make(&r, 4);
    neighbours *first = make(&r, 0);
    kill_rank(&r, 1);
    assert_int_equal(look(&r, last), 1);
    assert_int_equal(look(&r, first), 1);
    neighbours_destroy(first);
    neighbours_destroy(last);
    end_ranks(&r);
}

static void test_strangers_are_not_watched(void **state)
{
    (void)state;
    ranks r;
    start_ranks(&r);
    neighbours *stranger = make(&r, STRANGER);
    neighbours *before = make(&r, 2);
    for (int rank = 0; rank < 2; rank++) {
        kill_rank(&r, rank);
    }
    kill_rank(&r, STRANGER);
    assert_int_equal(look(&r, stranger), NOBODY);
    assert_int_equal(look(&r, before), 0);
    assert_int_equal(look(&r, before), NOBODY);
    neighbours_destroy(before);
    neighbours_destroy(stranger);
    end_ranks(&r);
}

static void test_looks_are_rare(void **state)
{
    (void)state;
    ranks r;
    start_ranks(&r);
    neighbours *n = make(&r, 1);
    assert_int_equal(look(&r, n), NOBODY);
    kill_rank(&r, 2);
    assert_int_equal(neighbours_next_dead(n, r.now_ns + 1), NOBODY);
    assert_int_equal(look(&r, n), 2);
    assert_int_equal(neighbours_next_dead(NULL, r.now_ns), NOBODY);
    neighbours_destroy(n);
    neighbours_destroy(NULL);
    end_ranks(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_next_one_is_watched),
        cmocka_unit_test(test_all_watch_the_first),
        cmocka_unit_test(test_the_ring_is_closed),
        cmocka_unit_test(test_strangers_are_not_watched),
        cmocka_unit_test(test_looks_are_rare),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
