/* SPDX-License-Identifier: BSD-3-Clause */
/* Normal and exponential deviates by the ziggurat method, number for number those of NumPy. This
 * file is compiled without contraction. */
#include "random/elementary.h"
#include "random/stream.h"
#include "random/ziggurat.h"

#include <stdbool.h>
#include <string.h>

/* Where the tails begin. */
static const double normal_tail = 3.6541528853610087963519472518;
static const double normal_tail_inverse = 0.27366123732975827203338247596;
static const double exponential_tail = 7.6971174701310497140446280481;

static double give_sign(double x, uint64_t sign)
{
    uint64_t bits;
    memcpy(&bits, &x, sizeof bits);
    bits ^= sign << 63;
    memcpy(&x, &bits, sizeof x);
    return x;
}

/* Whether a random height between those of the layer's edges is under the curve. */
static bool is_under(weft_random *random, const layer *l, double curve)
{
    const double fraction = stream_next_double(random);
    return (l[-1].height - l->height) * fraction + l->height < curve;
}

/* Marsaglia's method for what lies beyond the ziggurat. */
static double draw_normal_tail(weft_random *random)
{
    for (;;) {
        const double x = -normal_tail_inverse * elementary_log1p(-stream_next_double(random));
        const double y = -elementary_log1p(-stream_next_double(random));
        if (y + y > x * x) {
            return normal_tail + x;
        }
    }
}

double weft_random_normal(weft_random *random)
{
    for (;;) {
        /* From the lowest bit: 8 for the layer, 1 for the sign, 52 for the place in the layer. */
        const uint64_t bits = stream_next(random);
        const layer *l = &normal_layers[bits & 0xff];
        const uint64_t sign = bits >> 8 & 1;
        const uint64_t place = bits >> 9 & UINT64_C(0x000fffffffffffff);
        const double x = (double)(int64_t)place * l->width;
        if (place < l->bound) {
            return give_sign(x, sign);
        }
        if (l == normal_layers) {
            /* NumPy takes another bit for the sign here. */
            return give_sign(draw_normal_tail(random), place >> 8 & 1);
        }
        if (is_under(random, l, elementary_exp(-0.5 * x * x))) {
            return give_sign(x, sign);
        }
    }
}

double weft_random_exponential(weft_random *random)
{
    for (;;) {
        /* 3 bits are left out, 8 are for the layer, 53 for the place in it. */
        const uint64_t bits = stream_next(random);
        const layer *l = &exponential_layers[bits >> 3 & 0xff];
        const uint64_t place = bits >> 11;
        const double x = (double)(int64_t)place * l->width;
        if (place < l->bound) {
            return x;
        }
        if (l == exponential_layers) {
            return exponential_tail - elementary_log1p(-stream_next_double(random));
        }
        if (is_under(random, l, elementary_exp(-x))) {
            return x;
        }
    }
}
