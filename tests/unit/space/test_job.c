/* SPDX-License-Identifier: BSD-3-Clause */
/* Tests the job: what is refused when it is described, and what is named when two differ. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/terminal.h"
#include "space/job.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static error last;

static job *make_job(const char *name, int64_t rows, int64_t columns)
{
    job *j = NULL;
    assert_int_equal(job_create(name, 2, (int64_t[]){rows, columns}, &j, &last), WEFT_OK);
    return j;
}

static weft_status add_scalar(job *j, const char *name, weft_type type)
{
    return job_add_field(j, name, type, 0, NULL, NULL, NULL, &last);
}

static weft_status add_int64(job *j, const char *name, int64_t value)
{
    job_parameter p = {.type = JOB_INT64, .int64 = value};
    (void)snprintf(p.name, sizeof p.name, "%s", name);
    return job_add_parameter(j, &p, &last);
}

static weft_status add_double(job *j, const char *name, double value)
{
    job_parameter p = {.type = JOB_DOUBLE, .number = value};
    (void)snprintf(p.name, sizeof p.name, "%s", name);
    return job_add_parameter(j, &p, &last);
}

static weft_status add_string(job *j, const char *name, const char *value)
{
    job_parameter p = {.type = JOB_STRING};
    (void)snprintf(p.name, sizeof p.name, "%s", name);
    (void)snprintf(p.text, sizeof p.text, "%s", value);
    return job_add_parameter(j, &p, &last);
}

static const char *const good_names[] = {
    "a", "A-b_c.9", "9", "-", "x23456789012345678901234567890123456789012345678901234567890123"};
static const char *const bad_names[] = {
    "",    ".", ".a", "a b", "a/b",
    "a\n", "ä", "%s", "a:",  "x234567890123456789012345678901234567890123456789012345678901234"};
enum {
    GOOD_NAMES = sizeof good_names / sizeof good_names[0],
    BAD_NAMES = sizeof bad_names / sizeof bad_names[0]
};

static void test_names(void **state)
{
    (void)state;
    for (int i = 0; i < GOOD_NAMES; i++) {
        job *j = make_job(good_names[i], 1, 1);
        assert_string_equal(j->name, good_names[i]);
        assert_int_equal(add_scalar(j, good_names[i], WEFT_INT8), WEFT_OK);
        assert_string_equal(j->field[0].name, good_names[i]);
        assert_int_equal(add_int64(j, good_names[i], 1), WEFT_OK);
        job_destroy(j);
    }
    job *j = make_job("map", 1, 1);
    for (int i = 0; i < BAD_NAMES; i++) {
        job *none = NULL;
        assert_int_equal(job_create(bad_names[i], 1, (int64_t[]){1}, &none, &last), WEFT_ERR_USAGE);
        assert_null(none);
        char shown[512];
        (void)snprintf(shown, sizeof shown, "%s", bad_names[i]);
        terminal_clean(shown);
        assert_non_null(strstr(last.text, shown));
        assert_int_equal(add_scalar(j, bad_names[i], WEFT_INT8), WEFT_ERR_USAGE);
        assert_int_equal(j->fields, 0);
    }
    for (int i = 0; i < BAD_NAMES - 1; i++) {
        assert_int_equal(add_int64(j, bad_names[i], 1), WEFT_ERR_USAGE);
    }
    job *none = NULL;
    assert_int_equal(job_create(NULL, 1, (int64_t[]){1}, &none, &last), WEFT_ERR_USAGE);
    assert_int_equal(add_scalar(j, NULL, WEFT_INT8), WEFT_ERR_USAGE);
    assert_int_equal(j->parameters, 0);
    job_destroy(j);
    job_destroy(NULL);
}

static void test_shapes_of_maps(void **state)
{
    (void)state;
    job *j = NULL;
    const int64_t ones[WEFT_MAX_DIMS + 1] = {1, 1, 1, 1, 1, 1, 1, 1, 1};
    assert_int_equal(job_create("m", 0, ones, &j, &last), WEFT_ERR_USAGE);
    assert_int_equal(job_create("m", -1, ones, &j, &last), WEFT_ERR_USAGE);
    assert_int_equal(job_create("m", WEFT_MAX_DIMS + 1, ones, &j, &last), WEFT_ERR_USAGE);
    assert_int_equal(job_create("m", 1, NULL, &j, &last), WEFT_ERR_USAGE);
    assert_int_equal(job_create("m", 2, (int64_t[]){5, -1}, &j, &last), WEFT_ERR_USAGE);
    assert_non_null(strstr(last.text, "dimension 1 has -1"));
    assert_int_equal(job_create("m", 2, (int64_t[]){INT64_C(1) << 32, INT64_C(1) << 31}, &j, &last),
                     WEFT_ERR_USAGE);
    assert_null(j);
    assert_int_equal(job_create("m", WEFT_MAX_DIMS, ones, &j, &last), WEFT_OK);
    assert_int_equal(j->items.count, 1);
    job_destroy(j);
    j = make_job("m", 0, INT64_MAX);
    assert_int_equal(j->items.count, 0);
    job_destroy(j);
    j = make_job("m", INT64_MAX, 1);
    assert_int_equal(j->items.count, INT64_MAX);
    job_destroy(j);
}

static void test_fields(void **state)
{
    (void)state;
    job *j = make_job("m", 10, 10);
    assert_int_equal(
        job_add_field(j, "a", WEFT_FLOAT64, 2, (int64_t[]){3, 4}, "km", "length", &last), WEFT_OK);
    assert_int_equal(add_scalar(j, "b", WEFT_UINT16), WEFT_OK);
    assert_int_equal(j->field[0].item_bytes, 96);
    assert_string_equal(j->field[0].units, "km");
    assert_string_equal(j->field[0].long_name, "length");
    assert_int_equal(j->field[1].item_bytes, 2);
    assert_string_equal(j->field[1].units, "1");
    assert_string_equal(j->field[1].long_name, "b");
    assert_int_equal(job_field_bytes(j, 0, 7), 672);
    assert_int_equal(add_scalar(j, "a", WEFT_INT8), WEFT_ERR_USAGE);
    assert_non_null(strstr(last.text, "'a' already"));
    assert_int_equal(add_scalar(j, "c", WEFT_TYPE_COUNT), WEFT_ERR_USAGE);
    assert_int_equal(add_scalar(j, "c", (weft_type)-1), WEFT_ERR_USAGE);
    const int64_t ones[WEFT_MAX_DIMS + 1] = {1, 1, 1, 1, 1, 1, 1, 1, 1};
    static const struct {
        int ndims;
        int64_t shape[2];
    } bad[] = {{1, {0, 1}}, {1, {-1, 1}}, {2, {3, 0}}, {-1, {1, 1}}};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        assert_int_equal(
            job_add_field(j, "c", WEFT_INT8, bad[i].ndims, bad[i].shape, NULL, NULL, &last),
            WEFT_ERR_USAGE);
    }
    assert_int_equal(job_add_field(j, "c", WEFT_INT8, WEFT_MAX_DIMS + 1, ones, NULL, NULL, &last),
                     WEFT_ERR_USAGE);
    assert_int_equal(job_add_field(j, "c", WEFT_INT8, 1, NULL, NULL, NULL, &last), WEFT_ERR_USAGE);
    assert_int_equal(j->fields, 2);
    assert_int_equal(job_add_field(j, "c", WEFT_INT8, WEFT_MAX_DIMS, ones, NULL, NULL, &last),
                     WEFT_OK);
    job_destroy(j);
}

static weft_status set_dimension(job *j, int number, const char *name, const char *units,
                                 const double values[])
{
    job_dimension d;
    const weft_status status =
        dimension_init(&d, name, units, j->items.shape[number], values, &last);
    return status == WEFT_OK ? job_set_dimension(j, number, &d, &last) : status;
}

static void test_dimensions(void **state)
{
    (void)state;
    job *j = make_job("m", 3, 2);
    const double lat[] = {60, 0, -60};
    assert_int_equal(add_scalar(j, "a", WEFT_INT8), WEFT_OK);
    static const char *const bad[] = {"", "a b", ".a", "a/b", NULL, "weft", "runs", "a"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        assert_int_equal(set_dimension(j, 0, bad[i], NULL, lat), WEFT_ERR_USAGE);
    }
    assert_non_null(strstr(last.text, "a field 'a' already"));
    char longest[WEFT_NAME_BYTES + 1];
    memset(longest, 'x', sizeof longest);
    longest[WEFT_NAME_BYTES] = '\0';
    assert_int_equal(set_dimension(j, 0, longest, NULL, lat), WEFT_ERR_USAGE);
    const double odd[][3] = {
        {0, (double)NAN, 1}, {(double)INFINITY, 0, 0}, {0, 0, -(double)INFINITY}};
    for (int i = 0; i < 3; i++) {
        assert_int_equal(set_dimension(j, 0, "lat", NULL, odd[i]), WEFT_ERR_USAGE);
        assert_non_null(strstr(last.text, "'lat': coordinate "));
    }
    assert_int_equal(set_dimension(j, 0, "lat", "degrees_north", lat), WEFT_OK);
    assert_int_equal(set_dimension(j, 0, "other", NULL, lat), WEFT_ERR_USAGE);
    assert_non_null(strstr(last.text, "a name already, 'lat'"));
    assert_int_equal(set_dimension(j, 1, "lat", NULL, NULL), WEFT_ERR_USAGE);
    assert_non_null(strstr(last.text, "a dimension 'lat' already"));
    assert_int_equal(add_scalar(j, "lat", WEFT_INT8), WEFT_ERR_USAGE);
    assert_int_equal(set_dimension(j, 1, "step", NULL, NULL), WEFT_OK);
    assert_string_equal(j->dimension[1].units, "1");
    assert_int_equal(job_find_dimension(j, "step"), 1);
    assert_int_equal(job_find_dimension(j, "none"), -1);
    assert_int_equal(job_coordinate_bytes(j, 0), 24);
    assert_int_equal(job_coordinate_bytes(j, 1), 0);
    job_destroy(j);
}

/* A job with a dimension, settled. */
static job *labelled(const char *name, const char *units, const double values[])
{
    job *j = make_job("m", 3, 2);
    assert_int_equal(add_scalar(j, "a", WEFT_INT8), WEFT_OK);
    if (name != NULL) {
        assert_int_equal(set_dimension(j, 0, name, units, values), WEFT_OK);
    }
    assert_int_equal(job_settle(j, 0, 1, &last), WEFT_OK);
    return j;
}

/* Names and coordinates are the job's, units are only told. */
static void test_other_dimensions(void **state)
{
    (void)state;
    const double lat[] = {60, 0, -60};
    const double zero[] = {60, -0.0, -60};
    const double turned[] = {-60, 0, -60};
    static const char *const says[] = {NULL,
                                       "dimension 0 is 'lat' in the file and 'latitude' in this",
                                       "3 coordinates from 60 to -60 (checksum ",
                                       "in the file and 3 coordinates from -60 to -60",
                                       "no coordinates in this run",
                                       "dimension 0 is 'lat' in the file and absent in this run"};
    job *other[] = {labelled("lat", "K", lat),  labelled("latitude", "m", lat),
                    labelled("lat", "m", zero), labelled("lat", "m", turned),
                    labelled("lat", "m", NULL), labelled(NULL, NULL, NULL)};
    job *j = labelled("lat", "m", lat);
    for (size_t i = 0; i < sizeof other / sizeof other[0]; i++) {
        assert_int_equal(job_compare(other[i], j, "f.h5", &last),
                         i == 0 ? WEFT_OK : WEFT_ERR_OTHER_JOB);
        if (i > 0 && strstr(last.text, says[i]) == NULL) {
            fail_msg("%s", last.text);
        }
        job_destroy(other[i]);
    }
    job_destroy(j);
}

/* Piece by piece, as in one. */
static void test_sums_of_coordinates(void **state)
{
    (void)state;
    double values[100];
    for (int i = 0; i < 100; i++) {
        values[i] = 0.1 * i;
    }
    const uint64_t whole = dimension_sum(0, values, 100);
    for (int i = 1; i < 100; i++) {
        assert_true(dimension_sum(dimension_sum(0, values, i), values + i, 100 - i) == whole);
        values[i] = -values[i];
        values[99 - i] = -values[99 - i];
        assert_true(i == 0 || dimension_sum(0, values, 100) != whole);
        values[i] = -values[i];
        values[99 - i] = -values[99 - i];
    }
}

static void test_too_many(void **state)
{
    (void)state;
    job *j = make_job("m", 1, 1);
    char name[WEFT_NAME_BYTES];
    for (int i = 0; i < WEFT_MAX_FIELDS; i++) {
        (void)snprintf(name, sizeof name, "f%d", i);
        assert_int_equal(add_scalar(j, name, WEFT_INT8), WEFT_OK);
    }
    assert_int_equal(add_scalar(j, "one-more", WEFT_INT8), WEFT_ERR_USAGE);
    for (int i = 0; i < WEFT_MAX_PARAMETERS; i++) {
        (void)snprintf(name, sizeof name, "p%d", i);
        assert_int_equal(add_int64(j, name, i), WEFT_OK);
    }
    assert_int_equal(add_int64(j, "one-more", 1), WEFT_ERR_USAGE);
    job_destroy(j);
}

static void test_parameters(void **state)
{
    (void)state;
    job *j = make_job("m", 1, 1);
    assert_int_equal(add_int64(j, "a", 1), WEFT_OK);
    assert_int_equal(add_double(j, "a", 1), WEFT_ERR_USAGE);
    assert_non_null(strstr(last.text, "'a' already"));
    static const char *const reserved[] = {"count", "shape", "grain", "seed"};
    for (int i = 0; i < 4; i++) {
        assert_int_equal(add_int64(j, reserved[i], 1), WEFT_ERR_USAGE);
    }
    assert_int_equal(add_int64(j, "counts", 1), WEFT_OK);
    assert_int_equal(j->parameters, 2);
    job_destroy(j);
}

static void test_sizes_that_overflow(void **state)
{
    (void)state;
    job *j = make_job("m", INT64_C(1) << 40, 1);
    assert_int_equal(
        job_add_field(j, "a", WEFT_FLOAT64, 1, (int64_t[]){INT64_C(1) << 20}, NULL, NULL, &last),
        WEFT_ERR_USAGE);
    assert_int_equal(job_add_field(j, "a", WEFT_FLOAT64, 2,
                                   (int64_t[]){INT64_C(1) << 40, INT64_C(1) << 40}, NULL, NULL,
                                   &last),
                     WEFT_ERR_USAGE);
    assert_int_equal(
        job_add_field(j, "a", WEFT_FLOAT64, 1, (int64_t[]){INT64_C(1) << 19}, NULL, NULL, &last),
        WEFT_OK);
    assert_int_equal(
        job_add_field(j, "b", WEFT_FLOAT64, 1, (int64_t[]){INT64_C(1) << 19}, NULL, NULL, &last),
        WEFT_OK);
    assert_int_equal(job_settle(j, 0, 0, &last), WEFT_ERR_USAGE);
    assert_non_null(strstr(last.text, "larger than a file"));
    job_destroy(j);
    j = make_job("m", INT64_C(1) << 60, 1);
    assert_int_equal(add_scalar(j, "a", WEFT_INT8), WEFT_OK);
    assert_int_equal(job_settle(j, 0, 0, &last), WEFT_OK);
    assert_int_equal(job_settle(j, 0, 1, &last), WEFT_ERR_USAGE);
    assert_non_null(strstr(last.text, "a larger --grain"));
    job_destroy(j);
    j = make_job("m", 0, 1);
    assert_int_equal(job_add_field(j, "a", WEFT_INT8, 1, (int64_t[]){INT64_MAX}, NULL, NULL, &last),
                     WEFT_OK);
    assert_int_equal(
        job_add_field(j, "b", WEFT_INT16, 1, (int64_t[]){INT64_MAX}, NULL, NULL, &last),
        WEFT_ERR_USAGE);
    job_destroy(j);
}

static void test_fill(void **state)
{
    (void)state;
    job *j = make_job("m", 1, 1);
    assert_int_equal(add_scalar(j, "a", WEFT_INT16), WEFT_OK);
    assert_int_equal(add_scalar(j, "b", WEFT_LONG_DOUBLE), WEFT_OK);
    const int16_t value = 1234;
    int16_t stored = 0;
    memcpy(&stored, j->field[0].fill, sizeof stored);
    assert_int_equal(stored, INT16_MIN);
    assert_int_equal(job_set_fill(j, "a", &value, &last), WEFT_OK);
    memcpy(&stored, j->field[0].fill, sizeof stored);
    assert_int_equal(stored, 1234);
    assert_int_equal(job_set_fill(j, "c", &value, &last), WEFT_ERR_USAGE);
    assert_non_null(strstr(last.text, "'c'"));
    assert_int_equal(job_set_fill(j, NULL, &value, &last), WEFT_ERR_USAGE);
    assert_int_equal(job_set_fill(j, "a", NULL, &last), WEFT_ERR_USAGE);
    assert_non_null(strstr(last.text, "none for field 'a'"));
    unsigned char noisy[sizeof(long double)];
    memset(noisy, 0xA5, sizeof noisy);
    assert_int_equal(job_set_fill(j, "b", noisy, &last), WEFT_OK);
    for (size_t i = sizeof noisy - type_padding(WEFT_LONG_DOUBLE); i < TYPE_MAX_BYTES; i++) {
        assert_int_equal(j->field[1].fill[i], 0);
    }
    job_destroy(j);
}

static void test_settle(void **state)
{
    (void)state;
    job *j = make_job("m", 10, 10);
    assert_int_equal(job_settle(j, 1, 7, &last), WEFT_ERR_USAGE);
    assert_non_null(strstr(last.text, "no field"));
    assert_int_equal(add_scalar(j, "a", WEFT_INT16), WEFT_OK);
    assert_int_equal(add_scalar(j, "b", WEFT_FLOAT64), WEFT_OK);
    assert_int_equal(job_settle(j, 42, 7, &last), WEFT_OK);
    assert_int_equal(j->seed, 42);
    assert_int_equal(j->item_bytes, 10);
    assert_int_equal(j->tiles.grain, 7);
    assert_int_equal(j->tiles.tiles, 15);
    assert_int_equal(job_settle(j, 42, 0, &last), WEFT_OK);
    assert_int_equal(j->item_bytes, 10);
    assert_int_equal(j->tiles.grain, tiling_auto_grain(100, 2, (int64_t[]){2, 8}, 0));
    job_destroy(j);
}

/* Whatever grain is asked for, the sizes that follow from it fit. */
static void test_huge_grains(void **state)
{
    (void)state;
    static const int64_t grains[] = {INT64_MAX, INT64_C(1) << 61, INT64_C(1) << 60,
                                     INT64_C(4000000000000000000), 1000000000};
    for (size_t i = 0; i < sizeof grains / sizeof grains[0]; i++) {
        for (int64_t count = 0; count < 3; count++) {
            job *j = make_job("m", count, 1);
            assert_int_equal(add_scalar(j, "a", WEFT_FLOAT64), WEFT_OK);
            if (job_settle(j, 0, grains[i], &last) == WEFT_OK) {
                assert_true(j->tiles.grain <= INT64_MAX / j->item_bytes);
            } else {
                assert_int_equal(last.status, WEFT_ERR_USAGE);
            }
            job_destroy(j);
        }
    }
}

typedef enum change {
    CHANGE_NOTHING,
    CHANGE_UNITS,
    CHANGE_NAME,
    CHANGE_SHAPE,
    CHANGE_SHAPE_SAME_COUNT,
    CHANGE_INT64,
    CHANGE_DOUBLE,
    CHANGE_STRING,
    CHANGE_PARAMETER_TYPE,
    CHANGE_PARAMETER_MISSING,
    CHANGE_PARAMETER_ADDED,
    CHANGE_FIELD_TYPE,
    CHANGE_FIELD_SHAPE,
    CHANGE_FIELD_NAME,
    CHANGE_FIELD_ORDER,
    CHANGE_FIELD_ADDED,
    CHANGE_FILL,
    CHANGE_SEED,
    CHANGE_GRAIN,
    CHANGES
} change;

/* A job that differs from the plain one in one thing. */
static job *make_changed(change what)
{
    job *j = what == CHANGE_SHAPE              ? make_job("plain", 6, 8)
             : what == CHANGE_SHAPE_SAME_COUNT ? make_job("plain", 7, 6)
             : what == CHANGE_NAME             ? make_job("fancy", 6, 7)
                                               : make_job("plain", 6, 7);
    const char *units = what == CHANGE_UNITS ? "m" : "km";
    const int64_t extent = what == CHANGE_FIELD_SHAPE ? 4 : 3;
    assert_int_equal(what == CHANGE_PARAMETER_TYPE
                         ? add_double(j, "steps", 5)
                         : add_int64(j, "steps", what == CHANGE_INT64 ? 6 : 5),
                     WEFT_OK);
    assert_int_equal(add_double(j, "width", what == CHANGE_DOUBLE ? -0.0 : 0.0), WEFT_OK);
    if (what != CHANGE_PARAMETER_MISSING) {
        assert_int_equal(add_string(j, "source", what == CHANGE_STRING ? "b" : "a"), WEFT_OK);
    }
    if (what == CHANGE_PARAMETER_ADDED) {
        assert_int_equal(add_int64(j, "extra", 99), WEFT_OK);
    }
    if (what == CHANGE_FIELD_ORDER) {
        assert_int_equal(add_scalar(j, "second", WEFT_INT32), WEFT_OK);
    }
    assert_int_equal(job_add_field(j, what == CHANGE_FIELD_NAME ? "premier" : "first", WEFT_FLOAT64,
                                   1, &extent, units, NULL, &last),
                     WEFT_OK);
    if (what != CHANGE_FIELD_ORDER) {
        assert_int_equal(
            add_scalar(j, "second", what == CHANGE_FIELD_TYPE ? WEFT_UINT32 : WEFT_INT32), WEFT_OK);
    }
    if (what == CHANGE_FIELD_ADDED) {
        assert_int_equal(add_scalar(j, "third", WEFT_INT8), WEFT_OK);
    }
    const int32_t fill = -1;
    if (what == CHANGE_FILL) {
        assert_int_equal(job_set_fill(j, "second", &fill, &last), WEFT_OK);
    }
    assert_int_equal(
        job_settle(j, what == CHANGE_SEED ? 12 : 11, what == CHANGE_GRAIN ? 4 : 5, &last), WEFT_OK);
    return j;
}

/* What the error must hold when the file has the change, and when this run has it. */
static const char *const wanted[CHANGES][4] = {
    [CHANGE_NAME] = {"the map", "fancy", "plain"},
    [CHANGE_SHAPE] = {"the shape", "(6, 8)", "(6, 7)"},
    [CHANGE_SHAPE_SAME_COUNT] = {"the shape", "(7, 6)", "(6, 7)"},
    [CHANGE_INT64] = {"parameter 'steps'", "6", "5"},
    [CHANGE_DOUBLE] = {"parameter 'width'", "-0.0", "0.0"},
    [CHANGE_STRING] = {"parameter 'source'", "'b'", "'a'"},
    [CHANGE_PARAMETER_TYPE] = {"parameter 'steps'", "5.0", "5"},
    [CHANGE_PARAMETER_MISSING] = {"parameter 'source'", "absent", "'a'"},
    [CHANGE_PARAMETER_ADDED] = {"parameter 'extra'", "99", "absent"},
    [CHANGE_FIELD_TYPE] = {"field 'second'", "uint32", "int32"},
    [CHANGE_FIELD_SHAPE] = {"field 'first'", "float64 (4)", "float64 (3)"},
    [CHANGE_FIELD_NAME] = {"field '", "float64 (3)", "absent"},
    [CHANGE_FIELD_ORDER] = {"the place of field", "0", "1"},
    [CHANGE_FIELD_ADDED] = {"field 'third'", "int8", "absent"},
    [CHANGE_FILL] = {"the fill value of field 'second'", "bytes ff ff ff ff", "bytes 00 00 00 80"},
    [CHANGE_SEED] = {"the seed", "12", "11"},
    [CHANGE_GRAIN] = {"the grain", "4", "5"},
};

static void test_compare_names_what_differs(void **state)
{
    (void)state;
    job *plain = make_changed(CHANGE_NOTHING);
    for (int what = CHANGE_NOTHING; what < (int)CHANGES; what++) {
        job *other = make_changed((change)what);
        error e = {.status = WEFT_OK};
        const weft_status status = job_compare(plain, other, "a.h5", &e);
        if (wanted[what][0] == NULL) {
            assert_int_equal(status, WEFT_OK);
        } else {
            char text[256];
            (void)snprintf(text, sizeof text, " is %s in the file and %s in this run",
                           wanted[what][1], wanted[what][2]);
            assert_int_equal(status, WEFT_ERR_OTHER_JOB);
            assert_non_null(strstr(e.text, "a.h5"));
            assert_non_null(strstr(e.text, wanted[what][0]));
            assert_non_null(strstr(e.text, text));
            assert_int_equal(job_compare(other, plain, "a.h5", &e), WEFT_ERR_OTHER_JOB);
            assert_non_null(strstr(e.text, wanted[what][0]));
        }
        assert_int_equal(job_compare(other, other, "a.h5", &e), WEFT_OK);
        job_destroy(other);
    }
    job_destroy(plain);
}

/* A NaN is the same parameter as itself. */
static void test_numbers_are_compared_bit_by_bit(void **state)
{
    (void)state;
    error e = {.status = WEFT_OK};
    job *pair[2];
    for (int i = 0; i < 2; i++) {
        pair[i] = make_job("m", 1, 1);
        assert_int_equal(add_scalar(pair[i], "a", WEFT_INT8), WEFT_OK);
        assert_int_equal(add_double(pair[i], "x", strtod("nan", NULL)), WEFT_OK);
        assert_int_equal(job_settle(pair[i], 0, 1, &last), WEFT_OK);
    }
    assert_int_equal(job_compare(pair[0], pair[1], "a.h5", &e), WEFT_OK);
    ((unsigned char *)&pair[1]->parameter[0].number)[0] ^= 1;
    assert_true(pair[1]->parameter[0].number != pair[1]->parameter[0].number);
    assert_int_equal(job_compare(pair[0], pair[1], "a.h5", &e), WEFT_ERR_OTHER_JOB);
    assert_non_null(strstr(e.text, "parameter 'x'"));
    job_destroy(pair[0]);
    job_destroy(pair[1]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_names),
        cmocka_unit_test(test_shapes_of_maps),
        cmocka_unit_test(test_fields),
        cmocka_unit_test(test_dimensions),
        cmocka_unit_test(test_other_dimensions),
        cmocka_unit_test(test_sums_of_coordinates),
        cmocka_unit_test(test_too_many),
        cmocka_unit_test(test_parameters),
        cmocka_unit_test(test_sizes_that_overflow),
        cmocka_unit_test(test_fill),
        cmocka_unit_test(test_settle),
        cmocka_unit_test(test_huge_grains),
        cmocka_unit_test(test_compare_names_what_differs),
        cmocka_unit_test(test_numbers_are_compared_bit_by_bit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
