/* SPDX-License-Identifier: BSD-3-Clause */
/* A reduction: what is done with its accumulators, whatever its kind. */
#include "reduce/reduction.h"

#include "base/number.h"
#include "reduce/int64_sum.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const reduction_kind *const kinds[] = {
#define KIND(enumerator, name) &reduction_##name,
    WEFT_REDUCTION_MAP(KIND)
#undef KIND
};

static const reduction_kind *kind_of(const weft_reduction *r)
{
    return kinds[r->kind];
}

/* How many numbers a description borrows. */
static int64_t numbers_of(const weft_reduction *r)
{
    return r->kind == WEFT_REDUCE_HISTOGRAM   ? r->count + 1
           : r->kind == WEFT_REDUCE_QUANTILES ? r->count
                                              : 0;
}

weft_status reduction_check(const weft_reduction *r, const char *name, error *e)
{
    if ((unsigned)r->kind >= WEFT_REDUCE_KINDS) {
        return error_set(e, WEFT_ERR_USAGE, "reduction '%s': %d is not a kind of reduction", name,
                         (int)r->kind);
    }
    const reduction_kind *kind = kind_of(r);
    const weft_status status = kind->check == NULL ? WEFT_OK : kind->check(r, name, e);
    if (status != WEFT_OK) {
        return status;
    }
    const int64_t bytes = kind->bytes(r);
    if (bytes > WEFT_MAX_ACCUMULATOR_BYTES) {
        return error_set(e, WEFT_ERR_USAGE,
                         "reduction '%s': its %s would take %" PRId64 " bytes per tile; there may "
                         "be %" PRId64,
                         name, kind->name, bytes, WEFT_MAX_ACCUMULATOR_BYTES);
    }
    return WEFT_OK;
}

static void *copy_of(const void *from, size_t bytes)
{
    void *copy = malloc(bytes);
    if (copy != NULL) {
        memcpy(copy, from, bytes);
    }
    return copy;
}

/* The copy of a reducer has its shape behind it. */
static const weft_reducer *copy_reducer(const weft_reducer *own)
{
    const size_t shape_bytes = (size_t)own->ndims * sizeof own->shape[0];
    weft_reducer *copy = malloc(sizeof *copy + shape_bytes);
    if (copy != NULL) {
        *copy = *own;
        if (shape_bytes > 0) {
            memcpy(copy + 1, own->shape, shape_bytes);
        }
        copy->shape = (const int64_t *)(const void *)(copy + 1);
    }
    return copy;
}

/* The copy's memory is its own. */
static void free_const(const void *memory)
{
    void *own;
    memcpy(&own, &memory, sizeof own);
    free(own);
}

void reduction_clear(weft_reduction *copy)
{
    free_const(copy->number);
    free_const(copy->reducer);
    copy->number = NULL;
    copy->reducer = NULL;
}

weft_status reduction_copy(const weft_reduction *r, weft_reduction *copy, error *e)
{
    const int64_t numbers = numbers_of(r);
    weft_reduction made = *r;
    made.number = NULL;
    made.reducer = NULL;
    if (numbers > 0) {
        made.number = copy_of(r->number, (size_t)numbers * sizeof r->number[0]);
    }
    if (r->kind == WEFT_REDUCE_OWN) {
        made.reducer = copy_reducer(r->reducer);
    }
    if ((numbers > 0 && made.number == NULL) ||
        (r->kind == WEFT_REDUCE_OWN && made.reducer == NULL)) {
        reduction_clear(&made);
        return error_memory(e, "the description of a reduction");
    }
    *copy = made;
    return WEFT_OK;
}

/* FNV-1a over the bits of numbers. */
static uint64_t hash_of(const double *number, int64_t count)
{
    uint64_t hash = UINT64_C(0xcbf29ce484222325);
    for (int64_t i = 0; i < count; i++) {
        unsigned char byte[sizeof *number];
        memcpy(byte, &number[i], sizeof byte);
        for (size_t k = 0; k < sizeof byte; k++) {
            hash = (hash ^ byte[k]) * UINT64_C(0x100000001b3);
        }
    }
    return hash;
}

void reduction_describe(const weft_reduction *r, char *text, size_t bytes)
{
    const int64_t numbers = numbers_of(r);
    int used = snprintf(text, bytes, "%s", kind_of(r)->name);
    if (r->count > 0) {
        used += snprintf(text + used, bytes - (size_t)used, ", %" PRId64, r->count);
    }
    if (numbers > 0) {
        used += snprintf(text + used, bytes - (size_t)used, ", numbers %016" PRIx64,
                         hash_of(r->number, numbers));
    }
    if (r->kind == WEFT_REDUCE_QUANTILES) {
        const double more[] = {r->accuracy, r->low, r->high};
        (void)number_print(text + used, bytes - (size_t)used, ", error %.17g, %.17g to %.17g",
                           more[0], more[1], more[2]);
    }
}

weft_reduction_kind reduction_find_kind(const char *text)
{
    for (int kind = 0; kind < WEFT_REDUCE_KINDS; kind++) {
        const size_t length = strlen(kinds[kind]->name);
        if (strncmp(text, kinds[kind]->name, length) == 0 &&
            (text[length] == '\0' || text[length] == ',' || text[length] == ';')) {
            return (weft_reduction_kind)kind;
        }
    }
    return WEFT_REDUCE_KINDS;
}

int64_t reduction_bytes(const weft_reduction *r)
{
    return kind_of(r)->bytes(r);
}

reduction_value reduction_value_of(const weft_reduction *r)
{
    return kind_of(r)->value(r);
}

void reduction_init(const weft_reduction *r, void *accumulator)
{
    kind_of(r)->init(r, accumulator);
}

void reduction_merge(const weft_reduction *r, void *accumulator, const void *next)
{
    kind_of(r)->merge(r, accumulator, next);
}

weft_status reduction_finish(const weft_reduction *r, const char *name, const void *accumulator,
                             void *value, error *e)
{
    return kind_of(r)->finish(r, name, accumulator, value, e);
}

static bool is_integer(weft_type type)
{
    return type != WEFT_FLOAT32 && type != WEFT_FLOAT64 && type != WEFT_LONG_DOUBLE;
}

weft_status reduction_check_field(const weft_reduction *r, const char *name, weft_type type,
                                  int64_t each, error *e)
{
    if (r->kind == WEFT_REDUCE_OWN) {
        return error_set(e, WEFT_ERR_USAGE,
                         "reduction '%s': a reducer of the program's own cannot be filled from a "
                         "field; the kernel fills it",
                         name);
    }
    if (r->kind == WEFT_REDUCE_INT64_SUM && !is_integer(type)) {
        return error_set(e, WEFT_ERR_USAGE,
                         "reduction '%s': an integer sum of a field of %s; WEFT_SUM is for that",
                         name, weft_type_name(type));
    }
    if (r->kind == WEFT_REDUCE_COVARIANCE && each != r->count) {
        return error_set(e, WEFT_ERR_USAGE,
                         "reduction '%s': a covariance of %" PRId64 " variables from a field of "
                         "%" PRId64 " elements per item",
                         name, r->count, each);
    }
    return WEFT_OK;
}

/* An element of any type. */
typedef union element {
#define ELEMENT(name, ctype, text) ctype as_##name;
    WEFT_TYPE_MAP(ELEMENT)
#undef ELEMENT
} element;

/* Elements from memory of any alignment, one after the other, as doubles. */
static void convert(weft_type type, const unsigned char *from, int64_t count, double *to)
{
    const size_t bytes = weft_type_bytes(type);
    element x;
    for (int64_t i = 0; i < count; i++) {
        memcpy(&x, from + (size_t)i * bytes, bytes);
        switch (type) {
#define CONVERT(name, ctype, text)   \
    case name:                       \
        to[i] = (double)x.as_##name; \
        break;
            WEFT_TYPE_MAP(CONVERT)
#undef CONVERT
        case WEFT_TYPE_COUNT:
            break;
        }
    }
}

static void add_integers(weft_int64_sum *sum, weft_type type, const unsigned char *from,
                         int64_t count)
{
    const size_t bytes = weft_type_bytes(type);
    element x;
    for (int64_t i = 0; i < count; i++) {
        memcpy(&x, from + (size_t)i * bytes, bytes);
        switch (type) {
        case WEFT_UINT64:
            int64_sum_add_unsigned(sum, x.as_WEFT_UINT64);
            break;
#define ADD(name)                             \
    case name:                                \
        weft_int64_sum_add(sum, x.as_##name); \
        break;
            ADD(WEFT_INT8)
            ADD(WEFT_INT16)
            ADD(WEFT_INT32)
            ADD(WEFT_INT64)
            ADD(WEFT_UINT8)
            ADD(WEFT_UINT16)
            ADD(WEFT_UINT32)
#undef ADD
        case WEFT_FLOAT32:
        case WEFT_FLOAT64:
        case WEFT_LONG_DOUBLE:
        case WEFT_TYPE_COUNT:
            break;
        }
    }
}

/* Elements that are converted at once. */
enum { CONVERTED = 1024 };

/* Items one by one where a single one has more elements than that: each but the last part of it is
 * added as items of one element each. */
static void add_converted(const weft_reduction *r, void *accumulator, weft_type type,
                          const unsigned char *from, int64_t each, int64_t first, int64_t items)
{
    double x[CONVERTED];
    const int64_t bytes = (int64_t)weft_type_bytes(type);
    const int64_t at_once = each < CONVERTED ? CONVERTED / each : 1;
    for (int64_t i = 0; i < items; i += at_once) {
        const int64_t now = items - i < at_once ? items - i : at_once;
        for (int64_t k = 0; k < each * now; k += CONVERTED) {
            const int64_t part = each * now - k < CONVERTED ? each * now - k : CONVERTED;
            const bool whole = part == each * now;
            convert(type, from + (i * each + k) * bytes, part, x);
            kind_of(r)->add(r, accumulator,
                            &(reduction_values){.x = x,
                                                .first = first + i,
                                                .items = whole ? now : 1,
                                                .each = whole ? each : part});
        }
    }
}

void reduction_add_field(const weft_reduction *r, void *accumulator, weft_type type,
                         const void *elements, int64_t each, int64_t first, int64_t items)
{
    if (r->kind == WEFT_REDUCE_INT64_SUM) {
        add_integers(accumulator, type, elements, items * each);
    } else if (type == WEFT_FLOAT64 && (uintptr_t)elements % sizeof(double) == 0) {
        kind_of(r)->add(
            r, accumulator,
            &(reduction_values){.x = elements, .first = first, .items = items, .each = each});
    } else {
        add_converted(r, accumulator, type, elements, each, first, items);
    }
}

weft_reduction weft_reduction_of(weft_reduction_kind kind)
{
    return (weft_reduction){.kind = kind};
}

weft_reduction weft_covariance_of(int64_t variables)
{
    return (weft_reduction){.kind = WEFT_REDUCE_COVARIANCE, .count = variables};
}

weft_reduction weft_histogram_of(int64_t bins, const double edge[])
{
    return (weft_reduction){.kind = WEFT_REDUCE_HISTOGRAM, .count = bins, .number = edge};
}

weft_reduction weft_quantiles_of(double accuracy, double low, double high, int64_t count,
                                 const double probability[])
{
    return (weft_reduction){.kind = WEFT_REDUCE_QUANTILES,
                            .count = count,
                            .number = probability,
                            .accuracy = accuracy,
                            .low = low,
                            .high = high};
}

weft_reduction weft_reducer_of(const weft_reducer *reducer)
{
    return (weft_reduction){.kind = WEFT_REDUCE_OWN, .reducer = reducer};
}

/* For callers without a name and an error. */
static weft_status check_quietly(const weft_reduction *r)
{
    error e;
    return reduction_check(r, "", &e);
}

int64_t weft_reduction_bytes(const weft_reduction *reduction)
{
    return check_quietly(reduction) == WEFT_OK ? reduction_bytes(reduction) : 0;
}

int64_t weft_reduction_value_bytes(const weft_reduction *reduction)
{
    if (check_quietly(reduction) != WEFT_OK) {
        return 0;
    }
    const reduction_value v = reduction_value_of(reduction);
    return v.shape.count * (int64_t)weft_type_bytes(v.type);
}

weft_status weft_reduction_init(const weft_reduction *reduction, void *accumulator)
{
    const weft_status status = check_quietly(reduction);
    if (status == WEFT_OK) {
        reduction_init(reduction, accumulator);
    }
    return status;
}

weft_status weft_reduction_merge(const weft_reduction *reduction, void *accumulator,
                                 const void *next)
{
    const weft_status status = check_quietly(reduction);
    if (status == WEFT_OK) {
        reduction_merge(reduction, accumulator, next);
    }
    return status;
}

weft_status weft_reduction_finish(const weft_reduction *reduction, const void *accumulator,
                                  void *value)
{
    error e;
    const weft_status status = check_quietly(reduction);
    return status == WEFT_OK ? reduction_finish(reduction, "", accumulator, value, &e) : status;
}
