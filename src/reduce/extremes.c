/* SPDX-License-Identifier: BSD-3-Clause */
/* The least and the largest value, with their items. */
#include "reduce/kind.h"

#include <string.h>

struct weft_extremes {
    double minimum;
    double maximum;
    int64_t minimum_item; /* -1: there is none */
    int64_t maximum_item;
    int64_t count; /* without NaN */
    int64_t nan;
};

/* Whether a value is to be taken in place of another: it is better, or as good and of a lower item.
 */
static int is_first(double difference_sign, double x, int64_t item, double other,
                    int64_t other_item)
{
    const double a = difference_sign * x;
    const double b = difference_sign * other;
    return other_item < 0 || a < b || (a == b && item < other_item);
}

static void take(weft_extremes *e, double minimum, int64_t minimum_item, double maximum,
                 int64_t maximum_item)
{
    if (is_first(1, minimum, minimum_item, e->minimum, e->minimum_item)) {
        e->minimum = minimum;
        e->minimum_item = minimum_item;
    }
    if (is_first(-1, maximum, maximum_item, e->maximum, e->maximum_item)) {
        e->maximum = maximum;
        e->maximum_item = maximum_item;
    }
}

void weft_extremes_add(weft_extremes *extremes, double x, int64_t item)
{
    if (x != x) {
        extremes->nan++;
    } else {
        extremes->count++;
        take(extremes, x, item, x, item);
    }
}

static int64_t extremes_bytes(const weft_reduction *r)
{
    (void)r;
    return (int64_t)sizeof(weft_extremes);
}

static reduction_value extremes_value(const weft_reduction *r)
{
    (void)r;
    return reduction_vector(WEFT_FLOAT64, sizeof(weft_extremes_value) / sizeof(double));
}

static void extremes_init(const weft_reduction *r, void *accumulator)
{
    (void)r;
    const weft_extremes none = {.minimum_item = -1, .maximum_item = -1};
    memcpy(accumulator, &none, sizeof none);
}

static void extremes_merge(const weft_reduction *r, void *accumulator, const void *next)
{
    (void)r;
    weft_extremes *to = accumulator;
    const weft_extremes *from = next;
    if (from->count > 0) {
        take(to, from->minimum, from->minimum_item, from->maximum, from->maximum_item);
    }
    to->count += from->count;
    to->nan += from->nan;
}

static weft_status extremes_finish(const weft_reduction *r, const char *name,
                                   const void *accumulator, void *value, error *e)
{
    (void)r, (void)name, (void)e;
    const weft_extremes *x = accumulator;
    const weft_extremes_value v = {.minimum = x->count > 0 ? x->minimum : reduction_nan(),
                                   .minimum_item = (double)x->minimum_item,
                                   .maximum = x->count > 0 ? x->maximum : reduction_nan(),
                                   .maximum_item = (double)x->maximum_item,
                                   .count = (double)x->count,
                                   .nan = (double)x->nan};
    memcpy(value, &v, sizeof v);
    return WEFT_OK;
}

static void extremes_add(const weft_reduction *r, void *accumulator, const reduction_values *values)
{
    (void)r;
    for (int64_t i = 0; i < values->items * values->each; i++) {
        weft_extremes_add(accumulator, values->x[i], values->first + i / values->each);
    }
}

const reduction_kind reduction_extremes = {
    .name = "extremes: minimum, its item, maximum, its item, count, count of NaN",
    .bytes = extremes_bytes,
    .value = extremes_value,
    .init = extremes_init,
    .merge = extremes_merge,
    .finish = extremes_finish,
    .add = extremes_add};
