/* SPDX-License-Identifier: BSD-3-Clause */
/* Tests where workers are pinned, on machines that hwloc makes up, and on this one. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "team/cores.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MOST = 64 };

static host_cores numbered(int first, int count)
{
    host_cores some;
    memset(&some, 0, sizeof some);
    for (int i = 0; i < count; i++) {
        host_add_core(&some, first + i);
    }
    return some;
}

/* A made-up machine, as far as a rank may use it. */
static core_groups *look(const char *machine, const host_cores *allowed)
{
    assert_int_equal(setenv("HWLOC_SYNTHETIC", machine, 1), 0);
    core_groups *c = cores_look(allowed);
    assert_int_equal(unsetenv("HWLOC_SYNTHETIC"), 0);
    return c;
}

static core_groups *look_at_all(const char *machine, int slots)
{
    const host_cores allowed = numbered(0, slots);
    core_groups *c = look(machine, &allowed);
    assert_non_null(c);
    return c;
}

/* The cores of a set, such as "0,3", as hwloc and taskset write them one by one. */
static const char *text_of(const host_cores *some)
{
    static char text[256];
    size_t used = 0;
    text[0] = '\0';
    for (int i = 0; i < HOST_MOST_CORES && used < sizeof text; i++) {
        if (host_has_core(some, i)) {
            used +=
                (size_t)snprintf(text + used, sizeof text - used, "%s%d", used == 0 ? "" : ",", i);
        }
    }
    return text;
}

/* A rank's workers are bound like this, and spread over so many nodes. */
static void check(const core_groups *c, int threads, int first, int workers, cores_binding expected,
                  int nodes, const char *const pins[])
{
    host_cores pin[MOST];
    int found = -1;
    assert_int_equal(cores_assign(c, threads, first, workers, pin, &found), expected);
    assert_int_equal(found, nodes);
    for (int i = 0; i < workers && expected != CORES_FREE; i++) {
        assert_string_equal(text_of(&pin[i]), pins[i]);
    }
}

static void test_a_core_each(void **state)
{
    (void)state;
    core_groups *c = look_at_all("numa:1 core:4 pu:1", 4);
    assert_int_equal(cores_count(c), 4);
    assert_int_equal(cores_nodes(c), 1);
    check(c, 4, 0, 4, CORES_OWN, 1, (const char *[]){"0", "1", "2", "3"});
    check(c, 4, 0, 2, CORES_OWN, 1, (const char *[]){"0", "1"});
    check(c, 4, 2, 2, CORES_OWN, 1, (const char *[]){"2", "3"});
    check(c, 4, 3, 1, CORES_OWN, 1, (const char *[]){"3"});
    cores_destroy(c);
}

static void test_cores_to_spare_or_too_few(void **state)
{
    (void)state;
    core_groups *c = look_at_all("numa:1 core:4 pu:1", 4);
    check(c, 1, 0, 1, CORES_FREE, 1, NULL);
    check(c, 3, 0, 3, CORES_FREE, 1, NULL);
    check(c, 5, 0, 5, CORES_FREE, 0, NULL);
    check(c, 8, 4, 4, CORES_FREE, 0, NULL);
    check(c, 0, 0, 0, CORES_FREE, 0, NULL);
    cores_destroy(c);
}

/* Whole cores as long as there are enough, then hardware threads. Linux often numbers the second
 * threads of all cores after the first ones. */
static void test_hardware_threads(void **state)
{
    (void)state;
    core_groups *c = look_at_all("numa:1 core:4 pu:2(indexes=0,4,1,5,2,6,3,7)", 8);
    assert_int_equal(cores_count(c), 4);
    check(c, 4, 0, 4, CORES_OWN, 1, (const char *[]){"0,4", "1,5", "2,6", "3,7"});
    check(c, 4, 2, 2, CORES_OWN, 1, (const char *[]){"2,6", "3,7"});
    check(c, 8, 0, 4, CORES_OWN, 1, (const char *[]){"0", "4", "1", "5"});
    check(c, 8, 4, 4, CORES_OWN, 1, (const char *[]){"2", "6", "3", "7"});
    check(c, 3, 0, 3, CORES_FREE, 1, NULL);
    check(c, 6, 0, 6, CORES_FREE, 1, NULL);
    check(c, 9, 0, 9, CORES_FREE, 0, NULL);
    cores_destroy(c);
}

static void test_ranks_keep_to_nodes(void **state)
{
    (void)state;
    core_groups *c = look_at_all("numa:2 core:4 pu:1", 8);
    assert_int_equal(cores_nodes(c), 2);
    check(c, 8, 0, 4, CORES_OWN, 1, (const char *[]){"0", "1", "2", "3"});
    check(c, 8, 4, 4, CORES_OWN, 1, (const char *[]){"4", "5", "6", "7"});
    check(c, 8, 2, 4, CORES_OWN, 2, (const char *[]){"2", "3", "4", "5"});
    /* Two ranks of two, which leave half of the cores to the system. */
    check(c, 4, 0, 2, CORES_NODE, 1, (const char *[]){"0,1,2,3", "0,1,2,3"});
    check(c, 4, 2, 2, CORES_NODE, 1, (const char *[]){"4,5,6,7", "4,5,6,7"});
    /* One rank of two: both nodes' memory is used. */
    check(c, 2, 0, 2, CORES_NODE, 2, (const char *[]){"0,1,2,3", "4,5,6,7"});
    check(c, 9, 0, 9, CORES_FREE, 0, NULL);
    cores_destroy(c);
}

/* Some machines deal their numbers out to the nodes in turns. */
static void test_nodes_numbered_in_turns(void **state)
{
    (void)state;
    core_groups *c = look_at_all("numa:2 core:3 pu:1(indexes=0,2,4,1,3,5)", 6);
    check(c, 6, 0, 3, CORES_OWN, 1, (const char *[]){"0", "2", "4"});
    check(c, 6, 3, 3, CORES_OWN, 1, (const char *[]){"1", "3", "5"});
    check(c, 2, 1, 1, CORES_NODE, 1, (const char *[]){"1,3,5"});
    cores_destroy(c);
}

/* The same with caches: neighbours share one. */
static void test_caches_hold_neighbours_together(void **state)
{
    (void)state;
    core_groups *c = look_at_all("numa:1 l3:2 core:2 pu:1(indexes=0,2,1,3)", 4);
    check(c, 4, 0, 2, CORES_OWN, 1, (const char *[]){"0", "2"});
    check(c, 4, 2, 2, CORES_OWN, 1, (const char *[]){"1", "3"});
    cores_destroy(c);
}

/* What the launcher or a cpuset has left to the rank. */
static void test_only_what_is_allowed(void **state)
{
    (void)state;
    const host_cores second_node = numbered(8, 8);
    core_groups *c = look("numa:2 core:4 pu:2", &second_node);
    assert_non_null(c);
    assert_int_equal(cores_count(c), 4);
    assert_int_equal(cores_nodes(c), 1);
    check(c, 4, 0, 4, CORES_OWN, 1, (const char *[]){"8,9", "10,11", "12,13", "14,15"});
    cores_destroy(c);

    const host_cores odd = numbered(1, 3);
    c = look("numa:2 core:4 pu:2", &odd);
    assert_non_null(c);
    assert_int_equal(cores_count(c), 2);
    check(c, 2, 0, 2, CORES_OWN, 1, (const char *[]){"1", "2,3"});
    check(c, 3, 0, 3, CORES_OWN, 1, (const char *[]){"1", "2", "3"});
    cores_destroy(c);
}

static void test_unknown_cores(void **state)
{
    (void)state;
    const host_cores beyond = numbered(2, 4);
    const host_cores none = numbered(0, 0);
    assert_null(look("numa:1 core:4 pu:1", &beyond));
    assert_null(look("numa:1 core:4 pu:1", &none));
    assert_null(look("no such machine", &beyond));
    cores_destroy(NULL);
}

static bool overlap(const host_cores *a, const host_cores *b)
{
    bool any = false;
    for (int i = 0; i < HOST_MASK_WORDS; i++) {
        any = any || (a->mask[i] & b->mask[i]) != 0;
    }
    return any;
}

/* Whatever the numbers: if workers are bound, then each to something, and two ranks' workers are
 * never given the same core; and no node is given more threads than it has cores. */
static void check_all_ranks(const core_groups *c, int slots, int threads)
{
    host_cores pin[MOST];
    int nodes = 0;
    int given[MOST] = {0};
    cores_binding binding = CORES_FREE;
    for (int first = 0; first < threads; first += 3) {
        const int workers = threads - first < 3 ? threads - first : 3;
        binding = cores_assign(c, threads, first, workers, pin + first, &nodes);
    }
    for (int i = 0; i < threads && binding != CORES_FREE; i++) {
        const int size = host_count_cores(&pin[i]);
        int alike = 0;
        for (int k = 0; k < threads; k++) {
            alike += overlap(&pin[i], &pin[k]);
        }
        assert_in_range(size, 1, slots);
        assert_in_range(alike, 1, size);
        for (int core = 0; core < slots; core++) {
            given[core] += binding == CORES_OWN && host_has_core(&pin[i], core);
        }
    }
    for (int core = 0; core < slots; core++) {
        assert_int_equal(given[core], binding == CORES_OWN);
    }
}

static void test_nobody_gets_what_another_has(void **state)
{
    (void)state;
    static const struct {
        const char *machine;
        int slots;
    } machines[] = {{"numa:1 core:1 pu:1", 1},
                    {"numa:1 core:5 pu:1", 5},
                    {"numa:2 core:3 pu:2", 12},
                    {"numa:4 core:2 pu:4", 32},
                    {"numa:3 core:7 pu:1", 21}};
    for (size_t m = 0; m < sizeof machines / sizeof machines[0]; m++) {
        core_groups *c = look_at_all(machines[m].machine, machines[m].slots);
        for (int threads = 1; threads <= machines[m].slots; threads++) {
            check_all_ranks(c, machines[m].slots, threads);
        }
        cores_destroy(c);
    }
}

static void test_this_machine(void **state)
{
    (void)state;
    host_cores mine;
    host_cores allowed;
    host_cores pin[1];
    int nodes = 0;
    host_get_cores(&mine);
    cores_get_allowed(&allowed);
    assert_memory_equal(&allowed, &mine, sizeof mine);
    core_groups *c = cores_look(&allowed);
    assert_non_null(c);
    const int slots = host_count_cores(&allowed);
    assert_in_range(cores_count(c), 1, slots);
    assert_in_range(cores_nodes(c), 1, cores_count(c));
    assert_int_equal(cores_assign(c, slots, slots - 1, 1, pin, &nodes), CORES_OWN);
    assert_int_equal(nodes, 1);
    assert_int_equal(host_count_cores(&pin[0]), 1);
    assert_true(overlap(&pin[0], &allowed));
    cores_destroy(c);
}

static void test_the_user_goes_first(void **state)
{
    (void)state;
    static const char *const names[] = {"OMP_PROC_BIND", "OMP_PLACES", "GOMP_CPU_AFFINITY",
                                        "KMP_AFFINITY"};
    for (int i = 0; i < 4; i++) {
        (void)unsetenv(names[i]);
    }
    assert_false(cores_user_decides());
    for (int i = 0; i < 4; i++) {
        assert_int_equal(setenv(names[i], "false", 1), 0);
        assert_true(cores_user_decides());
        assert_int_equal(unsetenv(names[i]), 0);
    }
    assert_false(cores_user_decides());
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_core_each),
        cmocka_unit_test(test_cores_to_spare_or_too_few),
        cmocka_unit_test(test_hardware_threads),
        cmocka_unit_test(test_ranks_keep_to_nodes),
        cmocka_unit_test(test_nodes_numbered_in_turns),
        cmocka_unit_test(test_caches_hold_neighbours_together),
        cmocka_unit_test(test_only_what_is_allowed),
        cmocka_unit_test(test_unknown_cores),
        cmocka_unit_test(test_nobody_gets_what_another_has),
        cmocka_unit_test(test_this_machine),
        cmocka_unit_test(test_the_user_goes_first),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
