/* SPDX-License-Identifier: BSD-3-Clause */
/* The types of a field's elements: sizes and default fill values. */
#include "space/type.h"

#include <float.h>
#include <math.h>
#include <string.h>

_Static_assert(sizeof(long double) <= TYPE_MAX_BYTES, "room for every element");

size_t weft_type_bytes(weft_type type)
{
    static const size_t bytes[] = {
#define TYPE_BYTES(name, ctype, text) sizeof(ctype),
        WEFT_TYPE_MAP(TYPE_BYTES)
#undef TYPE_BYTES
    };
    return (unsigned)type < WEFT_TYPE_COUNT ? bytes[type] : 0;
}

const char *weft_type_name(weft_type type)
{
    static const char *const names[] = {
#define TYPE_NAME(name, ctype, text) text,
        WEFT_TYPE_MAP(TYPE_NAME)
#undef TYPE_NAME
    };
    return (unsigned)type < WEFT_TYPE_COUNT ? names[type] : "no type";
}

size_t type_padding(weft_type type)
{
    /* x87's 80 bits are ten bytes; the other formats of long double have no holes. */
    return type == WEFT_LONG_DOUBLE && LDBL_MANT_DIG == 64 ? sizeof(long double) - 10 : 0;
}

void type_default_fill(weft_type type, unsigned char fill[TYPE_MAX_BYTES])
{
    const union {
        int8_t i8;
        int16_t i16;
        int32_t i32;
        int64_t i64;
    } lowest[] = {{.i8 = INT8_MIN}, {.i16 = INT16_MIN}, {.i32 = INT32_MIN}, {.i64 = INT64_MIN}};
    const float nan32 = NAN;
    const double nan64 = (double)NAN;
    const long double nan_long = (long double)NAN;
    memset(fill, 0, TYPE_MAX_BYTES);
    switch (type) {
    case WEFT_INT8:
    case WEFT_INT16:
    case WEFT_INT32:
    case WEFT_INT64:
        memcpy(fill, &lowest[type - WEFT_INT8], weft_type_bytes(type));
        break;
    case WEFT_FLOAT32:
        memcpy(fill, &nan32, sizeof nan32);
        break;
    case WEFT_FLOAT64:
        memcpy(fill, &nan64, sizeof nan64);
        break;
    case WEFT_LONG_DOUBLE:
        memcpy(fill, &nan_long, sizeof nan_long - type_padding(type));
        break;
    case WEFT_UINT8:
    case WEFT_UINT16:
    case WEFT_UINT32:
    case WEFT_UINT64:
    case WEFT_TYPE_COUNT:
        break;
    }
}
