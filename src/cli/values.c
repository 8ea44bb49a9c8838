/* SPDX-License-Identifier: BSD-3-Clause */
/* The values of a map's reductions, as `weft status` tells of them. */
#include "values.h"

#include "base/terminal.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Of a histogram, of quantiles, of a value of the program's own, no more is shown; --json has all.
 */
enum { MOST_BINS = 24, MOST_ELEMENTS = 12, BAR = 40 };

/* Behind the bins of a histogram. */
enum { BELOW, ABOVE, NOT_A_NUMBER, OUTSIDE };

/* An element of any type. */
typedef union element {
#define ELEMENT(name, ctype, text) ctype as_##name;
    WEFT_TYPE_MAP(ELEMENT)
#undef ELEMENT
} element;

static element element_of(const report_value *v, int64_t number)
{
    const size_t bytes = weft_type_bytes(v->info.type);
    element x = {0};
    memcpy(&x, v->value + (size_t)number * bytes, bytes);
    return x;
}

double value_element(const report_value *v, int64_t number)
{
    const element x = element_of(v, number);
    switch (v->info.type) {
#define CASE(name, ctype, text) \
    case name:                  \
        return (double)x.as_##name;
        WEFT_TYPE_MAP(CASE)
#undef CASE
    case WEFT_TYPE_COUNT:
        break;
    }
    return (double)NAN;
}

bool value_is_integer(const report_value *v)
{
    /* What has 64 bits without a sign need not fit. */
    return v->info.type != WEFT_FLOAT32 && v->info.type != WEFT_FLOAT64 &&
           v->info.type != WEFT_LONG_DOUBLE && v->info.type != WEFT_UINT64;
}

int64_t value_integer(const report_value *v, int64_t number)
{
    const element x = element_of(v, number);
    switch (v->info.type) {
#define CASE(name)    \
    case WEFT_##name: \
        return x.as_WEFT_##name;
        CASE(INT8)
        CASE(INT16)
        CASE(INT32)
        CASE(INT64)
        CASE(UINT8)
        CASE(UINT16)
        CASE(UINT32)
#undef CASE
    case WEFT_UINT64:
    case WEFT_FLOAT32:
    case WEFT_FLOAT64:
    case WEFT_LONG_DOUBLE:
    case WEFT_TYPE_COUNT:
        break;
    }
    return 0;
}

int64_t value_elements(const report_value *v)
{
    return v->info.value_bytes / (int64_t)weft_type_bytes(v->info.type);
}

/* Whether k variables have that many means and covariances. */
static bool is_covariance(int64_t elements)
{
    int64_t k = 1;
    while (k <= WEFT_MAX_VARIABLES && 1 + k + k * k < elements) {
        k++;
    }
    return k <= WEFT_MAX_VARIABLES && 1 + k + k * k == elements;
}

/* What a file says of a value need not be true. */
static bool is_of_kind(const report_value *v)
{
    const weft_type type = v->info.type;
    const int64_t elements = value_elements(v);
    switch (v->info.kind) {
    case WEFT_REDUCE_SUM:
        return type == WEFT_FLOAT64 && elements == 1;
    case WEFT_REDUCE_INT64_SUM:
        return type == WEFT_INT64 && elements == 1;
    case WEFT_REDUCE_MOMENTS:
        return type == WEFT_FLOAT64 && v->info.value_bytes == (int64_t)sizeof(weft_moments_value);
    case WEFT_REDUCE_COVARIANCE:
        return type == WEFT_FLOAT64 && is_covariance(elements);
    case WEFT_REDUCE_EXTREMES:
        return type == WEFT_FLOAT64 && v->info.value_bytes == (int64_t)sizeof(weft_extremes_value);
    case WEFT_REDUCE_HISTOGRAM:
        return type == WEFT_INT64 && v->info.ndims == 1 && elements > OUTSIDE;
    case WEFT_REDUCE_QUANTILES:
        return type == WEFT_FLOAT64 && v->info.ndims == 1;
    case WEFT_REDUCE_OWN:
    case WEFT_REDUCE_KINDS:
        break;
    }
    return false;
}

weft_status value_read(weft_result *result, int reduction, report_value *v)
{
    v->info = *weft_result_reduction(result, reduction);
    terminal_clean(v->info.name);
    terminal_clean(v->info.what);
    v->value = malloc((size_t)v->info.value_bytes + 1);
    if (v->value == NULL) {
        return WEFT_ERR_MEMORY;
    }
    v->info.kind = is_of_kind(v) ? v->info.kind : WEFT_REDUCE_OWN;
    v->status = weft_result_get_value(result, reduction, v->value);
    if (v->status == WEFT_OK && v->info.numbers > 0) {
        v->numbers = malloc((size_t)v->info.numbers * sizeof *v->numbers);
        if (v->numbers == NULL) {
            return WEFT_ERR_MEMORY;
        }
        if (weft_result_get_numbers(result, reduction, v->numbers) != WEFT_OK) {
            free(v->numbers);
            v->numbers = NULL;
        }
    }
    return v->status == WEFT_ERR_NOT_FOUND || v->status == WEFT_ERR_CORRUPT ? WEFT_OK : v->status;
}

void value_release(report_value *v)
{
    free(v->numbers);
    free(v->value);
}

static void print_moments(const report_value *v)
{
    weft_moments_value m;
    memcpy(&m, v->value, sizeof m);
    (void)printf("%.10g +- %.3g (error of the mean), %.0f values, standard deviation %.6g, "
                 "skewness %.4g, kurtosis %.4g\n",
                 m.mean, m.error, m.count, sqrt(m.variance), m.skewness, m.kurtosis);
}

static void print_extremes(const report_value *v)
{
    weft_extremes_value x;
    memcpy(&x, v->value, sizeof x);
    if (x.count > 0) {
        (void)printf("%.10g at item %.0f to %.10g at item %.0f, %.0f values", x.minimum,
                     x.minimum_item, x.maximum, x.maximum_item, x.count);
    } else {
        (void)printf("no values");
    }
    (void)printf(x.nan > 0 ? ", and %.0f NaN\n" : "\n", x.nan);
}

static void print_covariance(const report_value *v)
{
    int64_t k = 1;
    while (1 + k + k * k < value_elements(v)) {
        k++;
    }
    (void)printf("means");
    for (int64_t i = 0; i < k && i < MOST_ELEMENTS; i++) {
        (void)printf(" %.6g", value_element(v, 1 + i));
    }
    (void)printf("%s, standard deviations", k > MOST_ELEMENTS ? " ..." : "");
    for (int64_t i = 0; i < k && i < MOST_ELEMENTS; i++) {
        (void)printf(" %.6g", sqrt(value_element(v, 1 + k + i * (k + 1))));
    }
    (void)printf("%s, %.0f values; --json has the covariances\n", k > MOST_ELEMENTS ? " ..." : "",
                 value_element(v, 0));
}

/* Neighbouring bins are taken together where there are many. */
static void print_bins(const report_value *v, int64_t bins, int indent)
{
    const int64_t together = (bins + MOST_BINS - 1) / MOST_BINS;
    int64_t most = 1;
    for (int pass = 0; pass < 2; pass++) {
        for (int64_t first = 0; first < bins; first += together) {
            const int64_t end = first + together < bins ? first + together : bins;
            int64_t count = 0;
            for (int64_t i = first; i < end; i++) {
                count += value_integer(v, i);
            }
            if (pass == 0) {
                most = count > most ? count : most;
                continue;
            }
            char bar[BAR + 1] = "";
            memset(bar, '#', (size_t)ceil(BAR * (double)count / (double)most));
            (void)printf("%*s%12.6g to %-12.6g %12" PRId64 "%s%s\n", indent, "", v->numbers[first],
                         v->numbers[end], count, count > 0 ? " " : "", bar);
        }
    }
}

static void print_histogram(const report_value *v, int indent)
{
    const int64_t bins = value_elements(v) - OUTSIDE;
    int64_t inside = 0;
    bool good = true;
    for (int64_t i = 0; i < bins + OUTSIDE; i++) {
        good = good && value_integer(v, i) >= 0;
        inside += i < bins && good ? value_integer(v, i) : 0;
    }
    (void)printf("%" PRId64 " values in %" PRId64 " bins, %" PRId64 " below, %" PRId64
                 " above, %" PRId64 " NaN\n",
                 inside, bins, value_integer(v, bins + BELOW), value_integer(v, bins + ABOVE),
                 value_integer(v, bins + NOT_A_NUMBER));
    if (v->numbers != NULL && good) {
        print_bins(v, bins, indent);
    }
}

static void print_quantiles(const report_value *v)
{
    const int64_t count = value_elements(v);
    for (int64_t i = 0; i < count && i < MOST_ELEMENTS; i++) {
        const double x = value_element(v, i);
        (void)printf(i > 0 ? ", " : "");
        (void)(v->numbers == NULL ? printf("%.10g", x)
                                  : printf("%g %%: %.10g", 100 * v->numbers[i], x));
    }
    (void)printf("%s\n", count > MOST_ELEMENTS ? ", ... (--json has all)" : "");
}

static void print_own(const report_value *v)
{
    const int64_t count = value_elements(v);
    for (int64_t i = 0; i < count && i < MOST_ELEMENTS; i++) {
        (void)(value_is_integer(v) ? printf("%s%" PRId64, i > 0 ? " " : "", value_integer(v, i))
                                   : printf("%s%.10g", i > 0 ? " " : "", value_element(v, i)));
    }
    (void)printf("%s\n", count > MOST_ELEMENTS ? " ... (--json has all)" : "");
}

void value_print(const report_value *v, int indent)
{
    if (v->status != WEFT_OK) {
        (void)printf(v->status == WEFT_ERR_NOT_FOUND
                         ? "no value yet\n"
                         : "damaged; the job's command, run again, makes it anew\n");
        return;
    }
    switch (v->info.kind) {
    case WEFT_REDUCE_SUM:
        (void)printf("%.17g\n", value_element(v, 0));
        break;
    case WEFT_REDUCE_MOMENTS:
        print_moments(v);
        break;
    case WEFT_REDUCE_COVARIANCE:
        print_covariance(v);
        break;
    case WEFT_REDUCE_EXTREMES:
        print_extremes(v);
        break;
    case WEFT_REDUCE_HISTOGRAM:
        print_histogram(v, indent);
        break;
    case WEFT_REDUCE_QUANTILES:
        print_quantiles(v);
        break;
    case WEFT_REDUCE_INT64_SUM:
    case WEFT_REDUCE_OWN:
    case WEFT_REDUCE_KINDS:
        print_own(v);
        break;
    }
}
