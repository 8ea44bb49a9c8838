/* SPDX-License-Identifier: BSD-3-Clause */
/* Count, mean, and central moments up to the fourth (Pébay: Formulas for robust, one-pass parallel
 * computation of covariances and arbitrary-order statistical moments, 2008).
 *
 * This file is compiled without contraction. */
#include "reduce/kind.h"

#include <math.h>
#include <string.h>

struct weft_moments {
    int64_t count; /* of finite values */
    double mean;
    double second; /* Σ(x - mean)² … */
    double third;
    double fourth;
    int64_t nan;
    int64_t positive; /* infinities */
    int64_t negative;
};

static void count_special(weft_moments *m, double x)
{
    if (x > 0) {
        m->positive++;
    } else if (x < 0) {
        m->negative++;
    } else {
        m->nan++;
    }
}

void weft_moments_add(weft_moments *moments, double x)
{
    weft_moments *m = moments;
    if (!(fabs(x) <= 0x1.fffffffffffffp+1023)) {
        count_special(m, x);
        return;
    }
    const double before = (double)m->count;
    const double n = (double)++m->count;
    const double delta = x - m->mean;
    const double step = delta / n;
    const double square = step * step;
    const double term = delta * step * before;
    m->mean += step;
    m->fourth += term * square * (n * n - 3 * n + 3) + 6 * square * m->second - 4 * step * m->third;
    m->third += term * step * (n - 2) - 3 * step * m->second;
    m->second += term;
}

static int64_t moments_bytes(const weft_reduction *r)
{
    (void)r;
    return (int64_t)sizeof(weft_moments);
}

static reduction_value moments_value(const weft_reduction *r)
{
    (void)r;
    return reduction_vector(WEFT_FLOAT64, sizeof(weft_moments_value) / sizeof(double));
}

static void moments_init(const weft_reduction *r, void *accumulator)
{
    (void)r;
    memset(accumulator, 0, sizeof(weft_moments));
}

/* Adds those of finite values. */
static void merge_finite(weft_moments *a, const weft_moments *b)
{
    const double na = (double)a->count;
    const double nb = (double)b->count;
    const double n = na + nb;
    const double delta = b->mean - a->mean;
    const double step = delta / n;
    const double square = step * step;
    a->count += b->count;
    a->mean += nb * step;
    a->fourth += b->fourth + delta * step * square * na * nb * (na * na - na * nb + nb * nb) +
                 6 * square * (na * na * b->second + nb * nb * a->second) +
                 4 * step * (na * b->third - nb * a->third);
    a->third += b->third + delta * square * na * nb * (na - nb) +
                3 * step * (na * b->second - nb * a->second);
    a->second += b->second + delta * step * na * nb;
}

static void moments_merge(const weft_reduction *r, void *accumulator, const void *next)
{
    (void)r;
    weft_moments *to = accumulator;
    const weft_moments *from = next;
    const int64_t nan = to->nan + from->nan;
    const int64_t positive = to->positive + from->positive;
    const int64_t negative = to->negative + from->negative;
    if (to->count == 0) {
        *to = *from;
    } else if (from->count > 0) {
        merge_finite(to, from);
    }
    to->nan = nan;
    to->positive = positive;
    to->negative = negative;
}

static double infinite_mean(const weft_moments *m)
{
    if (m->nan > 0 || (m->positive > 0 && m->negative > 0)) {
        return reduction_nan();
    }
    return m->positive > 0 ? (double)INFINITY : -(double)INFINITY;
}

static weft_status moments_finish(const weft_reduction *r, const char *name,
                                  const void *accumulator, void *value, error *e)
{
    (void)r, (void)name, (void)e;
    const weft_moments *m = accumulator;
    const int64_t special = m->nan + m->positive + m->negative;
    const double n = (double)m->count;
    weft_moments_value v = {.count = (double)(m->count + special),
                            .mean = special > 0 ? infinite_mean(m) : reduction_nan(),
                            .error = reduction_nan(),
                            .variance = reduction_nan(),
                            .skewness = reduction_nan(),
                            .kurtosis = reduction_nan()};
    if (special == 0 && m->count > 0) {
        v.mean = reduction_clean(m->mean);
    }
    if (special == 0 && m->count > 1) {
        v.variance = reduction_clean(m->second / (n - 1));
        v.error = reduction_clean(sqrt(m->second / (n - 1) / n));
    }
    if (special == 0 && m->second > 0) {
        const double variance = m->second / n;
        v.skewness = reduction_clean(m->third / n / (variance * sqrt(variance)));
        v.kurtosis = reduction_clean(m->fourth / n / (variance * variance) - 3);
    }
    memcpy(value, &v, sizeof v);
    return WEFT_OK;
}

static void moments_add(const weft_reduction *r, void *accumulator, const reduction_values *values)
{
    (void)r;
    for (int64_t i = 0; i < values->items * values->each; i++) {
        weft_moments_add(accumulator, values->x[i]);
    }
}

const reduction_kind reduction_moments = {
    .name = "moments: count, mean, error of the mean, variance, skewness, kurtosis",
    .bytes = moments_bytes,
    .value = moments_value,
    .init = moments_init,
    .merge = moments_merge,
    .finish = moments_finish,
    .add = moments_add};
