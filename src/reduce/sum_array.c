/* SPDX-License-Identifier: BSD-3-Clause */
/* Many numbers are added to an exact sum: in registers where they are of similar size.
 *
 * This file is compiled without contraction. */
#include "reduce/sum.h"

#include <stdbool.h>
#include <string.h>

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

/* Numbers that are added in other ways after a block that does not fit, and how many of them are
 * worth bins. */
enum { PAUSE = 32 * BLOCK, WORTH_BINS = 4 * BLOCK };

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

/* Adds what does not fit into a window. */
static void add_any(weft_sum *s, int64_t n, const double x[])
{
    if (n < WORTH_BINS) {
        sum_add_each(s, n, x);
    } else {
        sum_add_to_bins(s, n, x);
    }
}

void weft_sum_add_array(weft_sum *sum, int64_t n, const double x[])
{
    int64_t i = 0;
    int window = 0;
    const bool usual = n >= BLOCK && is_arithmetic_usual();
    while (usual && n - i >= BLOCK) {
        double size = 0;
        bool done = add_block(sum, x + i, window, &size);
        if (!done) {
            window = window_for(size);
            done = add_block(sum, x + i, window, &size);
        }
        const int64_t now = done ? BLOCK : n - i < PAUSE ? n - i : PAUSE;
        if (!done) {
            add_any(sum, now, x + i);
        }
        i += now;
    }
    add_any(sum, n - i, x + i);
    /* How the numbers were added must not be seen in the accumulator. */
    sum_carry(sum);
}
