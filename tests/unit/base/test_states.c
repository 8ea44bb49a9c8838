/* SPDX-License-Identifier: BSD-3-Clause */
/* Tests what is made of the time of workers: shares of exactly 100 %, words, and sums that cover
 * all of it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/states.h"

#include <math.h>
#include <stdlib.h>

/* A number of its own, the same in every run of the test. */
static uint64_t draw(uint64_t *seed)
{
    *seed = *seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return *seed >> 33;
}

static int sum_of(const int percent[WEFT_STATES])
{
    int sum = 0;
    for (int i = 0; i < WEFT_STATES; i++) {
        sum += percent[i];
    }
    return sum;
}

/* Each share is less than 1 % off, and who has more time has no smaller share. */
static void check_shares(const double seconds[WEFT_STATES])
{
    double sum = 0;
    int percent[WEFT_STATES];
    for (int i = 0; i < WEFT_STATES; i++) {
        sum += seconds[i];
    }
    assert_true(weft_states_share(seconds, percent));
    assert_int_equal(sum_of(percent), 100);
    for (int i = 0; i < WEFT_STATES; i++) {
        assert_true(fabs(percent[i] - 100 * seconds[i] / sum) < 1 + 1e-9);
        for (int j = 0; j < WEFT_STATES; j++) {
            assert_true(seconds[i] <= seconds[j] || percent[i] >= percent[j]);
        }
    }
}

static void test_shares_sum_up_to_100(void **state)
{
    (void)state;
    uint64_t seed = 1;
    for (int round = 0; round < 100000; round++) {
        double seconds[WEFT_STATES];
        for (int i = 0; i < WEFT_STATES; i++) {
            const uint64_t most = UINT64_C(1) << draw(&seed) % 31;
            seconds[i] = (double)(draw(&seed) % most);
        }
        seconds[draw(&seed) % WEFT_STATES] += 1;
        check_shares(seconds);
    }
    check_shares((const double[WEFT_STATES]){1, 1, 1});
    check_shares((const double[WEFT_STATES]){1, 1, 1, 1});
    check_shares((const double[WEFT_STATES]){1e-300, 2e-300, 0, 1e-300});
}

static void test_shares_of_what_is_no_time(void **state)
{
    (void)state;
    int percent[WEFT_STATES];
    assert_false(weft_states_share((const double[WEFT_STATES]){0}, percent));
    assert_int_equal(sum_of(percent), 0);
    assert_false(
        weft_states_share((const double[WEFT_STATES]){-1, (double)NAN, HUGE_VAL}, percent));
    assert_int_equal(sum_of(percent), 0);
    assert_true(
        weft_states_share((const double[WEFT_STATES]){1e308, 1e308, 1e308, (double)NAN}, percent));
    assert_int_equal(sum_of(percent), 100);
    assert_int_equal(percent[WEFT_ELSEWHERE], 0);
}

static void test_words(void **state)
{
    (void)state;
    char text[128];
    weft_states_print((const int[WEFT_STATES]){1, 0, 2}, "", text, sizeof text);
    assert_string_equal(text, "1 computing, 2 waiting for work");
    weft_states_print((const int[WEFT_STATES]){25, 25, 25, 25}, " %", text, sizeof text);
    assert_string_equal(text, "25 % computing, 25 % waiting for the disk, 25 % waiting for work, "
                              "25 % elsewhere");
    weft_states_print((const int[WEFT_STATES]){0}, " %", text, sizeof text);
    assert_string_equal(text, "");
    weft_states_print((const int[WEFT_STATES]){100}, " %", text, 4);
    assert_string_equal(text, "100");
    assert_string_equal(weft_state_name(WEFT_WAITING_FOR_DISK), "waiting_for_disk");
    assert_string_equal(weft_state_name(WEFT_STATES), "?");
    assert_string_equal(weft_state_name((weft_state)-1), "?");
}

static int64_t sum_ns(const states *s)
{
    int64_t sum = 0;
    for (int i = 0; i < WEFT_STATES; i++) {
        sum += s->ns[i];
    }
    return sum;
}

static int sum_workers(const states *s)
{
    int sum = 0;
    for (int i = 0; i < WEFT_STATES; i++) {
        sum += s->workers[i];
    }
    return sum;
}

/* However old what a rank has said is, its workers are somewhere for all of the time. */
static void test_extension_covers_all_time(void **state)
{
    (void)state;
    uint64_t seed = 2;
    for (int round = 0; round < 100000; round++) {
        const int workers = 1 + (int)(draw(&seed) % 9);
        const int64_t said_ns = (int64_t)(draw(&seed) % 1000000);
        const int64_t elapsed_ns = said_ns + (int64_t)(draw(&seed) % 1000000);
        const bool lost = draw(&seed) % 4 == 0;
        states s = {.ns = {0}};
        for (int i = 0; i < workers; i++) {
            s.ns[draw(&seed) % WEFT_STATES] += said_ns;
            s.workers[draw(&seed) % WEFT_STATES]++;
        }
        const states before = s;
        states_extend(&s, workers, elapsed_ns, lost);
        assert_true(sum_ns(&s) == workers * elapsed_ns);
        assert_int_equal(sum_workers(&s), workers);
        for (int i = 0; i < WEFT_STATES; i++) {
            const int64_t more = s.ns[i] - before.ns[i];
            assert_true(more >= 0);
            if (lost) {
                assert_true(more == 0 || i == WEFT_ELSEWHERE);
                assert_int_equal(s.workers[i], i == WEFT_ELSEWHERE ? workers : 0);
            } else {
                assert_true(llabs(more - before.workers[i] * (elapsed_ns - said_ns)) <= workers);
                assert_int_equal(s.workers[i], before.workers[i]);
            }
        }
    }
}

/* A rank that has said nothing yet, and one whose clock runs ahead. */
static void test_extension_at_the_ends(void **state)
{
    (void)state;
    states s = {.ns = {0}};
    states_extend(&s, 3, 50, false);
    assert_true(s.ns[WEFT_ELSEWHERE] == 150);
    assert_int_equal(s.workers[WEFT_ELSEWHERE], 3);
    s = (states){.ns = {[WEFT_COMPUTING] = 70}, .workers = {[WEFT_COMPUTING] = 1}};
    states_extend(&s, 1, 50, false);
    assert_true(s.ns[WEFT_COMPUTING] == 70 && sum_ns(&s) == 70);
}

static void test_the_end_of_work(void **state)
{
    (void)state;
    states s = {.ns = {[WEFT_COMPUTING] = 5, [WEFT_WAITING_FOR_WORK] = 100},
                .workers = {[WEFT_COMPUTING] = 1, [WEFT_WAITING_FOR_WORK] = 2}};
    states_end_work(&s, 20);
    assert_true(s.ns[WEFT_WAITING_FOR_WORK] == 60 && s.ns[WEFT_WAITING_FOR_DISK] == 40);
    assert_int_equal(s.workers[WEFT_WAITING_FOR_WORK], 0);
    assert_int_equal(s.workers[WEFT_WAITING_FOR_DISK], 2);
    assert_int_equal(s.workers[WEFT_COMPUTING], 1);
    s = (states){.ns = {[WEFT_WAITING_FOR_WORK] = 10}, .workers = {[WEFT_WAITING_FOR_WORK] = 2}};
    states_end_work(&s, 20);
    assert_true(s.ns[WEFT_WAITING_FOR_WORK] == 0 && s.ns[WEFT_WAITING_FOR_DISK] == 10);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_shares_sum_up_to_100),
        cmocka_unit_test(test_shares_of_what_is_no_time),
        cmocka_unit_test(test_words),
        cmocka_unit_test(test_extension_covers_all_time),
        cmocka_unit_test(test_extension_at_the_ends),
        cmocka_unit_test(test_the_end_of_work),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
