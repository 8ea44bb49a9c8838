/* SPDX-License-Identifier: BSD-3-Clause */
/* Tests how often an agent looks up: counted by a clock of the test's own. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "sched/pace.h"

static const int64_t second_ns = INT64_C(1000000000);

/* The looks in a time that begins with the last thing that there was to do. Where workers wait,
 * each rest is in proportion to what a message may come late by. */
static int64_t count_looks(urgency u, int64_t for_ns, int ranks, int64_t elapsed_ns)
{
    int64_t looks = 0;
    int64_t quiet_ns = 0;
    while (quiet_ns < for_ns) {
        const int64_t rest_ns = pace_rest(u, quiet_ns, ranks, elapsed_ns + quiet_ns);
        assert_in_range(rest_ns, PACE_SHORTEST_NS, pace_longest_rest(ranks));
        if (u == URGENCY_HUNGER) {
            assert_true(rest_ns <= PACE_SHORTEST_NS + quiet_ns / PACE_PATIENCE);
        }
        quiet_ns += rest_ns;
        looks++;
    }
    return looks;
}

/* A look costs 15 to 25 us: 400 of them are 1 % of a core. */
static void test_a_long_rest(void **state)
{
    (void)state;
    static const int64_t elapsed_ns[] = {0, 100000000, 1000000000, 60000000000};
    for (int i = 0; i < 4; i++) {
        assert_in_range(count_looks(URGENCY_NONE, 3 * second_ns, 2, elapsed_ns[i]), 300, 380);
        assert_in_range(count_looks(URGENCY_HUNGER, 3 * second_ns, 2, elapsed_ns[i]), 290, 600);
        assert_int_equal(count_looks(URGENCY_NONE, 3 * second_ns, 1, elapsed_ns[i]), 60);
        assert_int_equal(count_looks(URGENCY_ANSWER, 3 * second_ns, 1, elapsed_ns[i]), 60);
        assert_in_range(count_looks(URGENCY_HUNGER, 3 * second_ns, 1, elapsed_ns[i]), 55, 200);
    }
    assert_in_range(count_looks(URGENCY_HUNGER, 3600 * second_ns, 1000, 0), 360000, 361000);
}

/* Where workers wait, an answer that comes at once is seen at once. One that is late is looked for
 * as often as is noticed in so young a run, and where nobody waits for any, the rest is long, but
 * for the beginning, when ranks have little. */
static void test_short_rests(void **state)
{
    (void)state;
    assert_in_range(count_looks(URGENCY_HUNGER, second_ns / 1000, 2, 0), 9, 10);
    for (urgency u = URGENCY_NONE; u <= URGENCY_ANSWER; u++) {
        assert_int_equal(pace_rest(u, 0, 2, 0), PACE_SHORTEST_NS);
        assert_int_equal(pace_rest(u, 0, 2, PACE_PATIENCE * PACE_ANSWER_NS), PACE_ANSWER_NS);
        assert_int_equal(pace_rest(u, 0, 2, 100 * second_ns), PACE_LONGEST_NS);
    }
    assert_int_equal(pace_rest(URGENCY_NONE, 0, 2, second_ns / 5), PACE_LONGEST_NS);
    assert_int_equal(pace_rest(URGENCY_ANSWER, 0, 2, second_ns / 5), PACE_ANSWER_NS);
    assert_int_equal(pace_rest(URGENCY_ANSWER, 0, 2, second_ns), second_ns / PACE_ANSWER_SHARE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_long_rest),
        cmocka_unit_test(test_short_rests),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
