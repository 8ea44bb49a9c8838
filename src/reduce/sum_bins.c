/* SPDX-License-Identifier: BSD-3-Clause */
/* Many numbers of all sizes go to bins by sign and exponent, where mantissas add up as integers
 * (Neal: Fast exact summation using small and large superaccumulators, 2015). */
#include "reduce/sum.h"

#include <stdbool.h>
#include <string.h>

/* As many numbers fit into any bin. Groups of bins that have been used are remembered, since most
 * have not. */
enum { BIN_NUMBERS = 2047, SIGNS = 1 << 11, BINS = 2 * SIGNS, GROUPS = 64, GROUP = BINS / GROUPS };

typedef struct bins {
    uint64_t sum[BINS];
    uint64_t used; /* a bit per group */
} bins;

/* Puts a bin's sum, of a sign and an exponent, into three limbs. */
static void put_bin(weft_sum *s, int which, uint64_t bin)
{
    const int exponent = which % SIGNS;
    const int place = exponent - (exponent > 0);
    const int shift = place % LIMB_BITS;
    const int64_t sign = which < SIGNS ? 1 : -1;
    const uint64_t low = bin << shift;
    const uint64_t high = shift > 0 ? bin >> (64 - shift) : 0;
    int64_t *limb = &s->limb[place / LIMB_BITS];
    limb[0] += sign * (int64_t)(low & LIMB_MASK);
    limb[1] += sign * (int64_t)(low >> LIMB_BITS);
    limb[2] += sign * (int64_t)high;
}

static bool is_used(const bins *b, int group)
{
    return (b->used >> group & 1) != 0;
}

static void empty_group(weft_sum *s, bins *b, int group)
{
    for (int i = group * GROUP; i < (group + 1) * GROUP; i++) {
        if (b->sum[i] != 0) {
            put_bin(s, i, b->sum[i]);
            b->sum[i] = 0;
        }
    }
}

static void empty_bins(weft_sum *s, bins *b)
{
    for (int group = 0; group < GROUPS; group++) {
        if (is_used(b, group)) {
            empty_group(s, b, group);
        }
    }
    b->used = 0;
    sum_carry(s);
}

/* How many numbers there is room for in all bins. */
static int64_t room_in_bins(const bins *b)
{
    uint64_t any = 0; /* is not below any of them */
    for (int group = 0; group < GROUPS; group++) {
        for (int i = 0; i < GROUP && is_used(b, group); i++) {
            any |= b->sum[group * GROUP + i];
        }
    }
    return (int64_t)((UINT64_MAX - any) >> 53);
}

static inline uint64_t bits_of(double x)
{
    uint64_t bits;
    memcpy(&bits, &x, sizeof bits);
    return bits;
}

/* Each was given a hidden bit, which numbers below the least normal one do not have. */
static void settle_small(weft_sum *s, bins *b, int64_t n, const double x[])
{
    uint64_t count[2] = {0, 0};
    for (int64_t i = 0; i < n; i++) {
        const uint64_t bits = bits_of(x[i]);
        const uint64_t small = (bits & INFINITY_BITS) == 0;
        count[0] += small & ~(bits >> 63);
        count[1] += small & (bits >> 63);
    }
    for (int bin = 0; bin < 2 * SIGNS; bin += SIGNS) {
        put_bin(s, bin, b->sum[bin] - count[bin / SIGNS] * HIDDEN_BIT);
        b->sum[bin] = 0;
    }
}

static void settle_special(weft_sum *s, bins *b, int64_t n, const double x[])
{
    for (int64_t i = 0; i < n; i++) {
        const uint64_t bits = bits_of(x[i]);
        if ((bits & INFINITY_BITS) == INFINITY_BITS) {
            sum_add_special(s, bits);
        }
    }
    b->sum[SIGNS - 1] = 0;
    b->sum[BINS - 1] = 0;
}

/* No more numbers than there is room for. */
static void fill_bins(weft_sum *s, bins *b, int64_t n, const double x[])
{
    uint64_t used = b->used;
    for (int64_t i = 0; i < n; i++) {
        const uint64_t bits = bits_of(x[i]);
        used |= UINT64_C(1) << (bits >> 58);
        b->sum[bits >> 52] += (bits & MANTISSA_MASK) | HIDDEN_BIT;
    }
    b->used = used;
    if ((b->sum[0] | b->sum[SIGNS]) != 0) {
        settle_small(s, b, n, x);
    }
    if ((b->sum[SIGNS - 1] | b->sum[BINS - 1]) != 0) {
        settle_special(s, b, n, x);
    }
}

void sum_add_to_bins(weft_sum *s, int64_t n, const double x[])
{
    bins b = {.used = 0};
    int64_t room = BIN_NUMBERS;
    for (int64_t i = 0; i < n;) {
        const int64_t now = n - i < room ? n - i : room;
        fill_bins(s, &b, now, x + i);
        i += now;
        room = room_in_bins(&b);
        if (room < BIN_NUMBERS / 2) {
            empty_bins(s, &b);
            room = BIN_NUMBERS;
        }
    }
    empty_bins(s, &b);
}
