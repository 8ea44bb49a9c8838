/* SPDX-License-Identifier: BSD-3-Clause */
/* Means and covariances of several variables (Pébay, 2008, as for moments).
 *
 * This file is compiled without contraction. */
#include "reduce/kind.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

/* Behind the means lie Σ(xᵢ - mean)(xⱼ - mean) for j <= i, row by row. */
struct weft_covariance {
    int64_t variables;
    int64_t count;
    double mean[];
};

static double finite_or_nan(double x)
{
    return fabs(x) <= 0x1.fffffffffffffp+1023 ? x : reduction_nan();
}

/* Goes to other means, which differ by `difference`, with the weight that both sides have in the
 * products, and the share of the way that the means go. */
static void shift(weft_covariance *c, const double to[], double weight, double share)
{
    double *product = c->mean + c->variables;
    for (int64_t i = 0; i < c->variables; i++) {
        const double weighted = weight * (finite_or_nan(to[i]) - c->mean[i]);
        for (int64_t j = 0; j <= i; j++) {
            *product++ += weighted * (finite_or_nan(to[j]) - c->mean[j]);
        }
    }
    for (int64_t i = 0; i < c->variables; i++) {
        c->mean[i] += share * (finite_or_nan(to[i]) - c->mean[i]);
    }
}

void weft_covariance_add(weft_covariance *covariance, const double x[])
{
    const double before = (double)covariance->count;
    const double n = (double)++covariance->count;
    shift(covariance, x, before / n, 1 / n);
}

static int64_t numbers(int64_t k)
{
    return k + k * (k + 1) / 2;
}

static weft_status covariance_check(const weft_reduction *r, const char *name, error *e)
{
    if (r->count < 1 || r->count > WEFT_MAX_VARIABLES) {
        return error_set(e, WEFT_ERR_USAGE,
                         "reduction '%s': a covariance of %" PRId64
                         " variables; there may be 1 to %d",
                         name, r->count, WEFT_MAX_VARIABLES);
    }
    return WEFT_OK;
}

static int64_t covariance_bytes(const weft_reduction *r)
{
    return (int64_t)sizeof(weft_covariance) + numbers(r->count) * (int64_t)sizeof(double);
}

static reduction_value covariance_value(const weft_reduction *r)
{
    return reduction_vector(WEFT_FLOAT64, 1 + r->count + r->count * r->count);
}

static void covariance_init(const weft_reduction *r, void *accumulator)
{
    weft_covariance *c = accumulator;
    memset(c, 0, (size_t)covariance_bytes(r));
    c->variables = r->count;
}

static void covariance_merge(const weft_reduction *r, void *accumulator, const void *next)
{
    weft_covariance *to = accumulator;
    const weft_covariance *from = next;
    const int64_t k = r->count;
    if (to->count == 0 || from->count == 0) {
        if (from->count > 0) {
            memcpy(to, from, (size_t)covariance_bytes(r));
        }
        return;
    }
    const double n = (double)(to->count + from->count);
    shift(to, from->mean, (double)to->count * ((double)from->count / n), (double)from->count / n);
    for (int64_t i = k; i < numbers(k); i++) {
        to->mean[i] += from->mean[i];
    }
    to->count += from->count;
}

static weft_status covariance_finish(const weft_reduction *r, const char *name,
                                     const void *accumulator, void *value, error *e)
{
    (void)name, (void)e;
    const weft_covariance *c = accumulator;
    const int64_t k = r->count;
    const double *product = c->mean + k;
    double *v = value;
    v[0] = (double)c->count;
    for (int64_t i = 0; i < k; i++) {
        v[1 + i] = c->count > 0 ? reduction_clean(c->mean[i]) : reduction_nan();
        for (int64_t j = 0; j <= i; j++) {
            const double x = c->count > 1 ? *product++ / (double)(c->count - 1) : reduction_nan();
            v[1 + k + i * k + j] = reduction_clean(x);
            v[1 + k + j * k + i] = reduction_clean(x);
        }
    }
    return WEFT_OK;
}

static void covariance_add(const weft_reduction *r, void *accumulator,
                           const reduction_values *values)
{
    for (int64_t i = 0; i < values->items; i++) {
        weft_covariance_add(accumulator, values->x + i * r->count);
    }
}

const reduction_kind reduction_covariance = {.name =
                                                 "covariance: count, means, covariances row by row",
                                             .check = covariance_check,
                                             .bytes = covariance_bytes,
                                             .value = covariance_value,
                                             .init = covariance_init,
                                             .merge = covariance_merge,
                                             .finish = covariance_finish,
                                             .add = covariance_add};
