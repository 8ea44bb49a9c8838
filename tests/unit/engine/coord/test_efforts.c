/* SPDX-License-Identifier: BSD-3-Clause */
/* Tests what is made of what ranks say of their workers: sums over all of them for all of the time,
 * by a clock of the test's own. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "engine/coord/efforts.h"

#include <math.h>

enum { RANKS = 3 };

static const int threads[RANKS] = {2, 1, 4};
static const int64_t second_ns = INT64_C(1000000000);

static efforts *make(void)
{
    efforts *f = NULL;
    error e = {.status = WEFT_OK};
    assert_int_equal(efforts_create(RANKS, threads, &f, &e), WEFT_OK);
    efforts_begin(f, 10 * second_ns);
    return f;
}

/* A beat of a rank all of whose workers have computed for so long, and do. */
static message_alive beat(int rank, int64_t ns)
{
    return (message_alive){.kind = MESSAGE_ALIVE,
                           .effort = {.busy_ns = threads[rank] * ns,
                                      .worst_ns = ns,
                                      .states = {.ns = {[WEFT_COMPUTING] = threads[rank] * ns},
                                                 .workers = {[WEFT_COMPUTING] = threads[rank]}}}};
}

static void hear_beat(efforts *f, int rank, int64_t ns)
{
    const message_alive alive = beat(rank, ns);
    efforts_hear(f, rank, &alive, 100, 10 * second_ns + ns);
}

static void hear_news(efforts *f, int rank, int64_t tiles, int64_t undone, int64_t now_ns)
{
    const message_news told = {.kind = MESSAGE_NEWS, .news = {.computed = {.tiles = tiles}}};
    efforts_hear(f, rank, &told, undone, now_ns);
}

static void check(const efforts *f, int64_t after_ns, const double seconds[WEFT_STATES],
                  const int workers[WEFT_STATES])
{
    const efforts_sum sum = efforts_sum_up(f, 10 * second_ns + after_ns);
    for (int i = 0; i < WEFT_STATES; i++) {
        assert_true(fabs(sum.state_s[i] - seconds[i]) < 1e-6);
        assert_int_equal(sum.workers[i], workers[i]);
    }
}

/* Each rank counts for all of the time, be it that it has said nothing yet, or long ago. */
static void test_all_time_is_covered(void **state)
{
    (void)state;
    efforts *f = make();
    check(f, second_ns, (const double[]){0, 0, 0, 7}, (const int[]){0, 0, 0, 7});
    hear_beat(f, 0, 2 * second_ns);
    hear_beat(f, 1, 3 * second_ns);
    check(f, 3 * second_ns, (const double[]){9, 0, 0, 12}, (const int[]){3, 0, 0, 4});
    hear_beat(f, 2, 4 * second_ns);
    check(f, 4 * second_ns, (const double[]){28, 0, 0, 0}, (const int[]){7, 0, 0, 0});
    const efforts_sum sum = efforts_sum_up(f, 14 * second_ns);
    assert_true(fabs(sum.busy_s - (2 * 2 + 3 + 4 * 4)) < 1e-6);
    assert_true(fabs(sum.worst_s - 4) < 1e-6);
    efforts_destroy(f);
    efforts_destroy(NULL);
}

/* A rank that is lost is elsewhere from when it was heard last, until it is back. */
static void test_lost_ranks(void **state)
{
    (void)state;
    efforts *f = make();
    for (int rank = 0; rank < RANKS; rank++) {
        hear_beat(f, rank, second_ns);
    }
    efforts_lose(f, 2);
    check(f, 3 * second_ns, (const double[]){9 + 4, 0, 0, 8}, (const int[]){3, 0, 0, 4});
    const message_ask ask = {.kind = MESSAGE_ASK};
    efforts_hear(f, 2, &ask, 100, 13 * second_ns);
    check(f, 3 * second_ns, (const double[]){21, 0, 0, 0}, (const int[]){7, 0, 0, 0});
    efforts_destroy(f);
}

/* Once all that is not recorded is computed, who has no work waits for the disk. */
static void test_only_the_disk_is_missing(void **state)
{
    (void)state;
    efforts *f = make();
    message_alive idle = {.kind = MESSAGE_ALIVE};
    for (int rank = 0; rank < RANKS; rank++) {
        idle.effort.states = (states){.workers = {[WEFT_WAITING_FOR_WORK] = threads[rank]}};
        efforts_hear(f, rank, &idle, 10, 10 * second_ns);
    }
    hear_news(f, 0, 6, 10, 11 * second_ns);
    check(f, 2 * second_ns, (const double[]){0, 0, 14, 0}, (const int[]){0, 0, 7, 0});
    hear_news(f, 1, 4, 10, 12 * second_ns);
    check(f, 3 * second_ns, (const double[]){0, 7, 14, 0}, (const int[]){0, 7, 0, 0});
    /* A rank that is lost takes what it had not reported along. */
    efforts_lose(f, 1);
    hear_news(f, 0, 0, 10, 13 * second_ns);
    check(f, 3 * second_ns, (const double[]){0, 0, 18, 3}, (const int[]){0, 0, 6, 1});
    hear_news(f, 2, 4, 10, 14 * second_ns);
    message_report report = {.kind = MESSAGE_REPORT, .tiles = 6};
    report.effort.states = (states){.workers = {[WEFT_WAITING_FOR_WORK] = threads[0]}};
    efforts_hear(f, 0, &report, 4, 15 * second_ns);
    const efforts_sum sum = efforts_sum_up(f, 16 * second_ns);
    assert_int_equal(sum.workers[WEFT_WAITING_FOR_DISK], 6);
    assert_true(sum.state_s[WEFT_WAITING_FOR_DISK] == 6 * 2); /* from the last news on */
    efforts_destroy(f);
}

static void hear_left(efforts *f, int rank, bool writing, int64_t now_ns)
{
    const message_left left = {.kind = MESSAGE_LEFT, .writing = writing};
    efforts_hear(f, rank, &left, 10, now_ns);
}

/* After a stop much is not computed, and never will be in this run: once all ranks are through with
 * what they had begun only the disk is waited for. */
static void test_stopped_and_waiting_for_the_disk(void **state)
{
    (void)state;
    efforts *f = make();
    message_alive idle = {.kind = MESSAGE_ALIVE};
    for (int rank = 0; rank < RANKS; rank++) {
        idle.effort.states = (states){.workers = {[WEFT_WAITING_FOR_WORK] = threads[rank]}};
        efforts_hear(f, rank, &idle, 10, 10 * second_ns);
    }
    hear_left(f, 0, true, 11 * second_ns);
    hear_left(f, 1, false, 11 * second_ns);
    check(f, 2 * second_ns, (const double[]){0, 0, 14, 0}, (const int[]){0, 0, 7, 0});
    /* The last of them is at a kernel, until it is lost. */
    efforts_lose(f, 2);
    hear_left(f, 0, true, 12 * second_ns);
    check(f, 4 * second_ns, (const double[]){0, 6, 6, 16}, (const int[]){0, 3, 0, 4});
    efforts_hear(f, 2, &idle, 10, 14 * second_ns);
    check(f, 4 * second_ns, (const double[]){0, 0, 28, 0}, (const int[]){0, 0, 7, 0});
    hear_left(f, 2, true, 14 * second_ns);
    hear_left(f, 0, false, 15 * second_ns);
    hear_left(f, 2, false, 16 * second_ns);
    check(f, 7 * second_ns, (const double[]){0, 21, 28, 0}, (const int[]){0, 7, 0, 0});
    efforts_destroy(f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_all_time_is_covered),
        cmocka_unit_test(test_lost_ranks),
        cmocka_unit_test(test_only_the_disk_is_missing),
        cmocka_unit_test(test_stopped_and_waiting_for_the_disk),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
