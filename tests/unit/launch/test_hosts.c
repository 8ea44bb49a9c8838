/* SPDX-License-Identifier: BSD-3-Clause */
/* Tests lists of hosts, and how ranks are shared out. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "launch/hosts.h"

#include <stdio.h>
#include <string.h>

/* "name:cores/slots" of each host. */
static void assert_hosts(hosts *h, const char *expected)
{
    char text[512] = "";
    for (int i = 0; i < h->count; i++) {
        const size_t used = strlen(text);
        (void)snprintf(text + used, sizeof text - used, "%s%s:%d/%d", i > 0 ? " " : "",
                       h->row[i].name, h->row[i].cores, h->row[i].slots);
    }
    assert_string_equal(text, expected);
    hosts_free(h);
}

static void test_list(void **state)
{
    (void)state;
    hosts h = {.count = 0};
    error e;
    assert_int_equal(hosts_read_list(&h, "a,b.domain:16,c:", &e), WEFT_OK);
    assert_hosts(&h, "a:0/0 b.domain:16/0 c:0/0");
}

static void refuse_list(const char *list, const char *why)
{
    hosts h = {.count = 0};
    error e;
    assert_int_equal(hosts_read_list(&h, list, &e), WEFT_ERR_USAGE);
    assert_non_null(strstr(e.text, why));
    hosts_free(&h);
}

static void test_wrong_lists(void **state)
{
    (void)state;
    refuse_list("a;b", "'a;b' is no name of a host");
    refuse_list("a,,b", "'' is no name of a host");
    refuse_list("a:b", "not a whole number");
    refuse_list("a:0", "not a whole number");
    refuse_list("-oX,b", "'-oX' is no name of a host: it begins with '-'");
    refuse_list("b,-h", "begins with '-'");
}

static void test_lines(void **state)
{
    (void)state;
    static const char *const lines[] = {
        "# comment\n", "\n", "a slots=8\n", "b\n", "  c max_slots=4 slots=2 # more\n", "d"};
    hosts h = {.count = 0};
    error e;
    for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++) {
        assert_int_equal(hosts_read_line(&h, lines[i], &e), WEFT_OK);
    }
    assert_int_equal(hosts_read_line(&h, "-x slots=2\n", &e), WEFT_ERR_USAGE);
    assert_hosts(&h, "a:8/0 b:0/0 c:2/0 d:0/0");
}

static void read_slurm(const char *nodes, const char *cores, const char *expected)
{
    hosts h = {.count = 0};
    error e;
    assert_int_equal(hosts_read_slurm(&h, nodes, cores, &e), WEFT_OK);
    assert_hosts(&h, expected);
}

static void test_slurm(void **state)
{
    (void)state;
    read_slurm("n1", "4", "n1:4/0");
    read_slurm("n[1-3]", "8(x2),4", "n1:8/0 n2:8/0 n3:4/0");
    read_slurm("n[08-10,12],m", NULL, "n08:0/0 n09:0/0 n10:0/0 n12:0/0 m:0/0");
    read_slurm("r[1-2]n[1-2]x,n[7]", "2(x5)", "r1n1x:2/0 r1n2x:2/0 r2n1x:2/0 r2n2x:2/0 n7:2/0");
    read_slurm("n[1-2]", "8", "n1:0/0 n2:0/0");
    read_slurm("n[1-2]", "8(x", "n1:0/0 n2:0/0");
}

static void test_wrong_slurm(void **state)
{
    (void)state;
    static const char *const wrong[] = {"n[a]",    "n[1-]", "n[1-99999999]",
                                        "-n[1-2]", "n[]",   "n[3-1]"};
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        hosts h = {.count = 0};
        error e;
        assert_int_equal(hosts_read_slurm(&h, wrong[i], NULL, &e), WEFT_ERR_USAGE);
        hosts_free(&h);
    }
}

/* As of somebody who wants to see how deep it goes. */
static void test_many_brackets(void **state)
{
    (void)state;
    static const char bracket[] = "[1]";
    char list[100 * 1000];
    hosts h = {.count = 0};
    error e;
    for (size_t i = 0; i < sizeof list; i++) {
        list[i] = bracket[i % 3];
    }
    list[sizeof list - 1] = '\0';
    assert_int_equal(hosts_read_slurm(&h, list, NULL, &e), WEFT_ERR_USAGE);
    assert_int_equal(h.count, 0);
    assert_non_null(strstr(e.text, "too long"));
    hosts_free(&h);
    list[3 * 60] = '\0';
    assert_int_equal(hosts_read_slurm(&h, list, NULL, &e), WEFT_OK);
    assert_int_equal(h.count, 1);
    hosts_free(&h);
}

static hosts three(void)
{
    hosts h = {.count = 0};
    error e;
    assert_int_equal(hosts_read_list(&h, "a:8,b:4,c:4", &e), WEFT_OK);
    return h;
}

static void test_shares(void **state)
{
    (void)state;
    hosts h = three();
    hosts_share(&h, 5);
    assert_hosts(&h, "a:8/2 b:4/2 c:4/1");
    h = three();
    hosts_share(&h, 2);
    assert_hosts(&h, "a:8/1 b:4/1");
    h = three();
    assert_true(hosts_share_as_slurm(&h, "3,1(x2)"));
    assert_hosts(&h, "a:8/3 b:4/1 c:4/1");
    h = three();
    assert_false(hosts_share_as_slurm(&h, "2"));
    assert_false(hosts_share_as_slurm(&h, NULL));
    hosts_free(&h);
}

static void test_order(void **state)
{
    (void)state;
    hosts h = three();
    hosts_to_front(&h, 2);
    assert_int_equal(hosts_find(&h, "b.domain"), 2);
    assert_int_equal(hosts_find(&h, "bb"), -1);
    assert_int_equal(hosts_find(&h, "c"), 0);
    assert_hosts(&h, "c:4/0 a:8/0 b:4/0");
}

static void test_workers(void **state)
{
    (void)state;
    hosts h = three();
    hosts_share(&h, 5);
    assert_int_equal(hosts_least_share(&h), 2);
    assert_false(hosts_are_filled(&h, 2)); /* c has room for another */
    assert_false(hosts_are_filled(&h, 3));
    h.row[2].cores = 3;
    assert_true(hosts_are_filled(&h, 2) == false); /* a has */
    h.row[0].cores = 7;
    assert_true(hosts_are_filled(&h, 2));
    h.row[1].cores = 0;
    assert_false(hosts_are_filled(&h, 2));
    assert_int_equal(hosts_least_share(&h), 0);
    hosts_free(&h);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_list),        cmocka_unit_test(test_wrong_lists),
        cmocka_unit_test(test_lines),       cmocka_unit_test(test_slurm),
        cmocka_unit_test(test_wrong_slurm), cmocka_unit_test(test_many_brackets),
        cmocka_unit_test(test_shares),      cmocka_unit_test(test_order),
        cmocka_unit_test(test_workers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
