/* SPDX-License-Identifier: BSD-3-Clause */
/* Tests what is known of a thread's share of the cores. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/clock.h"
#include "host/host.h"
#include "host/usage.h"

#include <pthread.h>
#include <stdbool.h>
#include <string.h>

typedef struct toil {
    host_cores core;
    pthread_barrier_t *start;
    bool bound;
    bool known;
    int64_t wait_ns;
} toil;

/* Computes for 50 ms of a core's time. */
static void *run(void *context)
{
    toil *t = context;
    usage u;
    usage_open(&u);
    t->known = u.fd >= 0;
    t->bound = host_bind_thread(&t->core);
    (void)pthread_barrier_wait(t->start);
    const int64_t from_ns = usage_wait_ns(&u);
    const int64_t until_ns = usage_cpu_ns() + 50000000;
    while (usage_cpu_ns() < until_ns) {
    }
    t->wait_ns = usage_wait_ns(&u) - from_ns;
    usage_close(&u);
    usage_close(&u);
    return NULL;
}

/* Of two threads on one core one waits while the other computes. */
static void test_two_on_one_core(void **state)
{
    (void)state;
    host_cores all;
    host_get_cores(&all);
    toil toils[2];
    pthread_t threads[2];
    pthread_barrier_t start;
    memset(toils, 0, sizeof toils);
    assert_int_equal(pthread_barrier_init(&start, NULL, 2), 0);
    for (int i = 0; i < 2; i++) {
        for (int word = 0; word < HOST_MASK_WORDS; word++) {
            const uint64_t lowest = all.mask[word] & -all.mask[word];
            if (lowest != 0) {
                toils[i].core.mask[word] = lowest;
                break;
            }
        }
        toils[i].start = &start;
        assert_int_equal(pthread_create(&threads[i], NULL, run, &toils[i]), 0);
    }
    for (int i = 0; i < 2; i++) {
        assert_int_equal(pthread_join(threads[i], NULL), 0);
    }
    (void)pthread_barrier_destroy(&start);
    if (!toils[0].known || !toils[0].bound || !toils[1].bound) {
        skip();
    }
    assert_true(toils[0].wait_ns >= 0 && toils[1].wait_ns >= 0);
    assert_true(toils[0].wait_ns + toils[1].wait_ns > 20000000);
}

/* Who sleeps neither has a core nor waits for one. */
static void test_sleep(void **state)
{
    (void)state;
    const int64_t from_ns = usage_cpu_ns();
    clock_sleep_ns(30000000);
    assert_true(usage_cpu_ns() - from_ns < 20000000);
}

static void test_nothing_known(void **state)
{
    (void)state;
    usage u = {.fd = -1};
    assert_int_equal(usage_wait_ns(&u), 0);
    usage_close(&u);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_two_on_one_core),
        cmocka_unit_test(test_sleep),
        cmocka_unit_test(test_nothing_known),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
