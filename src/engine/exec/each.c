/* SPDX-License-Identifier: BSD-3-Clause */
/* A kernel that calls a function for each item, and puts away the value that it returns. */
#include "engine/exec/each.h"

#include "engine/exec/span.h"
#include "reduce/reduction.h"

#include <math.h>
#include <string.h>
#include <weft/random.h>

/* Values that are put away at once. */
enum { PIECE = 256 };

weft_status each_check(const job *j, error *e)
{
    weft_status status = WEFT_OK;
    bool fits = j->fields == 0 || (j->fields == 1 && j->field[0].shape.count == 1);
    for (int i = 0; i < j->reductions && status == WEFT_OK; i++) {
        const job_reduction *r = &j->reduction[i];
        fits = fits && (r->field >= 0) == (j->fields == 1);
        if (r->field < 0) {
            status = reduction_check_field(r->work, r->name, WEFT_FLOAT64, 1, e);
        }
    }
    return fits ? status
                : error_set(e, WEFT_ERR_USAGE,
                            "map '%s' has no single place for the value of an item: give it one "
                            "field with one value per item, or reductions alone, or call "
                            "weft_map_run() with a kernel",
                            j->name);
}

/* 2^63. */
static const double beyond_int64 = 9223372036854775808.0;

/* Whether an integer type has room for a value, of which the fraction is cut off. */
static bool holds(double low, double high, double value)
{
    return value > low - 1 && value < high;
}

/* Writes a value as an element of a type; false if that has no such value. */
static bool put(weft_type type, unsigned char *to, double value)
{
#define EACH_INTEGER(name, ctype, low, high)  \
    case name: {                              \
        if (!holds(low, high, value)) {       \
            return false;                     \
        }                                     \
        const ctype element = (ctype)value;   \
        memcpy(to, &element, sizeof element); \
        return true;                          \
    }
#define EACH_FLOAT(name, ctype)               \
    case name: {                              \
        const ctype element = (ctype)value;   \
        memcpy(to, &element, sizeof element); \
        return true;                          \
    }
    switch (type) {
        EACH_INTEGER(WEFT_INT8, int8_t, -0x1p7, 0x1p7)
        EACH_INTEGER(WEFT_INT16, int16_t, -0x1p15, 0x1p15)
        EACH_INTEGER(WEFT_INT32, int32_t, -0x1p31, 0x1p31)
        EACH_INTEGER(WEFT_UINT8, uint8_t, 0, 0x1p8)
        EACH_INTEGER(WEFT_UINT16, uint16_t, 0, 0x1p16)
        EACH_INTEGER(WEFT_UINT32, uint32_t, 0, 0x1p32)
        EACH_INTEGER(WEFT_UINT64, uint64_t, 0, 0x1p64)
        EACH_FLOAT(WEFT_FLOAT32, float)
        EACH_FLOAT(WEFT_FLOAT64, double)
        EACH_FLOAT(WEFT_LONG_DOUBLE, long double)
    case WEFT_INT64: {
        if (!(value >= -beyond_int64 && value < beyond_int64)) {
            return false;
        }
        const int64_t element = (int64_t)value;
        memcpy(to, &element, sizeof element);
        return true;
    }
    case WEFT_TYPE_COUNT:
        break;
    }
    return false;
}

static void put_in_field(const weft_span *span, int64_t first, int64_t items, const double value[])
{
    const weft_type type = span->flow->job->field[0].type;
    unsigned char *to = (unsigned char *)weft_span_result(span, 0) +
                        job_field_bytes(span->flow->job, 0, first - span->first);
    for (int64_t i = 0; i < items; i++) {
        if (!put(type, to + job_field_bytes(span->flow->job, 0, i), value[i])) {
            weft_span_fail(span, first + i, -1, "its value is beyond the type of the field");
        }
    }
}

int each_kernel(const weft_span *span, void *context)
{
    const each_item *item = context;
    const job *j = span->flow->job;
    const int64_t end = span->first + span->count;
    double value[PIECE];
    int64_t items = 0;
    for (int64_t first = span->first; first < end; first += items) {
        items = end - first < PIECE ? end - first : PIECE;
        for (int64_t i = 0; i < items; i++) {
            weft_random random = weft_span_random(span, first + i, 0);
            value[i] = item->function(first + i, &random, item->context);
        }
        if (j->fields > 0) {
            put_in_field(span, first, items, value);
        }
        for (int i = 0; i < j->reductions && j->fields == 0; i++) {
            reduction_add_field(j->reduction[i].work, span_accumulator(span, i), WEFT_FLOAT64,
                                value, 1, first, items);
        }
    }
    return 0;
}
