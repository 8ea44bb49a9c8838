/* SPDX-License-Identifier: BSD-3-Clause */
/* Tests the types of a field's elements: sizes, names, padding, and default fill values. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "space/type.h"

#include <math.h>
#include <string.h>

static void test_sizes_and_names(void **state)
{
    (void)state;
    static const struct {
        weft_type type;
        size_t bytes;
        const char *name;
    } cases[] = {
        {WEFT_INT8, 1, "int8"},
        {WEFT_INT16, 2, "int16"},
        {WEFT_INT32, 4, "int32"},
        {WEFT_INT64, 8, "int64"},
        {WEFT_UINT8, 1, "uint8"},
        {WEFT_UINT16, 2, "uint16"},
        {WEFT_UINT32, 4, "uint32"},
        {WEFT_UINT64, 8, "uint64"},
        {WEFT_FLOAT32, 4, "float32"},
        {WEFT_FLOAT64, 8, "float64"},
        {WEFT_LONG_DOUBLE, sizeof(long double), "long double"},
    };
    assert_int_equal(sizeof cases / sizeof cases[0], WEFT_TYPE_COUNT);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        assert_int_equal(weft_type_bytes(cases[i].type), cases[i].bytes);
        assert_string_equal(weft_type_name(cases[i].type), cases[i].name);
    }
}

static void test_what_is_not_a_type(void **state)
{
    (void)state;
    static const int values[] = {WEFT_TYPE_COUNT, WEFT_TYPE_COUNT + 1, -1, INT32_MAX, INT32_MIN};
    for (size_t i = 0; i < sizeof values / sizeof values[0]; i++) {
        assert_int_equal(weft_type_bytes((weft_type)values[i]), 0);
        assert_string_equal(weft_type_name((weft_type)values[i]), "no type");
    }
}

/* The bytes that a value does not write are the padding: no more, no less. */
static void test_padding(void **state)
{
    (void)state;
    for (int type = 0; type < (int)WEFT_LONG_DOUBLE; type++) {
        assert_int_equal(type_padding((weft_type)type), 0);
    }
    const long double samples[] = {1.0L, -1.0L / 3.0L, 1e4000L, 1e-4000L};
    const size_t used = sizeof(long double) - type_padding(WEFT_LONG_DOUBLE);
    for (size_t i = 0; i < sizeof samples / sizeof samples[0]; i++) {
        unsigned char bytes[sizeof(long double)];
        long double back = 0;
        memcpy(bytes, &samples[i], used);
        memset(bytes + used, 0xA5, sizeof bytes - used);
        memcpy(&back, bytes, sizeof back);
        assert_true(back == samples[i]);
        memset(bytes + used, 0, sizeof bytes - used);
        bytes[used - 1] ^= 0x80; /* the sign, on every machine that this is for */
        memcpy(&back, bytes, sizeof back);
        assert_false(back == samples[i]);
    }
}

#define CHECK_LOWEST(type, ctype, lowest)            \
    do {                                             \
        unsigned char fill[TYPE_MAX_BYTES];          \
        ctype value;                                 \
        memset(fill, 0xEE, sizeof fill);             \
        type_default_fill(type, fill);               \
        memcpy(&value, fill, sizeof value);          \
        assert_true(value == (lowest));              \
        for (size_t i = sizeof value; i < 16; i++) { \
            assert_int_equal(fill[i], 0);            \
        }                                            \
    } while (0)

static void test_fill_of_integers_is_the_lowest(void **state)
{
    (void)state;
    CHECK_LOWEST(WEFT_INT8, int8_t, INT8_MIN);
    CHECK_LOWEST(WEFT_INT16, int16_t, INT16_MIN);
    CHECK_LOWEST(WEFT_INT32, int32_t, INT32_MIN);
    CHECK_LOWEST(WEFT_INT64, int64_t, INT64_MIN);
    CHECK_LOWEST(WEFT_UINT8, uint8_t, 0);
    CHECK_LOWEST(WEFT_UINT16, uint16_t, 0);
    CHECK_LOWEST(WEFT_UINT32, uint32_t, 0);
    CHECK_LOWEST(WEFT_UINT64, uint64_t, 0);
}

static void test_fill_of_numbers_is_nan(void **state)
{
    (void)state;
    unsigned char fill[TYPE_MAX_BYTES];
    float single = 0;
    double twice = 0;
    long double more = 0;
    type_default_fill(WEFT_FLOAT32, fill);
    memcpy(&single, fill, sizeof single);
    assert_true(isnan(single));
    type_default_fill(WEFT_FLOAT64, fill);
    memcpy(&twice, fill, sizeof twice);
    assert_true(isnan(twice));
    memset(fill, 0xEE, sizeof fill);
    type_default_fill(WEFT_LONG_DOUBLE, fill);
    memcpy(&more, fill, sizeof more);
    assert_true(isnan(more));
    for (size_t i = sizeof more - type_padding(WEFT_LONG_DOUBLE); i < sizeof fill; i++) {
        assert_int_equal(fill[i], 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sizes_and_names),
        cmocka_unit_test(test_what_is_not_a_type),
        cmocka_unit_test(test_padding),
        cmocka_unit_test(test_fill_of_integers_is_the_lowest),
        cmocka_unit_test(test_fill_of_numbers_is_nan),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
