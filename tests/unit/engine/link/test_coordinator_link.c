/* SPDX-License-Identifier: BSD-3-Clause */
/* Tests a rank's line to the coordinator, with a mailbox that stands for the coordinator's. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "engine/link/alone.h"

#include "base/clock.h"
#include "engine/link/coordinator_link.h"
#include "sched/message.h"

#include <string.h>

enum { HERE = 0, ELSEWHERE = 1 };

/* How often memory is refused to a message. */
static int refusals;
void *__real_malloc(size_t count); /* NOLINT: the linker's name, see --wrap */
void *__wrap_malloc(size_t count); /* NOLINT */

void *__wrap_malloc(size_t count) /* NOLINT */
{
    if (refusals > 0) {
        refusals--;
        return NULL;
    }
    return __real_malloc(count);
}

static const pulse p = {.beat_ns = 1000000000, .limit_ns = 4000000000};

static coordinator_link *make(int rank)
{
    error e = {.status = WEFT_OK};
    coordinator_link *c = NULL;
    assert_int_equal(coordinator_link_create(box, rank, p, &c, &e), WEFT_OK);
    return c;
}

/* The next message, which is so long at the most; false if there is none. */
static bool receive(void *message, size_t room)
{
    error e = {.status = WEFT_OK};
    bool arrived = false;
    int source = -1;
    const void *bytes = NULL;
    size_t count = 0;
    assert_int_equal(mail_receive(box, &arrived, &source, &bytes, &count, &e), WEFT_OK);
    if (arrived) {
        memcpy(message, bytes, count < room ? count : room);
    }
    return arrived;
}

static void expect_none(void)
{
    message_kind kind;
    assert_false(receive(&kind, sizeof kind));
}

static void expect(message_kind expected)
{
    message_kind kind = MESSAGE_ASK;
    assert_true(receive(&kind, sizeof kind));
    assert_int_equal(kind, expected);
    expect_none();
}

/* Whatever else it says. */
static void test_beats_are_regular(void **state)
{
    (void)state;
    coordinator_link *c = make(ELSEWHERE);
    const message_kind left = MESSAGE_LEFT;
    int64_t now_ns = clock_now_ns();
    coordinator_link_beat(c, now_ns);
    expect(MESSAGE_ALIVE);
    coordinator_link_send(c, &left, sizeof left);
    expect(MESSAGE_LEFT);
    coordinator_link_beat(c, now_ns + p.beat_ns / 2);
    expect_none();
    now_ns += p.beat_ns;
    coordinator_link_beat(c, now_ns);
    message_alive alive;
    memset(&alive, 0, sizeof alive);
    assert_true(receive(&alive, sizeof alive));
    assert_int_equal(alive.kind, MESSAGE_ALIVE);
    assert_true(alive.clock_ns == now_ns);
    coordinator_link_beat(c, now_ns + p.beat_ns / 2);
    expect_none();
    coordinator_link_answer(c);
    coordinator_link_beat(c, now_ns + p.beat_ns / 2);
    expect(MESSAGE_ALIVE);
    coordinator_link_destroy(c);
    coordinator_link_destroy(NULL);
}

static void test_first_failure_counts(void **state)
{
    (void)state;
    coordinator_link *c = make(ELSEWHERE);
    error e;
    (void)error_set(&e, WEFT_ERR_SYSTEM, "the first");
    coordinator_link_fail(c, &e);
    (void)error_set(&e, WEFT_ERR_MEMORY, "the second");
    coordinator_link_fail(c, &e);
    message_fail message;
    memset(&message, 0, sizeof message);
    assert_true(receive(&message, sizeof message));
    assert_int_equal(message.kind, MESSAGE_FAIL);
    assert_int_equal(message.error.status, WEFT_ERR_SYSTEM);
    assert_string_equal(message.error.text, "the first");
    expect_none();
    coordinator_link_destroy(c);
}

/* A message that cannot be sent is missed by nobody else: the run ends, as soon as there is memory
 * to say so. */
static void test_no_memory_for_a_message(void **state)
{
    (void)state;
    coordinator_link *c = make(ELSEWHERE);
    const message_kind left = MESSAGE_LEFT;
    const int64_t now_ns = clock_now_ns();
    refusals = 3; /* the message, its failure, and that again */
    coordinator_link_send(c, &left, sizeof left);
    expect_none();
    coordinator_link_beat(c, now_ns);
    expect(MESSAGE_ALIVE);
    coordinator_link_beat(c, now_ns);
    message_fail message;
    memset(&message, 0, sizeof message);
    assert_true(receive(&message, sizeof message));
    assert_int_equal(message.kind, MESSAGE_FAIL);
    assert_int_equal(message.error.status, WEFT_ERR_MEMORY);
    coordinator_link_beat(c, now_ns);
    expect_none();
    coordinator_link_destroy(c);
}

/* Listens for so long; whether the coordinator is lost by then. */
static bool listen_for(coordinator_link *c, int64_t *now_ns, int64_t for_ns, error *why)
{
    for (const int64_t end_ns = *now_ns + for_ns; *now_ns < end_ns; *now_ns += for_ns / 100) {
        if (coordinator_link_lost(c, *now_ns, INT64_MAX, why)) {
            return true;
        }
    }
    return false;
}

static void test_coordinator_is_given_twice_the_limit(void **state)
{
    (void)state;
    coordinator_link *c = make(ELSEWHERE);
    int64_t now_ns = clock_now_ns();
    error why = {.status = WEFT_OK};
    assert_false(listen_for(c, &now_ns, 2 * p.limit_ns - p.limit_ns / 4, &why));
    coordinator_link_hear(c);
    assert_false(listen_for(c, &now_ns, 2 * p.limit_ns - p.limit_ns / 4, &why));
    assert_true(listen_for(c, &now_ns, p.limit_ns, &why));
    assert_int_equal(why.status, WEFT_STOPPED);
    assert_non_null(strstr(why.text, "silent for 8 s"));
    coordinator_link_destroy(c);
}

static void test_its_own_rank_never_misses_it(void **state)
{
    (void)state;
    coordinator_link *c = make(HERE);
    int64_t now_ns = clock_now_ns();
    error why = {.status = WEFT_OK};
    assert_false(listen_for(c, &now_ns, 100 * p.limit_ns, &why));
    coordinator_link_hear(c);
    coordinator_link_destroy(c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_beats_are_regular),
        cmocka_unit_test(test_first_failure_counts),
        cmocka_unit_test(test_no_memory_for_a_message),
        cmocka_unit_test(test_coordinator_is_given_twice_the_limit),
        cmocka_unit_test(test_its_own_rank_never_misses_it),
    };
    return cmocka_run_group_tests(tests, open_alone, close_alone);
}
