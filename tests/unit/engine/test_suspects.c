/* SPDX-License-Identifier: BSD-3-Clause */
/* Tests the set of suspects against a plain array with an entry per item. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "engine/suspects.h"

#include <stdlib.h>

enum { ITEMS = 200 };

static suspects *set;

static int set_up(void **state)
{
    (void)state;
    error e = {.status = WEFT_OK};
    return suspects_create(&set, &e) == WEFT_OK ? 0 : -1;
}

static int tear_down(void **state)
{
    (void)state;
    suspects_destroy(set);
    return 0;
}

static void test_none(void **state)
{
    (void)state;
    bool found = true;
    int crashes = 1;
    int64_t count = 1;
    error e = {.status = WEFT_OK};
    assert_int_equal(suspects_look(set, 5, 100, &found, &crashes), 100);
    assert_false(found);
    assert_int_equal(crashes, 0);
    assert_int_equal(suspects_add(set, NULL, 0, &e), WEFT_OK);
    assert_null(suspects_list(set, &count));
    assert_int_equal(count, 0);
    suspects_destroy(NULL);
}

/* Every look agrees with what is known of each item: -1 for one that is not suspect. */
static void check(const int known[ITEMS])
{
    for (int64_t first = 0; first < ITEMS; first++) {
        bool found = false;
        int crashes = 0;
        const int64_t alike = suspects_look(set, first, ITEMS - first, &found, &crashes);
        assert_in_range(alike, 1, ITEMS - first);
        assert_int_equal(found, known[first] >= 0);
        assert_int_equal(crashes, known[first] > 0);
        for (int64_t i = first; i < first + alike; i++) {
            assert_int_equal(known[i], known[first]);
        }
        assert_true(first + alike == ITEMS || known[first + alike] != known[first]);
    }
}

static void test_like_an_array(void **state)
{
    (void)state;
    int known[ITEMS];
    error e = {.status = WEFT_OK};
    srand(7);
    for (int i = 0; i < ITEMS; i++) {
        known[i] = -1;
    }
    for (int round = 0; round < 12; round++) {
        suspect list[3];
        for (int i = 0; i < 3; i++) {
            const bool alone = rand() % 2 == 0;
            list[i].first = rand() % (ITEMS - 10);
            list[i].count = alone ? 1 : 1 + rand() % 9;
            list[i].crashes = alone;
            for (int64_t item = list[i].first; item < list[i].first + list[i].count; item++) {
                known[item] = known[item] > list[i].crashes ? known[item] : list[i].crashes;
            }
        }
        assert_int_equal(suspects_add(set, list, 3, &e), WEFT_OK);
        check(known);
    }
}

static void test_list_is_sorted_and_disjoint(void **state)
{
    (void)state;
    error e = {.status = WEFT_OK};
    const suspect list[] = {{.first = 50, .count = 10},
                            {.first = 0, .count = 3},
                            {.first = 55, .count = 1, .crashes = 1},
                            {.first = 3, .count = 2}};
    int64_t count = 0;
    assert_int_equal(suspects_add(set, list, 4, &e), WEFT_OK);
    const suspect *all = suspects_list(set, &count);
    assert_int_equal(count, 4);
    const int64_t expected[] = {0, 5, 50, 5, 55, 1, 56, 4};
    for (int i = 0; i < 4; i++) {
        assert_int_equal(all[i].first, expected[2 * i]);
        assert_int_equal(all[i].count, expected[2 * i + 1]);
        assert_int_equal(all[i].crashes, i == 2);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_none, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_like_an_array, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_list_is_sorted_and_disjoint, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
