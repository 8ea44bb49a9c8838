/* SPDX-License-Identifier: BSD-3-Clause */
/** @file
 * A span's results by the names and the types of their fields, checked at every call.
 *
 * @code
 * double *area = weft_span_double(span, "area");
 * @endcode
 */
#ifndef WEFT_SPAN_H
#define WEFT_SPAN_H

#include <stdint.h>
#include <weft/macros.h>
#include <weft/map.h>

WEFT_BEGIN_DECLS

/**
 * Where the kernel writes a field's results, by the field's name: as weft_span_result(), and a name
 * or a type that is not the field's ends the run with an error in the same way.
 *
 * @local The worker that the kernel runs on.
 * @param span  the kernel's span
 * @param field the field's name
 * @param type  the type that the kernel takes its elements to have
 * @return weft_span_count() · (elements per item) elements of that type, contiguous; never NULL
 */
WEFT_API void *weft_span_field(const weft_span *span, const char *field, weft_type type);

/**
 * As weft_span_field(), for a field of WEFT_FLOAT64.
 *
 * @local The worker that the kernel runs on.
 * @param span  the kernel's span
 * @param field the field's name
 * @return its elements
 */
static inline double *weft_span_double(const weft_span *span, const char *field)
{
    return (double *)weft_span_field(span, field, WEFT_FLOAT64);
}

/**
 * As weft_span_double(), for a field of WEFT_INT8.
 *
 * @local The worker that the kernel runs on.
 * @param span  the kernel's span
 * @param field the field's name
 * @return its elements
 */
static inline int8_t *weft_span_int8(const weft_span *span, const char *field)
{
    return (int8_t *)weft_span_field(span, field, WEFT_INT8);
}

/**
 * As weft_span_double(), for a field of WEFT_INT16.
 *
 * @local The worker that the kernel runs on.
 * @param span  the kernel's span
 * @param field the field's name
 * @return its elements
 */
static inline int16_t *weft_span_int16(const weft_span *span, const char *field)
{
    return (int16_t *)weft_span_field(span, field, WEFT_INT16);
}

/**
 * As weft_span_double(), for a field of WEFT_INT32.
 *
 * @local The worker that the kernel runs on.
 * @param span  the kernel's span
 * @param field the field's name
 * @return its elements
 */
static inline int32_t *weft_span_int32(const weft_span *span, const char *field)
{
    return (int32_t *)weft_span_field(span, field, WEFT_INT32);
}

/**
 * As weft_span_double(), for a field of WEFT_INT64.
 *
 * @local The worker that the kernel runs on.
 * @param span  the kernel's span
 * @param field the field's name
 * @return its elements
 */
static inline int64_t *weft_span_int64(const weft_span *span, const char *field)
{
    return (int64_t *)weft_span_field(span, field, WEFT_INT64);
}

/**
 * As weft_span_double(), for a field of WEFT_UINT8.
 *
 * @local The worker that the kernel runs on.
 * @param span  the kernel's span
 * @param field the field's name
 * @return its elements
 */
static inline uint8_t *weft_span_uint8(const weft_span *span, const char *field)
{
    return (uint8_t *)weft_span_field(span, field, WEFT_UINT8);
}

/**
 * As weft_span_double(), for a field of WEFT_UINT16.
 *
 * @local The worker that the kernel runs on.
 * @param span  the kernel's span
 * @param field the field's name
 * @return its elements
 */
static inline uint16_t *weft_span_uint16(const weft_span *span, const char *field)
{
    return (uint16_t *)weft_span_field(span, field, WEFT_UINT16);
}

/**
 * As weft_span_double(), for a field of WEFT_UINT32.
 *
 * @local The worker that the kernel runs on.
 * @param span  the kernel's span
 * @param field the field's name
 * @return its elements
 */
static inline uint32_t *weft_span_uint32(const weft_span *span, const char *field)
{
    return (uint32_t *)weft_span_field(span, field, WEFT_UINT32);
}

/**
 * As weft_span_double(), for a field of WEFT_UINT64.
 *
 * @local The worker that the kernel runs on.
 * @param span  the kernel's span
 * @param field the field's name
 * @return its elements
 */
static inline uint64_t *weft_span_uint64(const weft_span *span, const char *field)
{
    return (uint64_t *)weft_span_field(span, field, WEFT_UINT64);
}

/**
 * As weft_span_double(), for a field of WEFT_FLOAT32.
 *
 * @local The worker that the kernel runs on.
 * @param span  the kernel's span
 * @param field the field's name
 * @return its elements
 */
static inline float *weft_span_float(const weft_span *span, const char *field)
{
    return (float *)weft_span_field(span, field, WEFT_FLOAT32);
}

/**
 * As weft_span_double(), for a field of WEFT_LONG_DOUBLE.
 *
 * @local The worker that the kernel runs on.
 * @param span  the kernel's span
 * @param field the field's name
 * @return its elements
 */
static inline long double *weft_span_long_double(const weft_span *span, const char *field)
{
    return (long double *)weft_span_field(span, field, WEFT_LONG_DOUBLE);
}

WEFT_END_DECLS

#endif
