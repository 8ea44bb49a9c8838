/* SPDX-License-Identifier: BSD-3-Clause */
#include "reducing.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { BINS = 4, QUANTILES = 3, VARIABLES = 2, MOST_REDUCTIONS = 8 };

static const double edges[BINS + 1] = {-0.25, 0, 0.125, 0.5, 0.7};
static const double probabilities[QUANTILES] = {0, 0.5, 1};

static const char *const reductions[][MOST_REDUCTIONS + 1] = {
    [REDUCING_DRAWN] = {"sum", "integers", "moments", "covariance", "extremes", "histogram",
                        "quantiles", "own"},
    [REDUCING_FIELDS] = {"sum", "integers", "moments", "covariance", "extremes", "histogram"},
    [REDUCING_PLAIN] = {NULL}};

/* In [-0.3, 0.7), over some binades, and exact. */
static double value_of(int64_t item)
{
    return (double)((uint64_t)item * UINT64_C(2654435761) % (UINT64_C(1) << 32)) * 0x1p-32 - 0.3;
}

static double wide_value_of(int64_t item)
{
    return ldexp(value_of(item), (int)(item % 41) * 10 - 200);
}

static bool is_listed(const char *list, int64_t item)
{
    for (const char *at = list; at != NULL && *at != '\0';) {
        char *end = NULL;
        if (strtoll(at, &end, 10) == item && end != at) {
            return true;
        }
        at = *end == ',' ? end + 1 : end;
    }
    return false;
}

static void pause_for(const reducing *w)
{
    if (w->item_us > 0) {
        const struct timespec pause = {.tv_nsec = (long)w->item_us * 1000};
        (void)nanosleep(&pause, NULL);
    }
}

/* The caller's own: the number of values, and the last one, which tells the order of merges. */
typedef struct last {
    int64_t count;
    int64_t item;
} last;

static void merge_last(void *accumulator, const void *next, void *context)
{
    last *to = accumulator;
    const last *from = next;
    (void)context;
    if (from->count > 0) {
        to->item = from->item;
    }
    to->count += from->count;
}

static int draw(const weft_span *span, void *context)
{
    const reducing *w = context;
    weft_sum *sum = weft_span_accumulator(span, 0);
    weft_int64_sum *integers = weft_span_accumulator(span, 1);
    weft_moments *moments = weft_span_accumulator(span, 2);
    weft_covariance *covariance = weft_span_accumulator(span, 3);
    weft_extremes *extremes = weft_span_accumulator(span, 4);
    weft_histogram *histogram = weft_span_accumulator(span, 5);
    weft_quantiles *quantiles = weft_span_accumulator(span, 6);
    last *own = weft_span_accumulator(span, 7);
    if (w->too_many) {
        (void)weft_span_accumulator(span, 8);
    }
    for (int64_t i = 0; i < weft_span_count(span); i++) {
        const int64_t item = weft_span_first(span) + i;
        const int64_t at = item + w->shift;
        const double x = value_of(at);
        pause_for(w);
        if (is_listed(w->fail, item)) {
            weft_span_fail(span, item, 5, "said so");
            continue;
        }
        weft_sum_add(sum, wide_value_of(at));
        weft_int64_sum_add(integers, w->overflow ? INT64_MAX : at * at - 1000);
        weft_moments_add(moments, x);
        weft_covariance_add(covariance, (double[]){x, x * x});
        weft_extremes_add(extremes, x, item);
        weft_histogram_add(histogram, x);
        weft_quantiles_add(quantiles, x);
        own->count++;
        own->item = item;
        if (is_listed(w->error, item)) {
            return 7;
        }
        if (is_listed(w->crash, item)) {
            abort();
        }
    }
    return 0;
}

static int fill(const weft_span *span, void *context)
{
    const reducing *w = context;
    double *wide = weft_span_double(span, "wide");
    int32_t *whole = weft_span_int32(span, "whole");
    float *pair = weft_span_float(span, "pair");
    for (int64_t i = 0; i < weft_span_count(span); i++) {
        const int64_t item = weft_span_first(span) + i;
        const int64_t at = item + w->shift;
        pause_for(w);
        if (is_listed(w->error, item)) {
            return 7;
        }
        if (is_listed(w->crash, item)) {
            abort();
        }
        if (is_listed(w->fail, item)) {
            weft_span_fail(span, item, 5, "said so");
        }
        wide[i] = wide_value_of(at);
        whole[i] = (int32_t)(at % 1000 - 300);
        pair[2 * i] = (float)(at % 77) - 11;
        pair[2 * i + 1] = (float)(at * at % 31) / 4;
    }
    return 0;
}

static weft_status describe_drawn(weft_session *session, const char *name, const reducing *w,
                                  weft_map **map)
{
    const weft_reducer own = {.bytes = sizeof(last),
                              .merge = merge_last,
                              .type = WEFT_INT64,
                              .ndims = 1,
                              .shape = (int64_t[]){2}};
    const struct {
        const char *name;
        weft_reduction how;
    } all[] = {{"sum", WEFT_SUM},
               {"integers", WEFT_INT64_SUM},
               {"moments", WEFT_MOMENTS},
               {"covariance", weft_covariance_of(VARIABLES)},
               {"extremes", WEFT_EXTREMES},
               {"histogram", weft_histogram_of(BINS, edges)},
               {"quantiles", weft_quantiles_of(0.01, 1e-6, 1, QUANTILES, probabilities)},
               {"own", weft_reducer_of(&own)}};
    weft_status status = weft_map_create(session, name, 1, &w->count, map);
    for (size_t i = 0; i < sizeof all / sizeof all[0] && status == WEFT_OK; i++) {
        status = weft_map_add_reduction(*map, all[i].name, all[i].how);
    }
    return status;
}

static weft_status describe_fields(weft_session *session, const char *name, const reducing *w,
                                   weft_map **map)
{
    const int64_t two = VARIABLES;
    weft_status status = weft_map_create(session, name, 1, &w->count, map);
    if (status == WEFT_OK) {
        status = weft_map_add_field(*map, "wide", WEFT_FLOAT64, 0, NULL, NULL, NULL);
    }
    if (status == WEFT_OK) {
        status = weft_map_add_field(*map, "whole", WEFT_INT32, 0, NULL, NULL, NULL);
    }
    if (status == WEFT_OK) {
        status = weft_map_add_field(*map, "pair", WEFT_FLOAT32, 1, &two, NULL, NULL);
    }
    return status;
}

static weft_status reduce_fields(weft_map *map)
{
    const struct {
        const char *field;
        weft_reduction how;
        const char *name;
    } all[] = {
        {"wide", WEFT_SUM, "sum"},           {"whole", WEFT_INT64_SUM, "integers"},
        {"wide", WEFT_MOMENTS, "moments"},   {"pair", weft_covariance_of(VARIABLES), "covariance"},
        {"pair", WEFT_EXTREMES, "extremes"}, {"pair", weft_histogram_of(BINS, edges), "histogram"}};
    weft_status status = WEFT_OK;
    for (size_t i = 0; i < sizeof all / sizeof all[0] && status == WEFT_OK; i++) {
        status = weft_map_reduce_field(map, all[i].field, all[i].how, all[i].name);
    }
    return status;
}

weft_status reducing_describe(weft_session *session, const char *name, reducing_kind kind,
                              const reducing *r, weft_map **map)
{
    if (kind == REDUCING_DRAWN) {
        return describe_drawn(session, name, r, map);
    }
    const weft_status status = describe_fields(session, name, r, map);
    return status == WEFT_OK && kind == REDUCING_FIELDS ? reduce_fields(*map) : status;
}

weft_kernel_fn reducing_kernel(reducing_kind kind)
{
    return kind == REDUCING_DRAWN ? draw : fill;
}

weft_status reducing_tell(weft_session *session, const reducing *w, weft_map *map, const char *name,
                          reducing_kind kind)
{
    char path[4096] = "/dev/null";
    if (w->told != NULL) {
        (void)snprintf(path, sizeof path, "%s%d", w->told, weft_session_rank(session));
    }
    FILE *file = fopen(path, "a");
    weft_status status = file == NULL ? WEFT_ERR_SYSTEM : WEFT_OK;
    const char *const *names = reductions[kind];
    for (int i = 0; names[i] != NULL && status == WEFT_OK; i++) {
        unsigned char value[256] = {0};
        status = weft_map_get(map, names[i], value);
        (void)fprintf(file, "%s/%s ", name, names[i]);
        for (size_t k = 0; k < sizeof value; k++) {
            (void)fprintf(file, "%02x%s", value[k], k + 1 == sizeof value ? "\n" : "");
        }
    }
    if (file != NULL) {
        (void)fclose(file);
    }
    return status;
}

weft_status reducing_check(weft_session *session, const reducing *w, weft_map *map,
                           reducing_kind kind)
{
    if (kind == REDUCING_DRAWN) {
        return WEFT_OK;
    }
    double *wide = malloc((size_t)w->count * sizeof *wide + 1);
    float *pair = malloc((size_t)w->count * VARIABLES * sizeof *pair + 1);
    const int64_t part = w->count / 3;
    weft_status status = wide == NULL || pair == NULL ? WEFT_ERR_MEMORY : WEFT_OK;
    if (status == WEFT_OK) {
        status = weft_map_read(map, "wide", 0, part, wide);
    }
    if (status == WEFT_OK) {
        status = weft_map_read(map, "pair", part, w->count - part, pair + part * VARIABLES);
    }
    if (status == WEFT_OK) {
        status = weft_map_read(map, "wide", part, w->count - part, wide + part);
    }
    if (status == WEFT_OK) {
        status = weft_map_read(map, "pair", 0, part, pair);
    }
    for (int64_t i = 0; i < w->count && status == WEFT_OK; i++) {
        const bool failed =
            is_listed(w->fail, i) || is_listed(w->error, i) || is_listed(w->crash, i);
        const bool good = failed ? isnan(wide[i]) && isnan(pair[2 * i])
                                 : wide[i] == wide_value_of(i + w->shift) &&
                                       pair[VARIABLES * i] == (float)((i + w->shift) % 77 - 11);
        if (!good) {
            status = weft_error(session, WEFT_ERR_CORRUPT, "item %" PRId64 " is %g and %g", i,
                                wide[i], (double)pair[VARIABLES * i]);
        }
    }
    free(pair);
    free(wide);
    return status;
}
