/* SPDX-License-Identifier: BSD-3-Clause */
/* Tests the bits that say which items have failed, against one flag per item. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "engine/flow/failed_items.h"

enum { ITEMS = 200 };

/* Every range of items, with every third item failed and every ninth in quarantine. */
static void test_ranges(void **state)
{
    (void)state;
    failed_items *f = failed_items_create(ITEMS);
    assert_non_null(f);
    for (int64_t i = 0; i < ITEMS; i += 3) {
        assert_true(failed_items_add(f, i, i % 9 == 0));
        assert_false(failed_items_add(f, i, false));
    }
    for (int64_t first = 0; first <= ITEMS; first++) {
        int64_t failed = 0;
        bool some = false;
        for (int64_t end = first; end <= ITEMS; end++) {
            bool quarantined = true;
            assert_int_equal(failed_items_count(f, first, end, &quarantined), failed);
            assert_int_equal(quarantined, some);
            const int64_t next = (first + 2) / 3 * 3;
            assert_int_equal(failed_items_next(f, first, end), next < end ? next : end);
            const int64_t good = first + (first % 3 == 0);
            assert_int_equal(failed_items_next_good(f, first, end), good < end ? good : end);
            failed += end % 3 == 0;
            some = some || end % 9 == 0;
        }
    }
    failed_items_destroy(f);
}

static void test_clearing_leaves_the_neighbours(void **state)
{
    (void)state;
    failed_items *f = failed_items_create(ITEMS);
    for (int64_t i = 0; i < ITEMS; i++) {
        (void)failed_items_add(f, i, true);
    }
    bool quarantined = false;
    failed_items_clear(f, 61, 131);
    assert_int_equal(failed_items_count(f, 0, ITEMS, &quarantined), ITEMS - 70);
    assert_int_equal(failed_items_count(f, 0, 61, &quarantined), 61);
    assert_int_equal(failed_items_count(f, 131, ITEMS, &quarantined), ITEMS - 131);
    assert_int_equal(failed_items_count(f, 61, 131, &quarantined), 0);
    assert_false(quarantined);
    assert_true(failed_items_add(f, 100, false));
    failed_items_destroy(f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_ranges),
        cmocka_unit_test(test_clearing_leaves_the_neighbours),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
