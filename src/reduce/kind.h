/* SPDX-License-Identifier: BSD-3-Clause */
/* The kinds of reductions: what each has to say of its parameters, its accumulator and its value.
 *
 * Thread: any; an accumulator belongs to one at a time. */
#ifndef REDUCE_KIND_H
#define REDUCE_KIND_H

#include "base/error.h"
#include "space/space.h"

#include <stdint.h>
#include <weft/reduce.h>

/* What the value is made of; a scalar has no dimensions. */
typedef struct reduction_value {
    weft_type type;
    space shape;
} reduction_value;

/* Elements of consecutive items, `each` per item. */
typedef struct reduction_values {
    const double *x;
    int64_t first; /* item */
    int64_t items;
    int64_t each;
} reduction_values;

/* `name` is the reduction's, for errors. What follows check() is called only if that was good. */
typedef struct reduction_kind {
    const char *name; /* and what its value is made of */
    weft_status (*check)(const weft_reduction *r, const char *name, error *e); /* NULL: none */
    int64_t (*bytes)(const weft_reduction *r);
    reduction_value (*value)(const weft_reduction *r);
    void (*init)(const weft_reduction *r, void *accumulator);
    void (*merge)(const weft_reduction *r, void *accumulator, const void *next);
    weft_status (*finish)(const weft_reduction *r, const char *name, const void *accumulator,
                          void *value, error *e);
    /* NULL: this kind cannot be made of a field. */
    void (*add)(const weft_reduction *r, void *accumulator, const reduction_values *values);
} reduction_kind;

#define REDUCTION_KIND(enumerator, name) extern const reduction_kind reduction_##name;
WEFT_REDUCTION_MAP(REDUCTION_KIND)
#undef REDUCTION_KIND

/* A value of one dimension; of none if there is a single element and `scalar`. */
reduction_value reduction_vector(weft_type type, int64_t elements);
reduction_value reduction_scalar(weft_type type);

/* The NaN of all values. */
double reduction_nan(void);

/* x, or the one NaN. */
double reduction_clean(double x);

#endif
