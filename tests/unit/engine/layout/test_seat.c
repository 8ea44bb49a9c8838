/* SPDX-License-Identifier: BSD-3-Clause */
/* Tests who shares cores and quotas with whom, how the threads of those ranks are numbered, and how
 * many workers follow. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "engine/layout/seat.h"

#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { BY_SEAT = -1 };

/* A rank that may use `count` cores of a host from `first` on, with so many workers; 0: as follows
 * from its place. */
static seat place(const char *host, int first, int count, int workers)
{
    seat s;
    host_cores cores;
    memset(&s, 0, sizeof s);
    memset(&cores, 0, sizeof cores);
    (void)snprintf(s.host, sizeof s.host, "%s", host);
    for (int i = 0; i < count; i++) {
        host_add_core(&cores, first + i);
    }
    seat_set_cores(&s, &cores);
    s.online = 64;
    s.named = workers;
    s.most = INT_MAX;
    return s;
}

static seating *make(const seat *seats, int ranks, int64_t asked)
{
    error e = {.status = WEFT_OK};
    seating *s = NULL;
    assert_int_equal(seating_create(seats, NULL, ranks, asked, &s, &e), WEFT_OK);
    return s;
}

static void check(const seat_share *found, int ranks, int threads, int first, bool equal)
{
    assert_int_equal(found->ranks, ranks);
    assert_int_equal(found->threads, threads);
    assert_int_equal(found->equal, equal);
    if (equal) {
        assert_int_equal(found->first, first);
    }
}

static void test_alone(void **state)
{
    (void)state;
    const seat mine = place("a", 0, 4, 4);
    seating *s = make(&mine, 1, BY_SEAT);
    check(&s->share[0], 1, 4, 0, true);
    assert_int_equal(s->hosts, 1);
    assert_int_equal(s->host_cores[0], 4);
    seating_destroy(s);
    seating_destroy(NULL);
}

/* As the launcher leaves ranks that it does not bind. Hosts take turns. */
static void test_same_cores(void **state)
{
    (void)state;
    const seat seats[] = {place("b", 0, 8, 3), place("a", 0, 8, 5), place("b", 0, 8, 2),
                          place("a", 0, 8, 1), place("b", 0, 8, 1)};
    seating *s = make(seats, 5, BY_SEAT);
    check(&s->share[0], 3, 6, 0, true);
    check(&s->share[1], 2, 6, 0, true);
    check(&s->share[2], 3, 6, 3, true);
    check(&s->share[3], 2, 6, 5, true);
    check(&s->share[4], 3, 6, 5, true);
    /* Hosts in the order of their first ranks, not of their names. */
    assert_int_equal(s->hosts, 2);
    assert_int_equal(s->first[0], 0);
    assert_int_equal(s->first[1], 1);
    assert_int_equal(s->share[3].host, 1);
    assert_int_equal(s->share[4].host, 0);
    seating_destroy(s);
}

/* Bound by the launcher, each to its own. */
static void test_own_cores(void **state)
{
    (void)state;
    const seat seats[] = {place("a", 0, 4, 4), place("a", 4, 4, 4), place("a", 60, 8, 2)};
    seating *s = make(seats, 3, BY_SEAT);
    for (int i = 0; i < 3; i++) {
        check(&s->share[i], 1, seats[i].named, 0, true);
    }
    assert_int_equal(s->host_cores[0], 16);
    seating_destroy(s);
}

static void test_some_cores_in_common(void **state)
{
    (void)state;
    const seat seats[] = {place("a", 0, 4, 2), place("a", 2, 4, 1), place("a", 0, 4, 1),
                          place("a", 10, 1, 1)};
    seating *s = make(seats, 4, BY_SEAT);
    check(&s->share[0], 3, 4, 0, false);
    check(&s->share[1], 3, 4, 0, false);
    check(&s->share[2], 3, 4, 0, false);
    check(&s->share[3], 1, 1, 0, true);
    assert_int_equal(s->host_cores[0], 7);
    seating_destroy(s);
}

/* A main thread that computes by itself needs a core as well. */
static void test_no_workers(void **state)
{
    (void)state;
    const seat seats[] = {place("a", 0, 4, 0), place("a", 0, 4, 0)};
    assert_int_equal(seat_threads(0), 1);
    assert_int_equal(seat_threads(2), 2);
    seating *s = make(seats, 2, 0);
    check(&s->share[1], 2, 2, 1, true);
    assert_int_equal(s->share[0].workers, 0);
    seating_destroy(s);
}

/* Lists of cores with and without steps say exactly which they are; others are told of at length.
 */
static void test_ragged_cores(void **state)
{
    (void)state;
    error e = {.status = WEFT_OK};
    seat seats[4];
    host_cores cores[4];
    memset(cores, 0, sizeof cores);
    for (int i = 0; i < 64; i++) {
        host_add_core(&cores[0], 2 * i);     /* even */
        host_add_core(&cores[1], 2 * i + 1); /* odd */
        host_add_core(&cores[2], i * i / 2); /* even, too, but ragged */
    }
    host_add_core(&cores[3], 4095);
    for (int i = 0; i < 4; i++) {
        seats[i] = place("a", 0, 1, 1);
        seat_set_cores(&seats[i], &cores[i]);
    }
    assert_int_equal(seats[0].runs, 1);
    assert_int_equal(seats[1].runs, 1);
    assert_int_equal(seats[2].runs, SEAT_RAGGED);
    seating *s = NULL;
    assert_int_equal(seating_create(seats, cores, 4, BY_SEAT, &s, &e), WEFT_OK);
    check(&s->share[0], 2, 2, 0, false);
    check(&s->share[1], 1, 1, 0, true);
    check(&s->share[2], 2, 2, 0, false);
    check(&s->share[3], 1, 1, 0, true);
    seating_destroy(s);
}

static void expect_workers(seating *s, int rank, int workers, seat_reason reason)
{
    assert_int_equal(s->share[rank].workers, workers);
    assert_int_equal(s->share[rank].reason, reason);
}

static void test_workers_by_cores(void **state)
{
    (void)state;
    const seat seats[] = {place("a", 0, 8, 0), place("a", 0, 8, 0), place("b", 0, 1, 0),
                          place("b", 0, 1, 0), place("c", 0, 8, 3)};
    seating *s = make(seats, 5, BY_SEAT);
    expect_workers(s, 0, 4, SEAT_CORES);
    expect_workers(s, 2, 1, SEAT_CORES);
    expect_workers(s, 4, 3, SEAT_NAMED);
    seating_destroy(s);
    s = make(seats, 5, 5);
    expect_workers(s, 0, 5, SEAT_ASKED);
    expect_workers(s, 4, 5, SEAT_ASKED);
    seating_destroy(s);
}

/* Rounded up, and shared by the ranks in the same group of the same host. */
static void test_workers_by_quota(void **state)
{
    (void)state;
    seat seats[] = {place("a", 0, 16, 0), place("a", 0, 16, 0), place("a", 0, 16, 0),
                    place("b", 0, 16, 0), place("c", 0, 16, 9), place("d", 0, 2, 0)};
    const double cores[] = {4.5, 4.5, 1.5, 1.5, 1.5, 7};
    const uint64_t group[] = {7, 7, 8, 8, 8, 8};
    for (int i = 0; i < 6; i++) {
        seats[i].quota_cores = cores[i];
        seats[i].quota_group = group[i];
    }
    seating *s = make(seats, 6, BY_SEAT);
    expect_workers(s, 0, 2, SEAT_QUOTA);
    expect_workers(s, 1, 2, SEAT_QUOTA);
    expect_workers(s, 2, 2, SEAT_QUOTA);
    expect_workers(s, 3, 2, SEAT_QUOTA);
    expect_workers(s, 4, 9, SEAT_NAMED);
    expect_workers(s, 5, 2, SEAT_CORES);
    assert_int_equal(s->share[0].quota_ranks, 2);
    assert_int_equal(s->share[0].quota_threads, 4);
    assert_int_equal(s->share[4].quota_threads, 9);
    assert_int_equal(seat_quota_workers(1.5), 2);
    seating_destroy(s);
}

static void test_workers_by_openmp(void **state)
{
    (void)state;
    seat seats[] = {place("a", 0, 16, 0), place("b", 0, 16, 5), place("c", 0, 16, 0)};
    seats[0].most = 1;
    seats[1].most = 2;
    seats[2].most = 0;
    seating *s = make(seats, 3, BY_SEAT);
    expect_workers(s, 0, 1, SEAT_LIMIT);
    expect_workers(s, 1, 2, SEAT_LIMIT);
    expect_workers(s, 2, 0, SEAT_LIMIT);
    seating_destroy(s);
}

/* How often names of hosts, and cores, have been compared. */
static int64_t comparisons;

int __real_strcmp(const char *a, const char *b);
int __wrap_strcmp(const char *a, const char *b);
int __real_memcmp(const void *a, const void *b, size_t bytes);
int __wrap_memcmp(const void *a, const void *b, size_t bytes);

int __wrap_strcmp(const char *a, const char *b)
{
    comparisons++;
    return __real_strcmp(a, b);
}

int __wrap_memcmp(const void *a, const void *b, size_t bytes)
{
    comparisons++;
    return __real_memcmp(a, b, bytes);
}

/* Processor time, which others on the machine do not change much. */
static double spend(const seat *seats, int ranks)
{
    const clock_t begin = clock();
    seating_destroy(make(seats, ranks, BY_SEAT));
    return (double)(clock() - begin) / CLOCKS_PER_SEC;
}

/* Each host was compared with each other: hours. And each rank has the seats of all. */
static void test_many_ranks(void **state)
{
    (void)state;
    enum { RANKS = 10000, PER_HOST = 128, COMPARISONS_PER_RANK = 100 };
    const double most_s = 2;
    assert_true(sizeof(seat) < sizeof(host_cores) / 2);
    comparisons = 0;
    seat *seats = malloc(RANKS * sizeof *seats);
    char name[HOST_NAME_BYTES];
    assert_non_null(seats);
    for (int i = 0; i < RANKS; i++) {
        (void)snprintf(name, sizeof name, "a-host-with-a-long-name-%d.example",
                       i % (RANKS / PER_HOST));
        seats[i] = place(name, 0, PER_HOST, 0);
    }
    const double unbound_s = spend(seats, RANKS);
    for (int i = 0; i < RANKS; i++) {
        (void)snprintf(name, sizeof name, "a-host-with-a-long-name-%d.example",
                       i % (RANKS / PER_HOST));
        seats[i] = place(name, i / (RANKS / PER_HOST), 1, 0);
    }
    const double bound_s = spend(seats, RANKS);
    for (int i = 0; i < RANKS; i++) {
        seats[i] = place("one", i % 4096, 1, 0);
    }
    const double one_s = spend(seats, RANKS);
    print_message("%d ranks: %.3f s unbound, %.3f s bound, %.3f s all on one host, %" PRId64
                  " comparisons\n",
                  RANKS, unbound_s, bound_s, one_s, comparisons);
    assert_true(unbound_s < most_s && bound_s < most_s && one_s < most_s);
    assert_true(comparisons > RANKS);
    assert_true(comparisons < (int64_t)3 * COMPARISONS_PER_RANK * RANKS);
    free(seats);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_alone),
        cmocka_unit_test(test_same_cores),
        cmocka_unit_test(test_own_cores),
        cmocka_unit_test(test_some_cores_in_common),
        cmocka_unit_test(test_no_workers),
        cmocka_unit_test(test_ragged_cores),
        cmocka_unit_test(test_workers_by_cores),
        cmocka_unit_test(test_workers_by_quota),
        cmocka_unit_test(test_workers_by_openmp),
        cmocka_unit_test(test_many_ranks),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
