/* SPDX-License-Identifier: BSD-3-Clause */
/* Quantiles with a relative error: values are counted in bins whose width is in proportion to their
 * magnitude.
 *
 * This file is compiled without contraction. */
#include "reduce/kind.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

/* A binade 2ᵉ … 2ᵉ⁺¹ is cut into k bins of the same width. The number 2ab / (a + b) differs from
 * all in the bin a … b by (b - a) / (b + a) of their magnitude at most: in the first bin of a
 * binade by 1 / (2k + 1), in the others by less. */
struct weft_quantiles {
    int64_t per_binade; /* k */
    int64_t lowest;     /* the exponent, biased, of the first binade */
    int64_t bins;       /* of each sign */
    int64_t small;      /* values below the first binade in magnitude */
    int64_t nan;
    int64_t count[]; /* the bins of positive values, and those beyond; the same of negative ones */
};

enum { MANTISSA_BITS = 52 };

static const uint64_t mantissa_mask = UINT64_C(0x000fffffffffffff);

static uint64_t bits_of(double x)
{
    uint64_t bits;
    memcpy(&bits, &x, sizeof bits);
    return bits;
}

void weft_quantiles_add(weft_quantiles *quantiles, double x)
{
    weft_quantiles *q = quantiles;
    const uint64_t bits = bits_of(x);
    const int64_t binade = (int64_t)(bits >> MANTISSA_BITS & 0x7ff) - q->lowest;
    if (x != x) {
        q->nan++;
    } else if (binade < 0) {
        q->small++;
    } else {
        /* At 1000 bins per binade, the most there are, the product has 62 bits. */
        const uint64_t part = (bits & mantissa_mask) * (uint64_t)q->per_binade >> MANTISSA_BITS;
        const int64_t bin = binade * q->per_binade + (int64_t)part;
        q->count[(bits >> 63 != 0 ? q->bins + 1 : 0) + (bin < q->bins ? bin : q->bins)]++;
    }
}

/* Of a description. */
static int64_t per_binade_of(const weft_reduction *r)
{
    return (int64_t)((1 / r->accuracy - 1) / 2) + 1;
}

static int64_t binade_of(double x)
{
    return (int64_t)(bits_of(x) >> MANTISSA_BITS);
}

static int64_t bins_of(const weft_reduction *r)
{
    return (binade_of(r->high) - binade_of(r->low) + 1) * per_binade_of(r);
}

static weft_status check_probabilities(const weft_reduction *r, const char *name, error *e)
{
    if (r->count < 1 || r->count > WEFT_MAX_PROBABILITIES || r->number == NULL) {
        return error_set(
            e, WEFT_ERR_USAGE, "reduction '%s': %" PRId64 " probabilities%s; there may be 1 to %d",
            name, r->count, r->number == NULL ? " at no address" : "", WEFT_MAX_PROBABILITIES);
    }
    for (int64_t i = 0; i < r->count; i++) {
        if (!(r->number[i] >= 0 && r->number[i] <= 1)) {
            return error_set(e, WEFT_ERR_USAGE,
                             "reduction '%s': probability %" PRId64 " is %.17g and not from 0 to 1",
                             name, i, r->number[i]);
        }
    }
    return WEFT_OK;
}

static weft_status quantiles_check(const weft_reduction *r, const char *name, error *e)
{
    if (!(r->accuracy >= 0.0005 && r->accuracy <= 0.5)) {
        return error_set(e, WEFT_ERR_USAGE,
                         "reduction '%s': a relative error of %g; it may be 0.0005 to 0.5", name,
                         r->accuracy);
    }
    if (!(r->low >= 0x1p-1022 && r->low < r->high && r->high <= 0x1.fffffffffffffp+1023)) {
        return error_set(
            e, WEFT_ERR_USAGE,
            "reduction '%s': quantiles of magnitudes from %.17g to %.17g; the first is "
            "above 0, and the second above that, and finite",
            name, r->low, r->high);
    }
    return check_probabilities(r, name, e);
}

static int64_t quantiles_bytes(const weft_reduction *r)
{
    const int64_t counts = 2 * (bins_of(r) + 1);
    return (int64_t)sizeof(weft_quantiles) + counts * (int64_t)sizeof(int64_t);
}

static reduction_value quantiles_value(const weft_reduction *r)
{
    return reduction_vector(WEFT_FLOAT64, r->count);
}

static void quantiles_init(const weft_reduction *r, void *accumulator)
{
    weft_quantiles *q = accumulator;
    memset(q, 0, (size_t)quantiles_bytes(r));
    q->per_binade = per_binade_of(r);
    q->lowest = binade_of(r->low);
    q->bins = bins_of(r);
}

static void quantiles_merge(const weft_reduction *r, void *accumulator, const void *next)
{
    (void)r;
    weft_quantiles *to = accumulator;
    const weft_quantiles *from = next;
    to->small += from->small;
    to->nan += from->nan;
    for (int64_t i = 0; i < 2 * (to->bins + 1); i++) {
        to->count[i] += from->count[i];
    }
}

/* What stands for the values of a bin of positive ones. */
static double bin_value(const weft_quantiles *q, int64_t bin)
{
    if (bin == q->bins) {
        return (double)INFINITY;
    }
    const uint64_t exponent = (uint64_t)(q->lowest + bin / q->per_binade) << MANTISSA_BITS;
    const double k = (double)q->per_binade;
    const double lower = k + (double)(bin % q->per_binade);
    double scale;
    memcpy(&scale, &exponent, sizeof scale);
    return scale * (2 * lower * (lower + 1) / (k * (2 * lower + 1)));
}

/* The value with an index among all in increasing order, of which there are enough. */
static double find_value(const weft_quantiles *q, int64_t index)
{
    const int64_t *negative = q->count + q->bins + 1;
    int64_t seen = 0;
    for (int64_t i = q->bins; i >= 0; i--) {
        seen += negative[i];
        if (index < seen) {
            return -bin_value(q, i);
        }
    }
    seen += q->small;
    for (int64_t i = 0; i < q->bins && index >= seen; i++) {
        seen += q->count[i];
        if (index < seen) {
            return bin_value(q, i);
        }
    }
    return index < seen ? 0 : (double)INFINITY;
}

static weft_status quantiles_finish(const weft_reduction *r, const char *name,
                                    const void *accumulator, void *value, error *e)
{
    (void)name, (void)e;
    const weft_quantiles *q = accumulator;
    double *v = value;
    int64_t total = q->small;
    for (int64_t i = 0; i < 2 * (q->bins + 1); i++) {
        total += q->count[i];
    }
    for (int64_t i = 0; i < r->count; i++) {
        v[i] = total == 0 ? reduction_nan()
                          : find_value(q, (int64_t)(r->number[i] * (double)(total - 1)));
    }
    return WEFT_OK;
}

static void quantiles_add(const weft_reduction *r, void *accumulator,
                          const reduction_values *values)
{
    (void)r;
    for (int64_t i = 0; i < values->items * values->each; i++) {
        weft_quantiles_add(accumulator, values->x[i]);
    }
}

const reduction_kind reduction_quantiles = {.name = "quantiles",
                                            .check = quantiles_check,
                                            .bytes = quantiles_bytes,
                                            .value = quantiles_value,
                                            .init = quantiles_init,
                                            .merge = quantiles_merge,
                                            .finish = quantiles_finish,
                                            .add = quantiles_add};
