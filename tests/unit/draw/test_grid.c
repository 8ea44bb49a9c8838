/* SPDX-License-Identifier: BSD-3-Clause */
/* Tests how items become cells: each item is in one, neighbours in the same or the next, and what
 * is said of a cell is so of its items. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "draw/grid.h"

#include <float.h>
#include <math.h>

static void test_every_item_has_a_cell(void **state)
{
    (void)state;
    static const int64_t widths[] = {1, 2, 7, 8, 9, 100, 1000003};
    for (int i = 0; i < 7; i++) {
        grid *g = grid_create(widths[i], 3, 8, 2);
        const grid_cell *before = grid_find(g, 0, 0);
        assert_ptr_equal(before, g->cell);
        for (int64_t x = 1; x < widths[i]; x++) {
            const grid_cell *cell = grid_find(g, x, 0);
            assert_true(cell == before || cell == before + 1);
            before = cell;
        }
        assert_ptr_equal(before, g->cell + g->columns - 1);
        assert_ptr_equal(grid_find(g, widths[i] - 1, 2), g->cell + 2 * g->columns - 1);
        grid_destroy(g);
    }
    grid *huge = grid_create(INT64_MAX, 1, 1000, 1);
    assert_ptr_equal(grid_find(huge, INT64_MAX / 2, 0), huge->cell + 500);
    grid_destroy(huge);
    grid_destroy(NULL);
}

static void test_what_is_said_of_cells(void **state)
{
    (void)state;
    grid *g = grid_create(10, 1, 5, 1);
    grid_range r = grid_measure(g);
    assert_true(r.low > r.high && !r.failed && !r.undone);
    grid_add(grid_find(g, 0, 0), DBL_MAX);
    grid_add(grid_find(g, 1, 0), DBL_MAX);
    assert_true(grid_mean(g->cell) == DBL_MAX);
    grid_add(grid_find(g, 2, 0), -3);
    grid_add(grid_find(g, 3, 0), 1);
    grid_add(grid_find(g, 5, 0), 7);
    grid_find(g, 4, 0)->failed++;
    assert_true(grid_mean(g->cell + 1) == -1);
    assert_true(g->cell[1].low == -3 && g->cell[1].high == 1 && g->cell[1].values == 2);
    r = grid_measure(g);
    assert_true(r.low == -1 && r.high == DBL_MAX && r.middle == 7 && r.failed && !r.undone);
    grid_find(g, 9, 0)->undone++;
    assert_true(grid_measure(g).undone);
    grid_destroy(g);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_item_has_a_cell),
        cmocka_unit_test(test_what_is_said_of_cells),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
