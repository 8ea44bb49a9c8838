/* SPDX-License-Identifier: BSD-3-Clause */
/* Means and covariances of several variables: sums, and sums of products, about a centre that
 * follows the means as that of moments does (see moments.c), so that a value costs no division.
 *
 * This file is compiled without contraction. */
#include "reduce/kind.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

enum { BLOCK = 64 };

struct weft_covariance {
    int64_t variables;
    int64_t count;
    int64_t until; /* the centre stays up to this count of values */
    /* The centre, Σ(xᵢ - centreᵢ), and Σ(xᵢ - centreᵢ)(xⱼ - centreⱼ) for j <= i, row by row. */
    double number[];
};

static double finite_or_nan(double x)
{
    return fabs(x) <= 0x1.fffffffffffffp+1023 ? x : reduction_nan();
}

static double mean_of(const weft_covariance *c, int64_t i)
{
    return c->number[i] + c->number[c->variables + i] / (double)c->count;
}

/* The sum of products of variables i and j <= i about a centre that differs by d. */
static double moved(const weft_covariance *c, const double d[], int64_t i, int64_t j)
{
    const double *sum = c->number + c->variables;
    const double *product = sum + c->variables + i * (i + 1) / 2;
    return product[j] - (d[j] * sum[i] + d[i] * (sum[j] - (double)c->count * d[j]));
}

static void move(weft_covariance *c, const double to[])
{
    double *sum = c->number + c->variables;
    double *product = sum + c->variables;
    double d[WEFT_MAX_VARIABLES];
    for (int64_t i = 0; i < c->variables; i++) {
        d[i] = to[i] - c->number[i];
        for (int64_t j = 0; j <= i; j++) {
            *product++ = moved(c, d, i, j);
        }
    }
    for (int64_t i = 0; i < c->variables; i++) {
        c->number[i] = to[i];
        sum[i] -= (double)c->count * d[i];
    }
}

static void follow(weft_covariance *c, const double next[])
{
    double mean[WEFT_MAX_VARIABLES];
    if (c->count == 0) {
        for (int64_t i = 0; i < c->variables; i++) {
            c->number[i] = finite_or_nan(next[i]);
        }
        c->until = 1;
        return;
    }
    for (int64_t i = 0; i < c->variables; i++) {
        mean[i] = mean_of(c, i);
    }
    move(c, mean);
    c->until += c->count < BLOCK ? c->count : BLOCK;
}

/* Adds a value of each of k variables, which the centre stays for. */
static inline void add(weft_covariance *c, int64_t k, const double x[])
{
    double *sum = c->number + k;
    double *product = sum + k;
    double d[WEFT_MAX_VARIABLES];
    for (int64_t i = 0; i < k; i++) {
        d[i] = finite_or_nan(x[i]) - c->number[i];
    }
    for (int64_t i = 0; i < k; i++) {
        sum[i] += d[i];
        for (int64_t j = 0; j <= i; j++) {
            *product++ += d[i] * d[j];
        }
    }
    c->count++;
}

void weft_covariance_add(weft_covariance *covariance, const double x[])
{
    if (covariance->count == covariance->until) {
        follow(covariance, x);
    }
    /* For a pair, as of a value and its control variate, there are no loops. */
    if (covariance->variables == 2) {
        add(covariance, 2, x);
    } else {
        add(covariance, covariance->variables, x);
    }
}

static int64_t numbers(int64_t k)
{
    return 2 * k + k * (k + 1) / 2;
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

/* Adds what the other has, about the means of both. */
static void merge(weft_covariance *to, const weft_covariance *from)
{
    const int64_t k = to->variables;
    const double share = (double)from->count / (double)(to->count + from->count);
    double *sum = to->number + k;
    double *product = sum + k;
    double common[WEFT_MAX_VARIABLES] = {0};
    double d[WEFT_MAX_VARIABLES];
    for (int64_t i = 0; i < k; i++) {
        const double mean = mean_of(to, i);
        common[i] = mean + share * (mean_of(from, i) - mean);
        d[i] = common[i] - from->number[i];
    }
    move(to, common);
    for (int64_t i = 0; i < k; i++) {
        sum[i] += from->number[k + i] - (double)from->count * d[i];
        for (int64_t j = 0; j <= i; j++) {
            *product++ += moved(from, d, i, j);
        }
    }
    to->count += from->count;
    to->until = to->count;
}

static void covariance_merge(const weft_reduction *r, void *accumulator, const void *next)
{
    weft_covariance *to = accumulator;
    const weft_covariance *from = next;
    if (to->count == 0) {
        memcpy(to, from, (size_t)covariance_bytes(r));
    } else if (from->count > 0) {
        merge(to, from);
    }
}

static weft_status covariance_finish(const weft_reduction *r, const char *name,
                                     const void *accumulator, void *value, error *e)
{
    (void)name, (void)e;
    const weft_covariance *c = accumulator;
    const int64_t k = r->count;
    double d[WEFT_MAX_VARIABLES];
    double *v = value;
    v[0] = (double)c->count;
    for (int64_t i = 0; i < k; i++) {
        const double mean = c->count > 0 ? mean_of(c, i) : reduction_nan();
        d[i] = mean - c->number[i];
        v[1 + i] = reduction_clean(mean);
        for (int64_t j = 0; j <= i; j++) {
            const double x =
                c->count > 1 ? moved(c, d, i, j) / (double)(c->count - 1) : reduction_nan();
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
