/* SPDX-License-Identifier: BSD-3-Clause */
/* Tests the reading of GSHHG files: what is in them, and that damage is an error and nothing else.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "coast/gshhg.h"

#include <hdf5.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char folder[] = "/tmp/weft-gshhg-XXXXXX";
static char copy[64];

static void check_counts(const char *resolution, int64_t points, int64_t ocean, int32_t minutes)
{
    char error[GSHHG_ERROR_BYTES] = "";
    gshhg *data = NULL;
    weft_status status = gshhg_read(WEFT_GSHHG_DIR, resolution, &data, error);
    if (status == WEFT_ERR_NOT_FOUND) {
        skip();
    }
    assert_int_equal(status, WEFT_OK);
    assert_int_equal(data->point_count, points);
    assert_int_equal(gshhg_level_points(data, GSHHG_OCEAN), ocean);
    assert_int_equal(data->bin_minutes, minutes);
    assert_string_equal(data->version, "2.3.7");
    for (int64_t i = 0; i < points; ++i) {
        assert_in_range(data->x[i], 0, data->columns * 65535);
        assert_in_range(data->y[i], 0, data->rows * 65535);
    }
    gshhg_free(data);
}

static void test_crude(void **state)
{
    (void)state;
    check_counts("c", 14138, 8243, 20 * 60);
}

static void test_low(void **state)
{
    (void)state;
    check_counts("l", 96280, 60247, 10 * 60);
}

static void test_intermediate(void **state)
{
    (void)state;
    check_counts("i", 472443, 354317, 5 * 60);
}

static int compare_ends(const void *p, const void *q)
{
    return memcmp(p, q, 2 * sizeof(int32_t));
}

/* Where one piece of the ocean's shoreline stops, another starts, in exactly the same point. */
static void test_shorelines_are_closed(void **state)
{
    (void)state;
    char error[GSHHG_ERROR_BYTES];
    gshhg *data = NULL;
    if (gshhg_read(WEFT_GSHHG_DIR, "l", &data, error) == WEFT_ERR_NOT_FOUND) {
        skip();
    }
    int32_t(*starts)[2] = calloc((size_t)data->line_count, sizeof *starts);
    int32_t(*stops)[2] = calloc((size_t)data->line_count, sizeof *stops);
    size_t count = 0;
    for (int64_t i = 0; i < data->line_count; ++i) {
        if (data->lines[i].level != GSHHG_OCEAN) {
            continue;
        }
        int32_t first = data->lines[i].first, last = first + data->lines[i].count - 1;
        starts[count][0] = data->x[first] % (data->columns * 65535);
        starts[count][1] = data->y[first];
        stops[count][0] = data->x[last] % (data->columns * 65535);
        stops[count++][1] = data->y[last];
    }
    qsort(starts, count, sizeof *starts, compare_ends);
    qsort(stops, count, sizeof *stops, compare_ends);
    assert_int_equal(count, 6858);
    assert_memory_equal(starts, stops, count * sizeof *starts);
    free(starts);
    free(stops);
    gshhg_free(data);
}

static void test_missing(void **state)
{
    (void)state;
    char error[GSHHG_ERROR_BYTES];
    gshhg *data = NULL;
    const char *packages[][2] = {{"c", "gmt-gshhg-low"},
                                 {"l", "gmt-gshhg-low"},
                                 {"i", "package gmt-gshhg,"},
                                 {"h", "gmt-gshhg-high"},
                                 {"f", "gmt-gshhg-full"}};
    for (int i = 0; i < 5; ++i) {
        assert_int_equal(gshhg_read("missing-folder", packages[i][0], &data, error),
                         WEFT_ERR_NOT_FOUND);
        assert_non_null(strstr(error, "missing-folder/binned_GSHHS_"));
        assert_non_null(strstr(error, packages[i][1]));
        assert_non_null(strstr(error, "--data"));
    }
    assert_null(data);
}

static void test_resolution(void **state)
{
    (void)state;
    char error[GSHHG_ERROR_BYTES];
    gshhg *data = NULL;
    const char *bad[] = {"", "x", "il", "I"};
    for (int i = 0; i < 4; ++i) {
        assert_int_equal(gshhg_read(WEFT_GSHHG_DIR, bad[i], &data, error), WEFT_ERR_USAGE);
        assert_non_null(strstr(error, "--resolution"));
    }
    assert_null(data);
}

/* Copies the crude file, up to some length, to where the damage is to be done. */
static bool make_copy(size_t length)
{
    FILE *from = fopen(WEFT_GSHHG_DIR "/binned_GSHHS_c.nc", "rb");
    if (!from) {
        return false;
    }
    FILE *to = fopen(copy, "wb");
    assert_non_null(to);
    for (int byte; length > 0 && (byte = getc(from)) != EOF; --length) {
        putc(byte, to);
    }
    fclose(from);
    assert_int_equal(fclose(to), 0);
    return true;
}

static void assert_damaged(void)
{
    char error[GSHHG_ERROR_BYTES] = "";
    gshhg *data = NULL;
    assert_int_equal(gshhg_read(folder, "c", &data, error), WEFT_ERR_HDF5);
    assert_null(data);
    assert_non_null(strstr(error, copy));
    assert_non_null(strstr(error, "damaged"));
}

static void test_cut_short(void **state)
{
    (void)state;
    const size_t lengths[] = {0, 1, 100, 5000, 60000, 130000};
    for (size_t i = 0; i < sizeof lengths / sizeof *lengths; ++i) {
        if (!make_copy(lengths[i])) {
            skip();
        }
        assert_damaged();
    }
}

/* Overwrites one number of one dataset. */
static void overwrite(const char *name, size_t index, int32_t value)
{
    hid_t file = H5Fopen(copy, H5F_ACC_RDWR, H5P_DEFAULT);
    hid_t dataset = H5Dopen2(file, name, H5P_DEFAULT);
    hid_t space = H5Dget_space(dataset);
    size_t length = (size_t)H5Sget_simple_extent_npoints(space);
    int32_t *values = malloc(length * sizeof *values);
    assert_true(H5Dread(dataset, H5T_NATIVE_INT32, H5S_ALL, H5S_ALL, H5P_DEFAULT, values) >= 0);
    assert_true(index < length);
    values[index] = value;
    assert_true(H5Dwrite(dataset, H5T_NATIVE_INT32, H5S_ALL, H5S_ALL, H5P_DEFAULT, values) >= 0);
    free(values);
    H5Sclose(space);
    H5Dclose(dataset);
    assert_true(H5Fclose(file) >= 0);
}

static void test_numbers_out_of_range(void **state)
{
    (void)state;
    const struct {
        const char *name;
        size_t index;
        int32_t value;
    } damage[] = {
        {"Id_of_first_point_in_a_segment", 5, -1},
        {"Id_of_first_point_in_a_segment", 5, 14138},
        {"Id_of_first_point_in_a_segment", 5, INT32_MAX},
        {"Embedded_npts_levels_exit_entry_for_a_segment", 7, 14139 << 9},
        {"Embedded_npts_levels_exit_entry_for_a_segment", 7, -1},
        {"Embedded_npts_levels_exit_entry_for_a_segment", 7, 0},
        {"N_segments_in_a_bin", 9, 30000},
        {"N_segments_in_a_bin", 9, -1},
        {"N_bins_in_360_longitude_range", 0, 36},
        {"N_bins_in_180_degree_latitude_range", 0, 0},
        {"Bin_size_in_minutes", 0, 0},
        {"Bin_size_in_minutes", 0, -1200},
        {"Bin_size_in_minutes", 0, 600},
    };
    for (size_t i = 0; i < sizeof damage / sizeof *damage; ++i) {
        if (!make_copy(SIZE_MAX)) {
            skip();
        }
        overwrite(damage[i].name, damage[i].index, damage[i].value);
        assert_damaged();
    }
}

static void test_dataset_missing(void **state)
{
    (void)state;
    if (!make_copy(SIZE_MAX)) {
        skip();
    }
    hid_t file = H5Fopen(copy, H5F_ACC_RDWR, H5P_DEFAULT);
    assert_true(H5Ldelete(file, "Relative_latitude_from_SW_corner_of_bin", H5P_DEFAULT) >= 0);
    H5Fclose(file);
    assert_damaged();
}

static int make_folder(void **state)
{
    (void)state;
    if (!mkdtemp(folder)) {
        return -1;
    }
    snprintf(copy, sizeof copy, "%s/binned_GSHHS_c.nc", folder);
    return 0;
}

static int remove_folder(void **state)
{
    (void)state;
    unlink(copy);
    return rmdir(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_crude),           cmocka_unit_test(test_low),
        cmocka_unit_test(test_intermediate),    cmocka_unit_test(test_shorelines_are_closed),
        cmocka_unit_test(test_missing),         cmocka_unit_test(test_resolution),
        cmocka_unit_test(test_cut_short),       cmocka_unit_test(test_numbers_out_of_range),
        cmocka_unit_test(test_dataset_missing),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
