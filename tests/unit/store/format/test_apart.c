/* SPDX-License-Identifier: BSD-3-Clause */
/* Tests that what is done apart gives its answer, or an end that is told, and touches nothing here.
 */
#include "store/folder.h"

#include "store/format/apart.h"

#include <signal.h>

enum { MANY = 300000 };

typedef struct answer {
    int number;
    char rest[MANY];
} answer;

static int touched;

static void act(void *to, void *context)
{
    answer *a = to;
    const int *how = context;
    volatile int counter = 0;
    touched++;
    switch (*how) {
    case 1:
        (void)raise(SIGSEGV);
        break;
    case 2:
        _exit(0);
    case 3:
        abort();
    case 4:
        while (counter >= 0) {
            counter = counter < MANY ? counter + 1 : 0;
        }
        break;
    case 5:
        (void)raise(SIGKILL);
        break;
    default:
        break;
    }
    a->number = 4711;
    memset(a->rest, 'x', sizeof a->rest);
}

static void test_answer(void **state)
{
    (void)state;
    static answer a;
    char what[APART_TEXT_BYTES] = "";
    int how = 0;
    assert_int_equal(apart_call(act, &how, &a, sizeof a, what), APART_ANSWERED);
    assert_int_equal(a.number, 4711);
    assert_int_equal(a.rest[MANY - 1], 'x');
    assert_int_equal(touched, 0);
}

static void test_no_answer(void **state)
{
    (void)state;
    static const char *const says[] = {"",
                                       "crashed (Segmentation fault)",
                                       "ended its process",
                                       "crashed (Aborted)",
                                       "computed for more than",
                                       "was killed"};
    static answer a;
    for (int how = 1; how <= 5; how++) {
        char what[APART_TEXT_BYTES] = "";
        const apart_end expected = how == 5 ? APART_CUT_SHORT : APART_FAILED;
        assert_int_equal(apart_call(act, &how, &a, sizeof a, what), expected);
        assert_non_null(strstr(what, says[how]));
    }
    assert_int_equal(touched, 0);
}

/* Whoever has no children to wait for has none here either. */
static void test_children_that_are_reaped_by_others(void **state)
{
    (void)state;
    static answer a;
    char what[APART_TEXT_BYTES] = "";
    int how = 0;
    (void)signal(SIGCHLD, SIG_IGN);
    a.number = 0;
    const apart_end good = apart_call(act, &how, &a, sizeof a, what);
    how = 1;
    const apart_end bad = apart_call(act, &how, &a, sizeof a, what);
    (void)signal(SIGCHLD, SIG_DFL);
    assert_true(good == APART_ANSWERED && bad == APART_FAILED);
    assert_int_equal(a.number, 4711);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_answer),
        cmocka_unit_test(test_no_answer),
        cmocka_unit_test(test_children_that_are_reaped_by_others),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
