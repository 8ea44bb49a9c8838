/* SPDX-License-Identifier: BSD-3-Clause */
/* Logarithm and exponential made of + - * / alone. This file is compiled without contraction. */
#include "random/elementary.h"

#include <stdint.h>
#include <string.h>

/* ln 2 in two parts; the first has so few digits that its product with an exponent is exact. */
static const double ln2_high = 0x1.62e42fee00000p-1;
static const double ln2_low = 0x1.a39ef35793c76p-33;

static uint64_t bits_of(double x)
{
    uint64_t bits;
    memcpy(&bits, &x, sizeof bits);
    return bits;
}

static double from_bits(uint64_t bits)
{
    double x;
    memcpy(&x, &bits, sizeof x);
    return x;
}

/* With s = f / (2 + f), ln(1 + f) = 2 atanh s = f - f²/2 + s (f²/2 + R(s²)); R is fdlibm's
 * polynomial, grouped as in glibc. `low` is what 1 + f lacks, and `exponent` counts factors of 2.
 */
static double log_of_sum(double f, double low, int exponent)
{
    const double half_square = 0.5 * f * f;
    const double s = f / (2.0 + f);
    const double z = s * s;
    const double z2 = z * z;
    const double z4 = z2 * z2;
    const double r1 = z * 6.666666666666735130e-01;
    const double r2 = 3.999999999940941908e-01 + z * 2.857142874366239149e-01;
    const double r3 = 2.222219843214978396e-01 + z * 1.818357216161805012e-01;
    const double r4 = 1.531383769920937332e-01 + z * 1.479819860511658591e-01;
    const double rest = r1 + z2 * r2 + z4 * r3 + (z4 * z2) * r4;
    if (exponent == 0) {
        return f - (half_square - s * (half_square + rest));
    }
    const double high = exponent * ln2_high;
    low += exponent * ln2_low;
    return high - ((half_square - (s * (half_square + rest) + low)) - f);
}

double elementary_log1p(double x)
{
    if (x > -0x1p-29) {
        return x - x * x * 0.5;
    }
    if (x > -0x1.2bec4p-2) { /* 1 + x is at least √½ */
        return log_of_sum(x, 0, 0);
    }
    const double sum = 1.0 + x;
    const double lost = (x - (sum - 1.0)) / sum;
    const uint64_t bits = bits_of(sum);
    int exponent = (int)(bits >> 52) - 1023;
    double mantissa = from_bits((bits & UINT64_C(0x000fffffffffffff)) | bits_of(1.0));
    if (mantissa >= 0x1.6a09ep+0) { /* √2 */
        mantissa *= 0.5;
        exponent += 1;
    }
    return log_of_sum(mantissa - 1.0, lost, exponent);
}

double elementary_exp(double x)
{
    /* eˣ = 2ⁿ eʳ with |r| <= ln 2 / 2, and Taylor's series, whose rest is below 2⁻⁵⁷. */
    const int n = (int)(x * 0x1.71547652b82fep+0 - 0.5);
    const double r = (x - n * ln2_high) - n * ln2_low;
    double sum = 0;
    for (int k = 14; k > 1; k--) {
        sum = (sum + 1.0) * r / k;
    }
    const double value = 1.0 + (r + r * sum);
    return value * from_bits((uint64_t)(n + 1023) << 52);
}
