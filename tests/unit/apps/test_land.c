/* SPDX-License-Identifier: BSD-3-Clause */
/* Tests what is land and what is sea, at places that everyone knows. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "coast/gshhg.h"
#include "coast/land.h"

#include <math.h>
#include <stdio.h>

static const int64_t columns = 3600;

static gshhg *data;
static land *inside;

/* Whether a place is land, on the column of cells it lies in: at most 0.05° aside. */
static bool land_near(double lon, double lat)
{
    return land_at(inside, (int64_t)floor((lon + 180) / 360 * (double)columns), lat);
}

static void test_places(void **state)
{
    (void)state;
    if (!inside) {
        skip();
    }
    const struct {
        const char *name;
        double lon, lat;
        bool land;
    } places[] = {
        {"Paris", 2.35, 48.85, true},
        {"Moscow", 37.62, 55.75, true},
        {"Chicago", -87.85, 41.85, true},
        {"Alice Springs", 133.88, -23.7, true},
        {"Brasilia", -47.9, -15.8, true},
        {"Nairobi", 36.8, -1.3, true},
        {"South Pole", 0.0, -89.999, true},
        {"South Pole from the other side", 179.9, -89.999, true},
        {"Vostok", 106.8, -78.5, true},
        {"middle of Greenland", -40, 72, true},
        {"Big Island of Hawaii", -155.5, 19.6, true},
        {"Chukotka, east of 180", -175, 67, true},
        {"Chukotka, west of 180", 178, 67, true},
        {"England, on the zero meridian", 0.02, 51.8, true},
        {"Caspian Sea, a lake", 51, 41, true},
        {"Lake Superior", -87.5, 47.7, true},
        {"North Pole", 0, 89.999, false},
        {"Pacific", -160, 0, false},
        {"Atlantic", -35, 25, false},
        {"Indian Ocean", 80, -30, false},
        {"Mediterranean", 18, 35, false},
        {"Black Sea", 34, 43, false},
        {"Baltic", 20, 58, false},
        {"Hudson Bay", -85, 60, false},
        {"Weddell Sea", -40, -70, false},
        {"Point Nemo", -123.393, -48.875, false},
    };
    for (size_t i = 0; i < sizeof places / sizeof *places; ++i) {
        if (land_near(places[i].lon, places[i].lat) != places[i].land) {
            fail_msg("%s should be %s", places[i].name, places[i].land ? "land" : "sea");
        }
    }
}

static double land_share(int64_t count, int64_t rows)
{
    land *l = NULL;
    assert_int_equal(land_create(data, count, &l), WEFT_OK);
    double land_area = 0, area = 0;
    for (int64_t row = 0; row < rows; ++row) {
        double lat = 90 - ((double)row + 0.5) * 180 / (double)rows;
        double weight = cos(lat * 0.017453292519943295);
        for (int64_t column = 0; column < count; ++column) {
            land_area += land_at(l, column, lat) ? weight : 0;
        }
        area += weight * (double)count;
    }
    land_destroy(l);
    return land_area / area;
}

/* The second grid has columns exactly on the borders of the data's bins. */
static void test_share_of_the_globe(void **state)
{
    (void)state;
    if (!inside) {
        skip();
    }
    assert_true(fabs(land_share(720, 360) - 0.292) < 0.002);
    assert_true(fabs(land_share(900, 450) - 0.292) < 0.002);
    assert_true(fabs(land_share(2, 360) - 0.292) < 0.2);
}

static int read_data(void **state)
{
    (void)state;
    char error[GSHHG_ERROR_BYTES];
    weft_status status = gshhg_read(WEFT_GSHHG_DIR, "l", &data, error);
    if (status == WEFT_ERR_NOT_FOUND) {
        return 0;
    }
    if (status != WEFT_OK) {
        return -1;
    }
    return land_create(data, columns, &inside) == WEFT_OK ? 0 : -1;
}

static int free_data(void **state)
{
    (void)state;
    land_destroy(inside);
    gshhg_free(data);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_places),
        cmocka_unit_test(test_share_of_the_globe),
    };
    return cmocka_run_group_tests(tests, read_data, free_data);
}
