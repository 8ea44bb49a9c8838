/* SPDX-License-Identifier: BSD-3-Clause */
/* The exact sum of doubles: a fixed-point number that is wide enough for all of them.
 *
 * This file is compiled without contraction. */
#include "reduce/kind.h"

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

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

static const uint64_t mantissa_mask = UINT64_C(0x000fffffffffffff);
static const uint64_t hidden_bit = UINT64_C(1) << 52;
static const uint64_t limb_mask = UINT64_C(0xffffffff);
static const uint64_t infinity_bits = UINT64_C(0x7ff) << 52;

/* Brings all limbs but the last to 0 … 2³² - 1: every number has one such form. */
static void carry(weft_sum *s)
{
    int64_t over = 0;
    for (int i = 0; i < LIMBS - 1; i++) {
        const int64_t sum = s->limb[i] + over;
        s->limb[i] = (int64_t)((uint64_t)sum & limb_mask);
        over = (sum - s->limb[i]) / (INT64_C(1) << LIMB_BITS);
    }
    s->limb[LIMBS - 1] += over;
    s->pending = 0;
}

static void add_special(weft_sum *s, uint64_t bits)
{
    if ((bits & mantissa_mask) != 0) {
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
        add_special(s, bits);
        return;
    }
    /* Numbers below the least normal one have the same unit as that. */
    const uint64_t normal = exponent != 0;
    const uint64_t mantissa = (bits & mantissa_mask) | normal << 52;
    const uint64_t place = exponent - normal;
    const uint64_t shift = place % LIMB_BITS;
    const uint64_t sign = 0 - (bits >> 63);
    const uint64_t low = mantissa << shift & limb_mask;
    const uint64_t high = mantissa >> (LIMB_BITS - shift);
    int64_t *limb = &s->limb[place / LIMB_BITS];
    limb[0] += (int64_t)((low ^ sign) - sign);
    limb[1] += (int64_t)((high ^ sign) - sign);
}

/* MOST_PENDING at a time. */
static void add_all(weft_sum *s, int64_t n, const double x[])
{
    for (int64_t i = 0; i < n;) {
        const int64_t room = MOST_PENDING - s->pending;
        const int64_t end = n - i < room ? n : i + room;
        s->pending += end - i;
        for (; i < end; i++) {
            put(s, x[i]);
        }
        if (s->pending == MOST_PENDING) {
            carry(s);
        }
    }
}

void weft_sum_add(weft_sum *sum, double x)
{
    put(sum, x);
    if (++sum->pending == MOST_PENDING) {
        carry(sum);
    }
}

/* A block of numbers is added in two registers per lane. Each begins with an offset that is large
 * against all that is added to it, so that its last digit has a fixed place; what is below that
 * place in the first goes to the second, and if anything is left then, or the offset was not large
 * enough, nothing of the block counts. So both registers are exact (Rump, Ogita, Oishi: Accurate
 * floating-point summation, 2008, has the proof of the single step).
 *
 * With offset 1.5·2ʷ and magnitudes that sum up to less than 2ʷ⁻¹ in a lane, the last digit of the
 * first is 2ʷ⁻⁵²; LANE_NUMBERS remainders of half of that are at most 2ʷ⁻⁴⁶, so that 1.5·2ʷ⁻⁴⁵ will
 * do for the second. */
enum { LANES = 2, LANE_NUMBERS = 128, BLOCK = 2 * LANES * LANE_NUMBERS, SECOND = 45 };

/* Within these both offsets, and their last digits, are normal numbers. */
enum { LEAST_WINDOW = -800, MOST_WINDOW = 1000 };

/* Numbers that are added one by one after a block that does not fit. */
enum { PAUSE = 32 };

typedef double lanes __attribute__((vector_size(LANES * sizeof(double))));
typedef uint64_t lane_bits __attribute__((vector_size(LANES * sizeof(double))));

typedef struct registers {
    lanes first;
    lanes second;
    lanes size;     /* of all magnitudes */
    lane_bits left; /* bits of what is left; signs apart none may be set */
} registers;

static double power_of_two(int exponent)
{
    const uint64_t bits = (uint64_t)(exponent + 1023) << 52;
    double x;
    memcpy(&x, &bits, sizeof x);
    return x;
}

static inline void take(registers *r, const double *from)
{
    lanes x;
    memcpy(&x, from, sizeof x);
    const lanes first = r->first + x;
    const lanes rest = x - (first - r->first);
    const lanes second = r->second + rest;
    r->left |= (lane_bits)(rest - (second - r->second));
    r->size += (lanes)((lane_bits)x & ~(UINT64_C(1) << 63));
    r->first = first;
    r->second = second;
}

/* Adds what the registers hold. */
static void add_registers(weft_sum *s, const registers *r, double first, double second)
{
    for (int i = 0; i < LANES; i++) {
        weft_sum_add(s, r->first[i] - first);
        weft_sum_add(s, r->second[i] - second);
    }
}

static double larger(double a, double b)
{
    return a > b ? a : b;
}

/* Adds a block with a window; false if it does not fit. The largest sum of magnitudes is told. */
static bool add_block(weft_sum *s, const double x[BLOCK], int window, double *size)
{
    const double first = 1.5 * power_of_two(window);
    const double second = 1.5 * power_of_two(window - SECOND);
    registers a = {.first = first + (lanes){0}, .second = second + (lanes){0}};
    registers b = a;
    for (int i = 0; i < BLOCK; i += 2 * LANES) {
        take(&a, x + i);
        take(&b, x + i + LANES);
    }
    uint64_t left = 0;
    double most = 0;
    for (int i = 0; i < LANES; i++) {
        left |= a.left[i] | b.left[i];
        most = larger(larger(a.size[i], b.size[i]), most);
    }
    *size = most;
    /* An infinity or a NaN leaves a NaN. */
    if (left << 1 != 0 || !(most <= 0.99 * power_of_two(window - 1))) {
        return false;
    }
    add_registers(s, &a, first, second);
    add_registers(s, &b, first, second);
    return true;
}

/* The window for magnitudes that sum up to `size`. */
static int window_for(double size)
{
    const double more = 1.02 * size;
    uint64_t bits;
    memcpy(&bits, &more, sizeof bits);
    const int window = (int)(bits >> 52 & 0x7ff) - 1023 + 2;
    return window < LEAST_WINDOW ? LEAST_WINDOW : window > MOST_WINDOW ? MOST_WINDOW : window;
}

/* The proof needs rounding to nearest, and numbers below the least normal one that are not taken
 * for 0, which programs may have changed. */
static bool is_arithmetic_usual(void)
{
    volatile double one = 1;
    volatile double tiny = 0x1p-1074;
    return one + 0x0.4p-52 == 1 && one + 0x0.cp-52 == 1 + 0x1p-52 && -one - 0x0.4p-52 == -1 &&
           tiny + 0.0 > 0;
}

void weft_sum_add_array(weft_sum *sum, int64_t n, const double x[])
{
    int64_t i = 0;
    if (n >= BLOCK && is_arithmetic_usual()) {
        int window = 0;
        int pause = 0;
        for (; i + BLOCK <= n; i += BLOCK) {
            double size = 0;
            bool done = pause == 0 && add_block(sum, x + i, window, &size);
            if (pause == 0 && !done) {
                window = window_for(size);
                done = add_block(sum, x + i, window, &size);
                pause = done ? 0 : PAUSE;
            }
            if (!done) {
                add_all(sum, BLOCK, x + i);
            }
            pause -= pause > 0;
        }
    }
    add_all(sum, n - i, x + i);
    /* How the numbers were added must not be seen in the accumulator. */
    carry(sum);
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
    carry(to);
    carry(&from);
    for (int i = 0; i < LIMBS; i++) {
        to->limb[i] += from.limb[i];
    }
    carry(to);
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
    const uint64_t mantissa = bits_from(limb, shift) & (mantissa_mask | hidden_bit);
    const bool half = (bits_from(limb, shift - 1) & 1) != 0;
    const bool up = half && ((mantissa & 1) != 0 || any_below(limb, shift - 1));
    /* The hidden bit makes the exponent one more; rounding up may do that, too. */
    const uint64_t bits = ((uint64_t)shift << 52) + mantissa + up;
    return bits < infinity_bits ? bits : infinity_bits;
}

static double round_sum(weft_sum *s)
{
    uint32_t limb[LIMBS + 3] = {0};
    carry(s);
    const bool negative = s->limb[LIMBS - 1] < 0;
    if (negative) {
        for (int i = 0; i < LIMBS; i++) {
            s->limb[i] = -s->limb[i];
        }
        carry(s);
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
        const uint64_t bits = infinity_bits | (uint64_t)(s.negative > 0) << 63;
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
