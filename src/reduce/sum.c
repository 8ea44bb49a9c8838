/* SPDX-License-Identifier: BSD-3-Clause */
/* The exact sum of doubles: a fixed-point number that is wide enough for all of them. */
#include "reduce/sum.h"

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

void sum_carry(weft_sum *s)
{
    int64_t over = 0;
    for (int i = 0; i < LIMBS - 1; i++) {
        const int64_t sum = s->limb[i] + over;
        s->limb[i] = (int64_t)((uint64_t)sum & LIMB_MASK);
        over = (sum - s->limb[i]) / (INT64_C(1) << LIMB_BITS);
    }
    s->limb[LIMBS - 1] += over;
    s->pending = 0;
}

void sum_add_special(weft_sum *s, uint64_t bits)
{
    if ((bits & MANTISSA_MASK) != 0) {
        s->nan++;
    } else if (bits >> 63 != 0) {
        s->negative++;
    } else {
        s->positive++;
    }
}

/* Puts a number into two limbs. */
static inline void put(weft_sum *s, double x)
{
    uint64_t bits;
    memcpy(&bits, &x, sizeof bits);
    const uint64_t exponent = bits >> 52 & 0x7ff;
    if (exponent == 0x7ff) {
        sum_add_special(s, bits);
        return;
    }
    /* Numbers below the least normal one have the same unit as that. */
    const uint64_t normal = exponent != 0;
    const uint64_t mantissa = (bits & MANTISSA_MASK) | normal << 52;
    const uint64_t place = exponent - normal;
    const uint64_t shift = place % LIMB_BITS;
    const uint64_t sign = 0 - (bits >> 63);
    const uint64_t low = mantissa << shift & LIMB_MASK;
    const uint64_t high = mantissa >> (LIMB_BITS - shift);
    int64_t *limb = &s->limb[place / LIMB_BITS];
    limb[0] += (int64_t)((low ^ sign) - sign);
    limb[1] += (int64_t)((high ^ sign) - sign);
}

/* MOST_PENDING at a time. */
void sum_add_each(weft_sum *s, int64_t n, const double x[])
{
    for (int64_t i = 0; i < n;) {
        const int64_t room = MOST_PENDING - s->pending;
        const int64_t end = n - i < room ? n : i + room;
        s->pending += end - i;
        for (; i < end; i++) {
            put(s, x[i]);
        }
        if (s->pending == MOST_PENDING) {
            sum_carry(s);
        }
    }
}

void weft_sum_add(weft_sum *sum, double x)
{
    put(sum, x);
    if (++sum->pending == MOST_PENDING) {
        sum_carry(sum);
    }
}

static int64_t sum_bytes(const weft_reduction *r)
{
    (void)r;
    return (int64_t)sizeof(weft_sum);
}

static reduction_value sum_value(const weft_reduction *r)
{
    (void)r;
    return reduction_scalar(WEFT_FLOAT64);
}

static void sum_init(const weft_reduction *r, void *accumulator)
{
    (void)r;
    memset(accumulator, 0, sizeof(weft_sum));
}

static void sum_merge(const weft_reduction *r, void *accumulator, const void *next)
{
    (void)r;
    weft_sum *to = accumulator;
    weft_sum from = *(const weft_sum *)next;
    sum_carry(to);
    sum_carry(&from);
    for (int i = 0; i < LIMBS; i++) {
        to->limb[i] += from.limb[i];
    }
    sum_carry(to);
    to->nan += from.nan;
    to->positive += from.positive;
    to->negative += from.negative;
}

/* The 64 bits of a magnitude from a bit on. */
static uint64_t bits_from(const uint32_t limb[LIMBS + 3], int bit)
{
    const uint32_t *at = limb + bit / LIMB_BITS;
    const int shift = bit % LIMB_BITS;
    const uint64_t low = at[0] | (uint64_t)at[1] << LIMB_BITS;
    return low >> shift | (shift > 0 ? (uint64_t)at[2] << (64 - shift) : 0);
}

static bool any_below(const uint32_t limb[LIMBS + 3], int bit)
{
    for (int i = 0; i < bit / LIMB_BITS; i++) {
        if (limb[i] != 0) {
            return true;
        }
    }
    return (bits_from(limb, bit / LIMB_BITS * LIMB_BITS) &
            ((UINT64_C(1) << bit % LIMB_BITS) - 1)) != 0;
}

/* The bits of the double that is nearest to a magnitude. */
static uint64_t round_magnitude(const uint32_t limb[LIMBS + 3])
{
    int top = LIMBS - 1;
    while (top >= 0 && limb[top] == 0) {
        top--;
    }
    if (top < 0) {
        return 0;
    }
    int highest = top * LIMB_BITS + LIMB_BITS - 1;
    while ((bits_from(limb, highest) & 1) == 0) {
        highest--;
    }
    /* Below that, a double holds all digits. */
    if (highest <= 52) {
        return bits_from(limb, 0);
    }
    const int shift = highest - 52;
    const uint64_t mantissa = bits_from(limb, shift) & (MANTISSA_MASK | HIDDEN_BIT);
    const bool half = (bits_from(limb, shift - 1) & 1) != 0;
    const bool up = half && ((mantissa & 1) != 0 || any_below(limb, shift - 1));
    /* The hidden bit makes the exponent one more; rounding up may do that, too. */
    const uint64_t bits = ((uint64_t)shift << 52) + mantissa + up;
    return bits < INFINITY_BITS ? bits : INFINITY_BITS;
}

static double round_sum(weft_sum *s)
{
    uint32_t limb[LIMBS + 3] = {0};
    sum_carry(s);
    const bool negative = s->limb[LIMBS - 1] < 0;
    if (negative) {
        for (int i = 0; i < LIMBS; i++) {
            s->limb[i] = -s->limb[i];
        }
        sum_carry(s);
    }
    for (int i = 0; i < LIMBS; i++) {
        limb[i] = (uint32_t)s->limb[i];
    }
    const uint64_t bits = round_magnitude(limb) | (uint64_t)negative << 63;
    double x;
    memcpy(&x, &bits, sizeof x);
    return x;
}

static weft_status sum_finish(const weft_reduction *r, const char *name, const void *accumulator,
                              void *value, error *e)
{
    (void)r, (void)name, (void)e;
    weft_sum s = *(const weft_sum *)accumulator;
    double x = round_sum(&s);
    if (s.nan > 0 || (s.positive > 0 && s.negative > 0)) {
        x = reduction_nan();
    } else if (s.positive > 0 || s.negative > 0) {
        const uint64_t bits = INFINITY_BITS | (uint64_t)(s.negative > 0) << 63;
        memcpy(&x, &bits, sizeof x);
    }
    memcpy(value, &x, sizeof x);
    return WEFT_OK;
}

static void sum_add(const weft_reduction *r, void *accumulator, const reduction_values *values)
{
    (void)r;
    weft_sum_add_array(accumulator, values->items * values->each, values->x);
}

const reduction_kind reduction_sum = {.name = "sum",
                                      .bytes = sum_bytes,
                                      .value = sum_value,
                                      .init = sum_init,
                                      .merge = sum_merge,
                                      .finish = sum_finish,
                                      .add = sum_add};
