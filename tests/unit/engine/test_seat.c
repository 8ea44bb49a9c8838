/* SPDX-License-Identifier: BSD-3-Clause */
/* Tests who shares cores with whom, and how the threads of those ranks are numbered. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "engine/seat.h"

#include <stdio.h>
#include <string.h>

/* A rank that may use `count` cores of a host from `first` on. */
static seat place(const char *host, int first, int count, int workers)
{
    seat s;
    memset(&s, 0, sizeof s);
    (void)snprintf(s.host, sizeof s.host, "%s", host);
    for (int i = 0; i < count; i++) {
        host_add_core(&s.cores, first + i);
    }
    s.online = 64;
    s.workers = workers;
    return s;
}

static void check(const seat *seats, int ranks, int rank, seat_share expected)
{
    const seat_share found = seat_find_share(seats, ranks, rank);
    assert_int_equal(found.ranks, expected.ranks);
    assert_int_equal(found.threads, expected.threads);
    assert_int_equal(found.first, expected.first);
    assert_int_equal(found.equal, expected.equal);
}

static void test_alone(void **state)
{
    (void)state;
    const seat s = place("a", 0, 4, 4);
    check(&s, 1, 0, (seat_share){.ranks = 1, .threads = 4, .first = 0, .equal = true});
}

/* As the launcher leaves ranks that it does not bind. Hosts take turns. */
static void test_same_cores(void **state)
{
    (void)state;
    const seat seats[] = {place("a", 0, 8, 3), place("b", 0, 8, 5), place("a", 0, 8, 2),
                          place("b", 0, 8, 1), place("a", 0, 8, 1)};
    check(seats, 5, 0, (seat_share){.ranks = 3, .threads = 6, .first = 0, .equal = true});
    check(seats, 5, 1, (seat_share){.ranks = 2, .threads = 6, .first = 0, .equal = true});
    check(seats, 5, 2, (seat_share){.ranks = 3, .threads = 6, .first = 3, .equal = true});
    check(seats, 5, 3, (seat_share){.ranks = 2, .threads = 6, .first = 5, .equal = true});
    check(seats, 5, 4, (seat_share){.ranks = 3, .threads = 6, .first = 5, .equal = true});
}

/* Bound by the launcher, each to its own. */
static void test_own_cores(void **state)
{
    (void)state;
    const seat seats[] = {place("a", 0, 4, 4), place("a", 4, 4, 4), place("a", 60, 8, 2)};
    for (int i = 0; i < 3; i++) {
        check(seats, 3, i,
              (seat_share){.ranks = 1, .threads = seats[i].workers, .first = 0, .equal = true});
    }
}

static void test_some_cores_in_common(void **state)
{
    (void)state;
    const seat seats[] = {place("a", 0, 4, 2), place("a", 2, 4, 1), place("a", 0, 4, 1),
                          place("a", 10, 1, 1)};
    check(seats, 4, 0, (seat_share){.ranks = 3, .threads = 4, .first = 0, .equal = false});
    check(seats, 4, 1, (seat_share){.ranks = 3, .threads = 4, .first = 2, .equal = false});
    check(seats, 4, 2, (seat_share){.ranks = 3, .threads = 4, .first = 3, .equal = false});
    check(seats, 4, 3, (seat_share){.ranks = 1, .threads = 1, .first = 0, .equal = true});
}

/* A main thread that computes by itself needs a core as well. */
static void test_no_workers(void **state)
{
    (void)state;
    const seat seats[] = {place("a", 0, 4, 0), place("a", 0, 4, 2), place("a", 0, 4, 0)};
    assert_int_equal(seat_threads(&seats[0]), 1);
    assert_int_equal(seat_threads(&seats[1]), 2);
    check(seats, 3, 1, (seat_share){.ranks = 3, .threads = 4, .first = 1, .equal = true});
    check(seats, 3, 2, (seat_share){.ranks = 3, .threads = 4, .first = 3, .equal = true});
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_alone),      cmocka_unit_test(test_same_cores),
        cmocka_unit_test(test_own_cores),  cmocka_unit_test(test_some_cores_in_common),
        cmocka_unit_test(test_no_workers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
