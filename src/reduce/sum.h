/* SPDX-License-Identifier: BSD-3-Clause */
/* The accumulator of exact sums, and ways of adding many numbers to it.
 *
 * Thread: any; an accumulator belongs to one at a time. */
#ifndef REDUCE_SUM_H
#define REDUCE_SUM_H

#include "reduce/kind.h"

/* A limb has 32 bits of the number, in units of 2⁻¹⁰⁷⁴; the largest double and 2⁶³ of them need no
 * more limbs. What lies in a limb beyond its 32 bits is carried later: additions put less than 2⁵³
 * into each, and MOST_PENDING of them may pass before. */
enum { LIMBS = 68, LIMB_BITS = 32, MOST_PENDING = 1000 };

struct weft_sum {
    int64_t limb[LIMBS]; /* the last one has the sign */
    int64_t pending;     /* additions since the last carry */
    int64_t nan;
    int64_t positive; /* infinities */
    int64_t negative;
};

/* Of a double, and of the digits in a limb. */
#define MANTISSA_MASK UINT64_C(0x000fffffffffffff)
#define HIDDEN_BIT (UINT64_C(1) << 52)
#define INFINITY_BITS (UINT64_C(0x7ff) << 52)
#define LIMB_MASK UINT64_C(0xffffffff)

/* Brings all limbs but the last to 0 … 2³² - 1: every number has one such form. */
void sum_carry(weft_sum *s);

/* Counts an infinity or a NaN. */
void sum_add_special(weft_sum *s, uint64_t bits);

/* Adds numbers one by one. */
void sum_add_each(weft_sum *s, int64_t n, const double x[]);

/* Adds numbers of all sizes; good for thousands of them. */
void sum_add_to_bins(weft_sum *s, int64_t n, const double x[]);

#endif
