/* SPDX-License-Identifier: BSD-3-Clause */
/* Count, mean, and central moments up to the fourth: sums of powers about a centre that follows the
 * mean. It does so after 1, 2, 4 … 64 values, and then after every 64, so that a value costs a few
 * multiplications, and an accumulator keeps no values.
 *
 * This file is compiled without contraction. */
#include "reduce/kind.h"

#include <math.h>
#include <stdbool.h>
#include <string.h>

enum { BLOCK = 64 };

struct weft_moments {
    int64_t count; /* of finite values */
    int64_t until; /* the centre stays up to this count of values */
    double centre;
    double first; /* Σ(x - centre) … */
    double second;
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

/* The sums of powers of x - centre - d, by the binomial theorem. */
static void shift(weft_moments *m, double d)
{
    const double nd = (double)m->count * d;
    m->fourth -= d * (4 * m->third - d * (6 * m->second - d * (4 * m->first - nd)));
    m->third -= d * (3 * m->second - d * (3 * m->first - nd));
    m->second -= d * (2 * m->first - nd);
    m->first -= nd;
}

static void move(weft_moments *m, double centre)
{
    shift(m, centre - m->centre);
    m->centre = centre;
}

static double mean_of(const weft_moments *m)
{
    return m->centre + m->first / (double)m->count;
}

/* Since the centre was the mean, no more values were added than there were then; so no more than
 * half of Σ(x - centre)² is due to its distance from the mean, and no digits cancel. */
static void follow(weft_moments *m, double next)
{
    if (m->count == 0) {
        m->centre = next;
        m->until = 1;
        return;
    }
    move(m, mean_of(m));
    m->until += m->count < BLOCK ? m->count : BLOCK;
}

static inline bool is_finite(double x)
{
    return fabs(x) <= 0x1.fffffffffffffp+1023;
}

/* Adds finite values that the centre stays for. */
static inline void add_finite(weft_moments *m, int64_t n, const double x[])
{
    double first = m->first, second = m->second, third = m->third, fourth = m->fourth;
    for (int64_t i = 0; i < n; i++) {
        const double d = x[i] - m->centre;
        const double square = d * d;
        first += d;
        second += square;
        third += square * d;
        fourth += square * square;
    }
    m->first = first, m->second = second, m->third = third, m->fourth = fourth;
    m->count += n;
}

void weft_moments_add(weft_moments *moments, double x)
{
    if (!is_finite(x)) {
        count_special(moments, x);
        return;
    }
    if (moments->count == moments->until) {
        follow(moments, x);
    }
    add_finite(moments, 1, &x);
}

void weft_moments_add_array(weft_moments *moments, int64_t n, const double x[])
{
    for (int64_t i = 0; i < n;) {
        weft_moments_add(moments, x[i++]);
        const int64_t room = moments->until - moments->count;
        int64_t run = 0;
        while (run < room && i + run < n && is_finite(x[i + run])) {
            run++;
        }
        add_finite(moments, run, x + i);
        i += run;
    }
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

/* Adds those of finite values, both about their common mean. */
static void merge_finite(weft_moments *to, const weft_moments *next)
{
    weft_moments from = *next;
    const double share = (double)from.count / (double)(to->count + from.count);
    const double mean = mean_of(to);
    const double common = mean + share * (mean_of(&from) - mean);
    move(to, common);
    move(&from, common);
    to->count += from.count;
    to->until = to->count;
    to->first += from.first;
    to->second += from.second;
    to->third += from.third;
    to->fourth += from.fourth;
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
    weft_moments m = *(const weft_moments *)accumulator;
    const int64_t special = m.nan + m.positive + m.negative;
    const double n = (double)m.count;
    weft_moments_value v = {.count = (double)(m.count + special),
                            .mean = special > 0 ? infinite_mean(&m) : reduction_nan(),
                            .error = reduction_nan(),
                            .variance = reduction_nan(),
                            .skewness = reduction_nan(),
                            .kurtosis = reduction_nan()};
    if (special == 0 && m.count > 0) {
        v.mean = reduction_clean(mean_of(&m));
        shift(&m, m.first / n);
    }
    if (special == 0 && m.count > 1) {
        v.variance = reduction_clean(m.second / (n - 1));
        v.error = reduction_clean(sqrt(m.second / (n - 1) / n));
    }
    if (special == 0 && m.second > 0) {
        const double variance = m.second / n;
        v.skewness = reduction_clean(m.third / n / (variance * sqrt(variance)));
        v.kurtosis = reduction_clean(m.fourth / n / (variance * variance) - 3);
    }
    memcpy(value, &v, sizeof v);
    return WEFT_OK;
}

static void moments_add(const weft_reduction *r, void *accumulator, const reduction_values *values)
{
    (void)r;
    weft_moments_add_array(accumulator, values->items * values->each, values->x);
}

const reduction_kind reduction_moments = {
    .name = "moments: count, mean, error of the mean, variance, skewness, kurtosis",
    .bytes = moments_bytes,
    .value = moments_value,
    .init = moments_init,
    .merge = moments_merge,
    .finish = moments_finish,
    .add = moments_add};
