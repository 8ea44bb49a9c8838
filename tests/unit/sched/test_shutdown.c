/* SPDX-License-Identifier: BSD-3-Clause */
/* Tests how a run ends, without ranks and without a disk. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "sched/message.h"
#include "sched/shutdown.h"

#include <signal.h>
#include <string.h>

enum { RANKS = 3, TILES = 10 };

static const int64_t second_ns = INT64_C(1000000000);
static const int64_t start_ns = INT64_C(77000000000);

/* What the shutdown does to the world. */
typedef struct world {
    int stops; /* messages of each kind, to all ranks together */
    int ends;
    message_stop stop; /* the last of each */
    message_end end;
    int64_t failed;
    int stopped_by;
    int told; /* that it is about to stop */
    int warned;
    bool closing;
    weft_status closed_as;
    bool flushed;
    error disk; /* what the disk says in the end */
    dispatch *dispatch;
    members *members;
    shutdown *shutdown;
    effects outside;
    int64_t now_ns;
} world;

static weft_status send_to(void *context, int rank, const void *bytes, size_t count, error *e)
{
    (void)rank;
    (void)count;
    (void)e;
    world *w = context;
    if (*(const message_kind *)bytes == MESSAGE_STOP) {
        w->stops++;
        w->stop = *(const message_stop *)bytes;
    } else if (*(const message_kind *)bytes == MESSAGE_END) {
        w->ends++;
        w->end = *(const message_end *)bytes;
    }
    return WEFT_OK;
}

static void hold(void *context, int rank, bool held)
{
    (void)context;
    (void)rank;
    (void)held;
}

static void drop(void *context, int rank)
{
    (void)context;
    (void)rank;
}

static bool never_waiting(void *context, int rank)
{
    (void)context;
    (void)rank;
    return false;
}

static void count_items(void *context, int64_t *done, int64_t *failed)
{
    const world *w = context;
    *done = TILES - dispatch_undone(w->dispatch);
    *failed = w->failed;
}

static void stopping(void *context, int number)
{
    world *w = context;
    w->stopped_by = number;
    w->told++;
}

static weft_status close_record(void *context, weft_status why, error *e)
{
    (void)e;
    world *w = context;
    assert_false(w->closing);
    w->closing = true;
    w->closed_as = why;
    return WEFT_OK;
}

static bool is_closed(void *context, error *e)
{
    const world *w = context;
    if (w->flushed) {
        *e = w->disk;
    }
    return w->flushed;
}

static void warn(void *context, const char *text)
{
    (void)text;
    ((world *)context)->warned++;
}

/* A run of ten tiles, of which rank 0 has the first five, with a disk that answers at once. */
static void begin(world *w, int64_t limit_ns)
{
    error e = {.status = WEFT_OK};
    const dispatch_setup deal = {
        .tiles = TILES, .ranks = RANKS, .technique = TECHNIQUE_STATIC, .pure = true};
    const pulse p = {.limit_ns = 0};
    order o;
    memset(w, 0, sizeof *w);
    w->flushed = true;
    w->now_ns = start_ns;
    w->outside = (effects){.context = w,
                           .send = send_to,
                           .hold = hold,
                           .drop = drop,
                           .waiting = never_waiting,
                           .count = count_items,
                           .stopping = stopping,
                           .close = close_record,
                           .closed = is_closed,
                           .warn = warn};
    assert_int_equal(dispatch_create(&deal, &w->dispatch, &e), WEFT_OK);
    assert_int_equal(dispatch_start(w->dispatch, &e), WEFT_OK);
    assert_int_equal(members_create(&w->outside, RANKS, p, w->now_ns, &w->members, &e), WEFT_OK);
    const shutdown_setup setup = {.outside = &w->outside,
                                  .dispatch = w->dispatch,
                                  .members = w->members,
                                  .ranks = RANKS,
                                  .items = TILES,
                                  .deadline_ns = limit_ns > 0 ? start_ns + limit_ns : 0};
    assert_int_equal(shutdown_create(&setup, &w->shutdown, &e), WEFT_OK);
    dispatch_ask(w->dispatch, 0, 3);
    assert_true(dispatch_next(w->dispatch, w->now_ns, &o));
}

static void end(world *w)
{
    shutdown_destroy(w->shutdown);
    members_destroy(w->members);
    dispatch_destroy(w->dispatch);
}

static void step(world *w, int64_t after_ns)
{
    w->now_ns += after_ns;
    shutdown_step(w->shutdown, w->now_ns);
}

static void complete(world *w)
{
    for (int64_t tile = 0; tile < TILES; tile++) {
        (void)dispatch_report(w->dispatch, tile);
    }
}

static void all_leave(world *w)
{
    for (int rank = 0; rank < RANKS; rank++) {
        shutdown_take_leave(w->shutdown, rank, false);
    }
}

static void check_over(const world *w, weft_status status)
{
    assert_true(shutdown_over(w->shutdown));
    assert_int_equal(shutdown_status(w->shutdown), status);
    assert_int_equal(w->ends, RANKS);
    assert_int_equal(w->end.error.status, status);
}

static void test_complete_at_once(void **state)
{
    (void)state;
    world w;
    begin(&w, 0);
    step(&w, second_ns);
    assert_true(shutdown_far(w.shutdown));
    assert_int_equal(shutdown_status(w.shutdown), WEFT_STOPPED);
    complete(&w);
    step(&w, second_ns);
    check_over(&w, WEFT_OK);
    assert_int_equal(w.closed_as, WEFT_OK);
    assert_int_equal(w.stops, 0);
    assert_false(w.end.broken || w.end.at_once);
    assert_true(w.end.disk_ns == INT64_MAX);
    end(&w);
    shutdown_destroy(NULL);
}

static void test_failed_items(void **state)
{
    (void)state;
    world w;
    begin(&w, 0);
    w.failed = 3;
    complete(&w);
    step(&w, 0);
    check_over(&w, WEFT_ITEMS_FAILED);
    assert_non_null(strstr(w.end.error.text, "3 items failed"));
    end(&w);
}

/* A kernel may still be at what another rank has done meanwhile: it has a while to come back. */
static void test_repeats_are_called_in(void **state)
{
    (void)state;
    world w;
    begin(&w, 0);
    shutdown_expect_repeats(w.shutdown);
    complete(&w);
    step(&w, 0);
    assert_false(shutdown_far(w.shutdown) || shutdown_closed(w.shutdown));
    assert_int_equal(w.stops, RANKS);
    step(&w, second_ns);
    assert_false(shutdown_closed(w.shutdown));
    all_leave(&w);
    step(&w, 0);
    check_over(&w, WEFT_OK);
    assert_false(w.end.at_once);
    end(&w);
}

/* The grace after a signal is short, and what has not returned by then is left behind. */
static void test_signal(void **state)
{
    (void)state;
    world w;
    begin(&w, 0);
    shutdown_take_signal(w.shutdown, SIGTERM, w.now_ns);
    assert_int_equal(w.stopped_by, SIGTERM);
    assert_int_equal(w.stops, RANKS);
    assert_true(w.stop.grace_ns > 0 && w.stop.grace_ns < second_ns);
    shutdown_take_leave(w.shutdown, 0, true);
    shutdown_take_leave(w.shutdown, 1, false);
    step(&w, w.stop.grace_ns);
    assert_false(shutdown_closed(w.shutdown));
    assert_false(dispatch_careful(w.dispatch, 0));
    step(&w, second_ns);
    check_over(&w, WEFT_STOPPED);
    assert_int_equal(w.told, 1);
    assert_true(w.end.broken && w.end.at_once);
    assert_non_null(strstr(w.end.error.text, "stopped with 0 of 10 items done"));
    end(&w);
}

/* A friendly warning lets kernels come back, and a second signal does not. */
static void test_second_signal_shortens_the_grace(void **state)
{
    (void)state;
    world w;
    begin(&w, 0);
    shutdown_take_signal(w.shutdown, SIGUSR1, w.now_ns);
    assert_true(w.stop.grace_ns > 60 * second_ns);
    step(&w, 60 * second_ns);
    assert_false(shutdown_closed(w.shutdown));
    shutdown_take_signal(w.shutdown, SIGTERM, w.now_ns);
    assert_int_equal(w.stops, 2 * RANKS);
    shutdown_take_signal(w.shutdown, SIGUSR1, w.now_ns);
    assert_int_equal(w.stops, 2 * RANKS);
    step(&w, second_ns);
    check_over(&w, WEFT_STOPPED);
    assert_int_equal(w.told, 1);
    end(&w);
}

/* Who has said nothing when time is up may have died of what it has; the others' tiles are free of
 * suspicion. */
static void test_the_silent_are_suspects(void **state)
{
    (void)state;
    world w;
    begin(&w, 0);
    shutdown_take_signal(w.shutdown, SIGTERM, w.now_ns);
    shutdown_take_leave(w.shutdown, 1, false);
    step(&w, second_ns);
    check_over(&w, WEFT_STOPPED);
    assert_true(dispatch_careful(w.dispatch, 0));
    assert_false(dispatch_careful(w.dispatch, TILES - 1));
    end(&w);
}

static void test_the_first_error_counts(void **state)
{
    (void)state;
    world w;
    error why;
    begin(&w, 0);
    (void)error_set(&why, WEFT_ERR_NO_SPACE, "the first");
    shutdown_take_error(w.shutdown, &why, w.now_ns);
    (void)error_set(&why, WEFT_ERR_SYSTEM, "the second");
    shutdown_take_error(w.shutdown, &why, w.now_ns);
    assert_int_equal(w.told, 0);
    assert_int_equal(w.stops, RANKS);
    all_leave(&w);
    step(&w, 0);
    check_over(&w, WEFT_ERR_NO_SPACE);
    assert_string_equal(w.end.error.text, "the first");
    /* What comes later changes nothing. */
    shutdown_take_error(w.shutdown, &why, w.now_ns);
    step(&w, second_ns);
    check_over(&w, WEFT_ERR_NO_SPACE);
    end(&w);
}

/* Nothing is begun that could not be over before the limit: a tile takes two seconds, and forcing
 * to disk one. */
static void test_time_limit(void **state)
{
    (void)state;
    world w;
    const news n = {.computed = {.tiles = 2, .seconds = 4, .squares = 8}, .longest_s = 2};
    begin(&w, 60 * second_ns);
    shutdown_learn(w.shutdown, &n);
    shutdown_learn_sync(w.shutdown, second_ns);
    assert_true(shutdown_limited(w.shutdown));
    step(&w, 55 * second_ns);
    assert_true(shutdown_far(w.shutdown));
    assert_true(shutdown_time_left(w.shutdown, w.now_ns) > 0);
    step(&w, second_ns);
    assert_false(shutdown_far(w.shutdown));
    assert_int_equal(w.told, 1);
    assert_int_equal(w.stopped_by, 0);
    assert_true(w.now_ns + w.stop.grace_ns < start_ns + 60 * second_ns);
    step(&w, 4 * second_ns + second_ns / 10);
    check_over(&w, WEFT_STOPPED);
    assert_true(w.end.broken && w.end.at_once);
    end(&w);
}

/* A run that is complete waits for its disk, and says so once; after a signal not for ever. */
static void test_slow_disk(void **state)
{
    (void)state;
    world w;
    begin(&w, 0);
    w.flushed = false;
    complete(&w);
    step(&w, 0);
    assert_true(shutdown_closed(w.shutdown) && !shutdown_over(w.shutdown));
    for (int i = 0; i < 100; i++) {
        step(&w, second_ns);
    }
    assert_int_equal(w.warned, 1);
    assert_false(shutdown_over(w.shutdown));
    shutdown_take_signal(w.shutdown, SIGTERM, w.now_ns);
    step(&w, 9 * second_ns);
    assert_false(shutdown_over(w.shutdown));
    step(&w, 2 * second_ns);
    check_over(&w, WEFT_STOPPED);
    assert_non_null(strstr(w.end.error.text, "the disk has not answered"));
    assert_true(w.end.disk_ns < second_ns);
    end(&w);
}

/* What the disk says at the very end is the run's error. */
static void test_failing_disk(void **state)
{
    (void)state;
    world w;
    begin(&w, 0);
    w.flushed = false;
    complete(&w);
    step(&w, 0);
    w.flushed = true;
    (void)error_set(&w.disk, WEFT_ERR_NO_SPACE, "the disk is full");
    step(&w, second_ns);
    check_over(&w, WEFT_ERR_NO_SPACE);
    end(&w);
}

/* A rank that comes back while all are called in is told, too. */
static void test_late_comer_is_told(void **state)
{
    (void)state;
    world w;
    begin(&w, 0);
    shutdown_tell(w.shutdown, 1, w.now_ns);
    assert_int_equal(w.stops, 0);
    shutdown_take_signal(w.shutdown, SIGUSR1, w.now_ns);
    const int64_t grace_ns = w.stop.grace_ns;
    shutdown_tell(w.shutdown, 1, w.now_ns + second_ns);
    assert_int_equal(w.stops, RANKS + 1);
    assert_true(w.stop.grace_ns < grace_ns);
    end(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_complete_at_once),
        cmocka_unit_test(test_failed_items),
        cmocka_unit_test(test_repeats_are_called_in),
        cmocka_unit_test(test_signal),
        cmocka_unit_test(test_second_signal_shortens_the_grace),
        cmocka_unit_test(test_the_silent_are_suspects),
        cmocka_unit_test(test_the_first_error_counts),
        cmocka_unit_test(test_time_limit),
        cmocka_unit_test(test_slow_disk),
        cmocka_unit_test(test_failing_disk),
        cmocka_unit_test(test_late_comer_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
