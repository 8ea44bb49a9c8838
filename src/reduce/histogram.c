/* SPDX-License-Identifier: BSD-3-Clause */
/* How many values are in each of the bins between given edges. */
#include "reduce/kind.h"

#include <inttypes.h>
#include <string.h>

/* What is counted besides the bins, behind them. */
enum { UNDER, OVER, NOT_A_NUMBER, OUTSIDE };

/* The edges lie behind the counts, since an accumulator has no pointers. */
struct weft_histogram {
    int64_t bins;
    int64_t count[];
};

static int64_t histogram_numbers(int64_t bins)
{
    return 1 + bins + OUTSIDE + bins + 1;
}

static inline double edge(const weft_histogram *h, int64_t i)
{
    double x;
    memcpy(&x, &h->count[h->bins + OUTSIDE + i], sizeof x);
    return x;
}

/* The last of the bins whose lower edge is not above x, which is not below the first edge. */
static int64_t find_bin(const weft_histogram *h, double x)
{
    int64_t first = 0;
    for (int64_t left = h->bins; left > 1;) {
        const int64_t half = left / 2;
        first = edge(h, first + half) <= x ? first + half : first;
        left -= half;
    }
    return first;
}

void weft_histogram_add(weft_histogram *histogram, double x)
{
    weft_histogram *h = histogram;
    int64_t at = h->bins;
    if (x != x) {
        at += NOT_A_NUMBER;
    } else if (x < edge(h, 0)) {
        at += UNDER;
    } else if (x > edge(h, h->bins)) {
        at += OVER;
    } else {
        at = find_bin(h, x);
    }
    h->count[at]++;
}

static weft_status histogram_check(const weft_reduction *r, const char *name, error *e)
{
    if (r->count < 1 || r->number == NULL) {
        return error_set(e, WEFT_ERR_USAGE,
                         "reduction '%s': a histogram of %" PRId64 " bins%s; there is at least one",
                         name, r->count, r->number == NULL ? " without edges" : "");
    }
    const int64_t most = WEFT_MAX_ACCUMULATOR_BYTES / (int64_t)(2 * sizeof(double)) - OUTSIDE;
    if (r->count > most) {
        return error_set(e, WEFT_ERR_USAGE,
                         "reduction '%s': a histogram of %" PRId64 " bins; there are at most "
                         "%" PRId64,
                         name, r->count, most);
    }
    for (int64_t i = 0; i <= r->count; i++) {
        if (r->number[i] != r->number[i]) {
            return error_set(e, WEFT_ERR_USAGE,
                             "reduction '%s': edge %" PRId64 " is not a number: give edges that "
                             "increase",
                             name, i);
        }
        if (i > 0 && r->number[i] <= r->number[i - 1]) {
            return error_set(e, WEFT_ERR_USAGE,
                             "reduction '%s': edge %" PRId64 ", %.17g, is not above the one before "
                             "it, %.17g: give edges that increase",
                             name, i, r->number[i], r->number[i - 1]);
        }
    }
    return WEFT_OK;
}

static int64_t histogram_bytes(const weft_reduction *r)
{
    return histogram_numbers(r->count) * (int64_t)sizeof(int64_t);
}

static reduction_value histogram_value(const weft_reduction *r)
{
    return reduction_vector(WEFT_INT64, r->count + OUTSIDE);
}

static void histogram_init(const weft_reduction *r, void *accumulator)
{
    weft_histogram *h = accumulator;
    h->bins = r->count;
    memset(h->count, 0, (size_t)(r->count + OUTSIDE) * sizeof h->count[0]);
    memcpy(&h->count[r->count + OUTSIDE], r->number, (size_t)(r->count + 1) * sizeof r->number[0]);
}

static void histogram_merge(const weft_reduction *r, void *accumulator, const void *next)
{
    weft_histogram *to = accumulator;
    const weft_histogram *from = next;
    for (int64_t i = 0; i < r->count + OUTSIDE; i++) {
        to->count[i] += from->count[i];
    }
}

static weft_status histogram_finish(const weft_reduction *r, const char *name,
                                    const void *accumulator, void *value, error *e)
{
    (void)name, (void)e;
    const weft_histogram *h = accumulator;
    memcpy(value, h->count, (size_t)(r->count + OUTSIDE) * sizeof h->count[0]);
    return WEFT_OK;
}

static void histogram_add(const weft_reduction *r, void *accumulator,
                          const reduction_values *values)
{
    (void)r;
    for (int64_t i = 0; i < values->items * values->each; i++) {
        weft_histogram_add(accumulator, values->x[i]);
    }
}

const reduction_kind reduction_histogram = {.name = "histogram: the bins, below, above, NaN",
                                            .check = histogram_check,
                                            .bytes = histogram_bytes,
                                            .value = histogram_value,
                                            .init = histogram_init,
                                            .merge = histogram_merge,
                                            .finish = histogram_finish,
                                            .add = histogram_add};
