/* SPDX-License-Identifier: BSD-3-Clause */
/* Tests that what belongs to a thread can be taken from one and given to another. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "host/thread_state.h"

#include <fenv.h>
#include <pthread.h>
#include <stdbool.h>

/* 1/3 rounds up or down as the thread's arithmetic is set. */
static double divide(void)
{
    volatile double one = 1;
    volatile double three = 3;
    return one / three;
}

typedef struct meeting {
    thread_state given;
    pthread_barrier_t *all;
    double quotient;
    double quotient_before;
    double quotient_after;
    bool blocked;
    bool own_locale;
    bool restored;
} meeting;

/* A thread that is there before anything is changed. */
static void *attend(void *context)
{
    meeting *m = context;
    thread_state before;
    sigset_t mask;
    m->quotient_before = divide();
    (void)pthread_barrier_wait(m->all);
    (void)pthread_barrier_wait(m->all);
    thread_state_get(&before);
    thread_state_set(&m->given);
    m->quotient = divide();
    (void)pthread_sigmask(SIG_SETMASK, NULL, &mask);
    m->blocked = sigismember(&mask, SIGWINCH) == 1;
    m->own_locale = uselocale((locale_t)0) == m->given.locale;
    thread_state_set(&before);
    m->quotient_after = divide();
    (void)pthread_sigmask(SIG_SETMASK, NULL, &mask);
    m->restored = sigismember(&mask, SIGWINCH) == 0 && uselocale((locale_t)0) == LC_GLOBAL_LOCALE;
    return NULL;
}

static void test_one_thread_takes_what_another_has(void **state)
{
    (void)state;
    pthread_barrier_t all;
    pthread_t thread;
    meeting m = {.all = &all};
    sigset_t more;
    locale_t own = newlocale(LC_ALL_MASK, "C", (locale_t)0);
    thread_state before;
    thread_state_get(&before);
    assert_int_equal(pthread_barrier_init(&all, NULL, 2), 0);
    assert_int_equal(pthread_create(&thread, NULL, attend, &m), 0);
    (void)pthread_barrier_wait(&all);
    assert_int_equal(fesetround(FE_UPWARD), 0);
    (void)uselocale(own);
    (void)sigemptyset(&more);
    (void)sigaddset(&more, SIGWINCH);
    (void)pthread_sigmask(SIG_BLOCK, &more, NULL);
    thread_state_get(&m.given);
    const double upward = divide();
    (void)pthread_barrier_wait(&all);
    assert_int_equal(pthread_join(thread, NULL), 0);
    thread_state_set(&before);
    assert_true(m.quotient == upward);
    assert_true(m.quotient_before < upward);
    assert_true(m.quotient_after == m.quotient_before && divide() == m.quotient_before);
    assert_true(m.blocked && m.own_locale && m.restored);
    assert_true(uselocale((locale_t)0) == LC_GLOBAL_LOCALE);
    freelocale(own);
    (void)pthread_barrier_destroy(&all);
}

/* Flags of what has been computed are no difference. */
static void test_flags_do_not_count(void **state)
{
    (void)state;
    (void)feclearexcept(FE_ALL_EXCEPT);
    const float_mode before = float_mode_get();
    const volatile double inexact = divide();
    assert_true(inexact > 0);
    assert_true(fetestexcept(FE_INEXACT) != 0);
    assert_true(float_mode_same(float_mode_get(), before));
    assert_int_equal(fesetround(FE_TOWARDZERO), 0);
    assert_false(float_mode_same(float_mode_get(), before));
    float_mode_set(before);
    assert_true(float_mode_same(float_mode_get(), before));
    assert_int_equal(fegetround(), FE_TONEAREST);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_one_thread_takes_what_another_has),
        cmocka_unit_test(test_flags_do_not_count),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
