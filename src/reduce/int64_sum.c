/* SPDX-License-Identifier: BSD-3-Clause */
/* The sum of integers: 128 bits in two's complement. */
#include "reduce/int64_sum.h"

#include <string.h>

struct weft_int64_sum {
    uint64_t low;
    uint64_t high;
};

static void add(weft_int64_sum *s, uint64_t low, uint64_t high)
{
    s->low += low;
    s->high += high + (s->low < low);
}

void weft_int64_sum_add(weft_int64_sum *sum, int64_t x)
{
    add(sum, (uint64_t)x, x < 0 ? UINT64_MAX : 0);
}

void int64_sum_add_unsigned(weft_int64_sum *sum, uint64_t x)
{
    add(sum, x, 0);
}

static int64_t int64_sum_bytes(const weft_reduction *r)
{
    (void)r;
    return (int64_t)sizeof(weft_int64_sum);
}

static reduction_value int64_sum_value(const weft_reduction *r)
{
    (void)r;
    return reduction_scalar(WEFT_INT64);
}

static void int64_sum_init(const weft_reduction *r, void *accumulator)
{
    (void)r;
    memset(accumulator, 0, sizeof(weft_int64_sum));
}

static void int64_sum_merge(const weft_reduction *r, void *accumulator, const void *next)
{
    (void)r;
    const weft_int64_sum *from = next;
    add(accumulator, from->low, from->high);
}

static weft_status int64_sum_finish(const weft_reduction *r, const char *name,
                                    const void *accumulator, void *value, error *e)
{
    (void)r;
    const weft_int64_sum *s = accumulator;
    const uint64_t sign = s->high >> 63 != 0 ? UINT64_MAX : 0;
    const uint64_t low_sign = s->low >> 63 != 0 ? UINT64_MAX : 0;
    if (s->high != low_sign) {
        const int64_t nearest = sign != 0 ? INT64_MIN : INT64_MAX;
        memcpy(value, &nearest, sizeof nearest);
        return error_set(e, WEFT_ERR_USAGE,
                         "reduction '%s': the sum is %s; WEFT_SUM adds the same numbers as doubles",
                         name, sign != 0 ? "below -2^63" : "above 2^63 - 1");
    }
    memcpy(value, &s->low, sizeof s->low);
    return WEFT_OK;
}

const reduction_kind reduction_int64_sum = {.name = "integer sum",
                                            .bytes = int64_sum_bytes,
                                            .value = int64_sum_value,
                                            .init = int64_sum_init,
                                            .merge = int64_sum_merge,
                                            .finish = int64_sum_finish};
