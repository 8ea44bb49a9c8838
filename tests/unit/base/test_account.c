/* SPDX-License-Identifier: BSD-3-Clause */
/* Tests accounts: what differs between two of them, and that their digests do, too. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/account.h"

#include <string.h>

/* n = 5, text, last. */
static account make(int n, const char *text)
{
    account a = {.text = NULL};
    account_add(&a, "n", "%d", n);
    account_add(&a, "text", "'%s'", text);
    account_add(&a, "last", "%d", 7);
    assert_false(a.incomplete);
    return a;
}

/* Compares them both ways round, and releases them. */
static void expect(account *a, account *b, const char *name, const char *first, const char *second)
{
    account_difference d;
    assert_true(account_compare(a, b, &d));
    assert_string_equal(d.name, name);
    assert_string_equal(d.first, first);
    assert_string_equal(d.second, second);
    assert_true(account_digest(a) != account_digest(b));
    assert_true(account_compare(b, a, &d));
    assert_string_equal(d.first, second);
    assert_string_equal(d.second, first);
    account_clear(a);
    account_clear(b);
}

static void test_equal(void **state)
{
    (void)state;
    account_difference d;
    account a = make(5, "x");
    account b = make(5, "x");
    assert_false(account_compare(&a, &b, &d));
    assert_true(account_digest(&a) == account_digest(&b));
    account_clear(&a);
    account_clear(&b);
    assert_false(account_compare(&a, &b, &d));
    assert_true(account_digest(&a) == account_digest(&b));
}

static void test_a_value_differs(void **state)
{
    (void)state;
    account a = make(5, "x");
    account b = make(6, "x");
    expect(&a, &b, "n", "5", "6");
    a = make(5, "one\nline");
    b = make(5, "one line");
    expect(&a, &b, "text", "'one\nline'", "'one line'");
    /* Not a value of one and the name of the next. */
    a = make(5, "");
    b = make(5, "x");
    expect(&a, &b, "text", "''", "'x'");
}

static void test_one_has_more(void **state)
{
    (void)state;
    account a = make(5, "x");
    account b = make(5, "x");
    account_add(&b, "more", "%s", "here");
    expect(&a, &b, "more", "absent", "here");
    a = make(5, "x");
    b = (account){.text = NULL};
    expect(&a, &b, "n", "5", "absent");
}

static void test_order(void **state)
{
    (void)state;
    account_difference d;
    account a = {.text = NULL};
    account b = {.text = NULL};
    account_add(&a, "first", "%d", 1);
    account_add(&a, "second", "%d", 2);
    account_add(&b, "second", "%d", 2);
    account_add(&b, "first", "%d", 1);
    assert_true(account_compare(&a, &b, &d));
    assert_string_equal(d.name, "the order");
    account_clear(&a);
    account_clear(&b);
}

/* They grow, and what is told of long values ends. */
static void test_long_values(void **state)
{
    (void)state;
    char text[3000];
    memset(text, 'x', sizeof text);
    text[sizeof text - 1] = '\0';
    account a = make(1, text);
    text[sizeof text - 2] = 'y';
    account b = make(1, text);
    account_difference d;
    assert_true(account_compare(&a, &b, &d));
    assert_int_equal(strlen(d.first), ACCOUNT_VALUE_BYTES - 1);
    assert_string_equal(d.first + ACCOUNT_VALUE_BYTES - 4, "...");
    account whole = make(1, "x");
    account_append(&whole, &a);
    assert_int_equal(whole.used, a.used + strlen("n") + strlen("1") + strlen("text") +
                                     strlen("'x'") + strlen("last") + strlen("7") + 6);
    account_clear(&whole);
    account_clear(&a);
    account_clear(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_equal),        cmocka_unit_test(test_a_value_differs),
        cmocka_unit_test(test_one_has_more), cmocka_unit_test(test_order),
        cmocka_unit_test(test_long_values),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
