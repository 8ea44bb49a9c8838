/* SPDX-License-Identifier: BSD-3-Clause */
/* Tests the answers for cells: against geodesics to a dense shoreline, and split up in all ways. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "coast/chart.h"
#include "coast/coast.h"
#include "coast/globe.h"

#include <geodesic.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static gshhg *data;
static struct geod_geodesic earth;

static coast *shore_of(int64_t rows)
{
    coast *shore = NULL;
    if (!data) {
        skip();
    }
    assert_int_equal(coast_create(data, rows, &shore), WEFT_OK);
    return shore;
}

static double metres(double lon, double lat, double to_lon, double to_lat)
{
    double along;
    geod_inverse(&earth, lat, lon, to_lat, to_lon, &along, NULL, NULL);
    return along;
}

/* The least geodesic distance to points of the shoreline about every 2.5 km, in km. */
static double dense_distance(double lon, double lat)
{
    double best = HUGE_VAL;
    for (int64_t i = 0; i < data->line_count; ++i) {
        if (data->lines[i].level != GSHHG_OCEAN) {
            continue;
        }
        int32_t first = data->lines[i].first, last = first + data->lines[i].count - 1;
        for (int32_t p = first; p < last; ++p) {
            double x = gshhg_degrees(data, data->x[p]), y = gshhg_degrees(data, data->y[p]) - 90;
            double dx = gshhg_degrees(data, data->x[p + 1]) - x;
            double dy = gshhg_degrees(data, data->y[p + 1]) - 90 - y;
            int steps = 1 + (int)(hypot(dx * cos(y * 0.017453292519943295), dy) * 111.2 / 2.5);
            for (int k = 0; k <= steps; ++k) {
                best = fmin(best, metres(lon, lat, x + dx * k / steps, y + dy * k / steps) / 1000);
            }
        }
    }
    return best;
}

static void test_distances(void **state)
{
    (void)state;
    const int64_t rows = 90;
    coast *shore = shore_of(rows);
    /* Far out, near a shore, inland, at the poles, beside both seams. */
    const int64_t cells[] = {0,
                             16199,
                             68 * 180 + 28,
                             45 * 180 + 10,
                             22 * 180 + 131,
                             20 * 180 + 90,
                             30 * 180 + 179,
                             30 * 180,
                             88 * 180 + 3,
                             7777};
    for (size_t i = 0; i < sizeof cells / sizeof *cells; ++i) {
        double distance, nearest[2];
        uint8_t land;
        coast_cells(shore, cells[i], 1, &distance, nearest, &land);
        double lon = coast_lon(shore, cells[i] % 180), lat = coast_lat(shore, cells[i] / 180);
        double dense = dense_distance(lon, lat);
        assert_true(distance <= dense + 0.002);
        assert_true(distance >= dense - 1.3 * 1.3 / fmax(distance, 1.3) - 0.002);
        assert_true(fabs(metres(lon, lat, nearest[0], nearest[1]) / 1000 - distance) < 1e-6);
        /* The nearest point is a point of the shoreline. */
        int64_t hint = -1;
        coast_point again;
        coast_nearest(shore, nearest[0], nearest[1], &hint, &again);
        assert_true(again.distance_km < 0.001);
    }
    coast_destroy(shore);
}

/* No point of the data is nearer than the answer. Where the straight lines to two shores are almost
 * equally long, this takes the choice by geodesics. */
static void test_nothing_is_nearer(void **state)
{
    (void)state;
    coast *shore = shore_of(90);
    for (int64_t cell = 37; cell < 16200; cell += 97) {
        double distance, nearest[2];
        uint8_t land;
        coast_cells(shore, cell, 1, &distance, nearest, &land);
        double lon = coast_lon(shore, cell % 180), lat = coast_lat(shore, cell / 180);
        for (int64_t i = 0; i < data->line_count; ++i) {
            const gshhg_line *line = &data->lines[i];
            for (int32_t p = line->first; p < line->first + line->count; ++p) {
                if (line->level == GSHHG_OCEAN)
                    assert_true(distance <= metres(lon, lat, gshhg_degrees(data, data->x[p]),
                                                   gshhg_degrees(data, data->y[p]) - 90) /
                                                    1000 +
                                                0.001);
            }
        }
    }
    coast_destroy(shore);
}

static void test_any_split_gives_the_same(void **state)
{
    (void)state;
    enum { ROWS = 30, CELLS = 2 * ROWS * ROWS };
    static double distance[CELLS], nearest[2 * CELLS], part_distance[CELLS],
        part_nearest[2 * CELLS];
    static uint8_t inside[CELLS], part_inside[CELLS];
    coast *shore = shore_of(ROWS);
    coast_cells(shore, 0, CELLS, distance, nearest, inside);
    const int64_t lengths[] = {1, 2, 7, 59, 61, 500};
    for (size_t i = 0; i < sizeof lengths / sizeof *lengths; ++i) {
        memset(part_distance, 0xff, sizeof part_distance);
        /* From the end to the start, so that the hints are others as well. */
        int64_t first = (CELLS - 1) / lengths[i] * lengths[i];
        for (; first >= 0; first -= lengths[i]) {
            int64_t count = first + lengths[i] < CELLS ? lengths[i] : CELLS - first;
            coast_cells(shore, first, count, part_distance + first, part_nearest + 2 * first,
                        part_inside + first);
        }
        assert_memory_equal(part_distance, distance, sizeof distance);
        assert_memory_equal(part_nearest, nearest, sizeof nearest);
        assert_memory_equal(part_inside, inside, sizeof inside);
    }
    coast_destroy(shore);
}

static void test_any_hint_gives_the_same(void **state)
{
    (void)state;
    coast *shore = shore_of(1);
    for (int i = 0; i < 200; ++i) {
        double lon = -180 + 1.79 * i, lat = 85 - 0.85 * i;
        int64_t none = -1, far = 37 * i, right;
        coast_point expected, point;
        coast_nearest(shore, lon, lat, &none, &expected);
        right = none;
        coast_nearest(shore, lon, lat, &far, &point);
        assert_memory_equal(&point, &expected, sizeof point);
        assert_int_equal(far, none);
        coast_nearest(shore, lon, lat, &right, &point);
        assert_memory_equal(&point, &expected, sizeof point);
    }
    coast_destroy(shore);
}

static void test_cells_lie_where_they_should(void **state)
{
    (void)state;
    coast *shore = shore_of(360);
    assert_true(fabs(coast_lon(shore, 0) + 179.75) < 1e-12);
    assert_true(fabs(coast_lon(shore, 719) - 179.75) < 1e-12);
    assert_true(fabs(coast_lat(shore, 0) - 89.75) < 1e-12);
    assert_true(fabs(coast_lat(shore, 359) + 89.75) < 1e-12);
    coast_destroy(shore);
}

/* Samples of a grid that is too fine lie in the grid, evenly; a picture of them can be drawn. */
static void test_chart(void **state)
{
    (void)state;
    const int64_t rows[] = {1, 2, 7, 2160, 2161, 18000};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; ++i) {
        chart map;
        assert_int_equal(chart_alloc(&map, rows[i]), WEFT_OK);
        assert_true(map.columns <= CHART_MAX_COLUMNS && map.rows >= 1);
        assert_true(chart_cell(&map, 0) >= 0);
        assert_true(chart_cell(&map, map.rows - 1) < rows[i]);
        assert_true(chart_cell(&map, map.columns - 1) < 2 * rows[i]);
        chart_free(&map);
    }
    if (!data) {
        skip();
    }
    chart map;
    const chart_mark mark = {0, 0};
    assert_int_equal(chart_alloc(&map, 1), WEFT_OK);
    map.height[0] = -2000;
    map.height[1] = -2000;
    picture *image = chart_draw(&map, data, &mark, 1);
    assert_non_null(image);
    assert_int_equal(image->width, 2 * image->height);
    /* A red dot in the middle, blue sea in the Pacific. */
    const uint8_t *dot = &image->rgb[3 * ((size_t)image->height / 2 * (size_t)image->width +
                                          (size_t)image->width / 2)];
    assert_true(dot[0] > 200 && dot[1] < 80);
    const uint8_t *sea = &image->rgb[3 * ((size_t)image->height / 2 * (size_t)image->width + 100)];
    assert_true(sea[2] > sea[0]);
    picture_destroy(image);
    chart_free(&map);
}

static int read_data(void **state)
{
    (void)state;
    char error[GSHHG_ERROR_BYTES];
    geod_init(&earth, GLOBE_RADIUS_M, GLOBE_FLATTENING);
    weft_status status = gshhg_read(WEFT_GSHHG_DIR, "c", &data, error);
    return status == WEFT_OK || status == WEFT_ERR_NOT_FOUND ? 0 : -1;
}

static int free_data(void **state)
{
    (void)state;
    gshhg_free(data);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_distances),
        cmocka_unit_test(test_nothing_is_nearer),
        cmocka_unit_test(test_any_split_gives_the_same),
        cmocka_unit_test(test_any_hint_gives_the_same),
        cmocka_unit_test(test_cells_lie_where_they_should),
        cmocka_unit_test(test_chart),
    };
    return cmocka_run_group_tests(tests, read_data, free_data);
}
