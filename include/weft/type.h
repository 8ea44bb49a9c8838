/* SPDX-License-Identifier: BSD-3-Clause */
/** @file
 * The types of elements, and how many of what a result and a map can have.
 */
#ifndef WEFT_TYPE_H
#define WEFT_TYPE_H

#include <stddef.h>
#include <stdint.h>
#include <weft/macros.h>

WEFT_BEGIN_DECLS

/** The largest number of dimensions of a map, and of a field's value at one item. */
#define WEFT_MAX_DIMS 8

/** The largest number of maps in a result. */
#define WEFT_MAX_MAPS 128

/** The largest number of fields and reductions of a map together. */
#define WEFT_MAX_FIELDS 64

/** The largest number of parameters of a map. */
#define WEFT_MAX_PARAMETERS 256

/** The length of a name with its final zero: of a map, a field, a parameter. */
#define WEFT_NAME_BYTES 64

/** Every type of a field's elements: X(enumerator, C type, name). */
#define WEFT_TYPE_MAP(X)               \
    X(WEFT_INT8, int8_t, "int8")       \
    X(WEFT_INT16, int16_t, "int16")    \
    X(WEFT_INT32, int32_t, "int32")    \
    X(WEFT_INT64, int64_t, "int64")    \
    X(WEFT_UINT8, uint8_t, "uint8")    \
    X(WEFT_UINT16, uint16_t, "uint16") \
    X(WEFT_UINT32, uint32_t, "uint32") \
    X(WEFT_UINT64, uint64_t, "uint64") \
    X(WEFT_FLOAT32, float, "float32")  \
    X(WEFT_FLOAT64, double, "float64") \
    X(WEFT_LONG_DOUBLE, long double, "long double")

/** The type of a field's elements. */
typedef enum weft_type {
#define WEFT_TYPE_ENUM(name, ctype, text) name,
    WEFT_TYPE_MAP(WEFT_TYPE_ENUM)
#undef WEFT_TYPE_ENUM
        WEFT_TYPE_COUNT /**< how many types there are */
} weft_type;

/**
 * The size of one element of a type.
 *
 * @local Any thread.
 * @param type the type
 * @return its size in bytes; 0 for what is not a type
 */
WEFT_API size_t weft_type_bytes(weft_type type);

/**
 * The name of a type, such as "float64".
 *
 * @local Any thread.
 * @param type the type
 * @return a static string, never NULL
 */
WEFT_API const char *weft_type_name(weft_type type);

WEFT_END_DECLS

#endif
