/* SPDX-License-Identifier: BSD-3-Clause */
/* reduces: two maps of one result with reductions of every kind, from fields and by the kernel,
 * and one with none; writes down their values, and reads fields back. What test_reductions.py runs.
 */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <weft/weft.h>

enum { BINS = 4, QUANTILES = 3, VARIABLES = 2 };

static const double edges[BINS + 1] = {-0.25, 0, 0.125, 0.5, 0.7};
static const double probabilities[QUANTILES] = {0, 0.5, 1};

typedef struct wish {
    int64_t count;
    int64_t item_us;
    const char *error; /* items at which the kernel fails, once it has added them */
    const char *crash;
    const char *fail;  /* items that are said to fail */
    const char *told;  /* what the files begin with that values are written to */
    const char *wrong; /* what is to be refused */
    bool overflow;
} wish;

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

static void pause_for(const wish *w)
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
    const wish *w = context;
    weft_sum *sum = weft_span_accumulator(span, 0);
    weft_int64_sum *integers = weft_span_accumulator(span, 1);
    weft_moments *moments = weft_span_accumulator(span, 2);
    weft_covariance *covariance = weft_span_accumulator(span, 3);
    weft_extremes *extremes = weft_span_accumulator(span, 4);
    weft_histogram *histogram = weft_span_accumulator(span, 5);
    weft_quantiles *quantiles = weft_span_accumulator(span, 6);
    last *own = weft_span_accumulator(span, 7);
    if (strcmp(w->wrong, "accumulator") == 0) {
        (void)weft_span_accumulator(span, 8);
    }
    for (int64_t i = 0; i < weft_span_count(span); i++) {
        const int64_t item = weft_span_first(span) + i;
        const double x = value_of(item);
        pause_for(w);
        if (is_listed(w->fail, item)) {
            weft_span_fail(span, item, 5, "said so");
            continue;
        }
        weft_sum_add(sum, wide_value_of(item));
        weft_int64_sum_add(integers, w->overflow ? INT64_MAX : item * item - 1000);
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
    const wish *w = context;
    double *wide = weft_span_double(span, "wide");
    int32_t *whole = weft_span_int32(span, "whole");
    float *pair = weft_span_float(span, "pair");
    for (int64_t i = 0; i < weft_span_count(span); i++) {
        const int64_t item = weft_span_first(span) + i;
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
        wide[i] = wide_value_of(item);
        whole[i] = (int32_t)(item % 1000 - 300);
        pair[2 * i] = (float)(item % 77) - 11;
        pair[2 * i + 1] = (float)(item * item % 31) / 4;
    }
    return 0;
}

static weft_status describe_drawn(weft_session *session, const wish *w, weft_map **map)
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
    weft_status status = weft_map_create(session, "drawn", 1, &w->count, map);
    for (size_t i = 0; i < sizeof all / sizeof all[0] && status == WEFT_OK; i++) {
        status = weft_map_add_reduction(*map, all[i].name, all[i].how);
    }
    return status;
}

static weft_status describe_fields(weft_session *session, const wish *w, const char *name,
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

/* What there is no such thing as. */
static weft_status ask_wrongly(weft_map *drawn, weft_map *fields, const char *wrong)
{
    const weft_reducer empty = {.bytes = 0, .merge = merge_last};
    const weft_reducer huge = {.bytes = INT64_C(1) << 40, .merge = merge_last};
    const double falling[] = {1, 0};
    double value[64];
    if (strcmp(wrong, "name") == 0) {
        return weft_map_add_reduction(drawn, "a b", WEFT_SUM);
    }
    if (strcmp(wrong, "twice") == 0) {
        return weft_map_add_reduction(drawn, "sum", WEFT_SUM);
    }
    if (strcmp(wrong, "field") == 0) {
        return weft_map_add_reduction(fields, "wide", WEFT_SUM);
    }
    if (strcmp(wrong, "field-twice") == 0) {
        return weft_map_add_field(fields, "sum", WEFT_INT8, 0, NULL, NULL, NULL);
    }
    if (strcmp(wrong, "no-field") == 0) {
        return weft_map_reduce_field(fields, "none", WEFT_SUM, "x");
    }
    if (strcmp(wrong, "type") == 0) {
        return weft_map_reduce_field(fields, "wide", WEFT_INT64_SUM, "x");
    }
    if (strcmp(wrong, "empty") == 0) {
        return weft_map_add_reduction(drawn, "x", weft_reducer_of(&empty));
    }
    if (strcmp(wrong, "huge") == 0) {
        return weft_map_add_reduction(drawn, "x", weft_reducer_of(&huge));
    }
    if (strcmp(wrong, "edges") == 0) {
        return weft_map_add_reduction(drawn, "x", weft_histogram_of(1, falling));
    }
    if (strcmp(wrong, "early") == 0) {
        return weft_map_get(drawn, "sum", value);
    }
    return strcmp(wrong, "none") == 0 ? weft_map_get(drawn, "none", value) : WEFT_OK;
}

/* A line of hexadecimal digits per reduction, in a file of each rank's own. */
static weft_status write_values(weft_session *session, const wish *w, weft_map *map,
                                const char *name, int reductions, const char *const names[])
{
    char path[4096] = "/dev/null";
    if (w->told != NULL) {
        (void)snprintf(path, sizeof path, "%s%d", w->told, weft_session_rank(session));
    }
    FILE *file = fopen(path, "a");
    weft_status status = file == NULL ? WEFT_ERR_SYSTEM : WEFT_OK;
    for (int i = 0; i < reductions && status == WEFT_OK; i++) {
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

/* Every rank reads back what all of them have computed, in two parts; failed items hold NaN. */
static weft_status check_fields(weft_session *session, const wish *w, weft_map *map)
{
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
        const bool good =
            failed ? isnan(wide[i]) && isnan(pair[2 * i])
                   : wide[i] == wide_value_of(i) && pair[VARIABLES * i] == (float)(i % 77 - 11);
        if (!good) {
            status = weft_error(session, WEFT_ERR_CORRUPT, "item %" PRId64 " is %g and %g", i,
                                wide[i], (double)pair[VARIABLES * i]);
        }
    }
    free(pair);
    free(wide);
    return status;
}

static bool goes_on(weft_status status)
{
    return status == WEFT_OK || status == WEFT_ITEMS_FAILED;
}

static weft_status run(weft_session *session, wish *w)
{
    static const char *const names[] = {"sum",      "integers",  "moments",   "covariance",
                                        "extremes", "histogram", "quantiles", "own"};
    weft_map *drawn = NULL;
    weft_map *fields = NULL;
    weft_map *plain = NULL;
    weft_status status = describe_drawn(session, w, &drawn);
    if (status == WEFT_OK) {
        status = describe_fields(session, w, "fields", &fields);
    }
    if (status == WEFT_OK) {
        status = reduce_fields(fields);
    }
    if (status == WEFT_OK) {
        status = describe_fields(session, w, "plain", &plain);
    }
    if (status == WEFT_OK) {
        status = ask_wrongly(drawn, fields, w->wrong);
    }
    if (status == WEFT_OK) {
        status = weft_map_run(drawn, draw, w);
    }
    if (goes_on(status)) {
        const weft_status written = write_values(session, w, drawn, "drawn", 8, names);
        status = written == WEFT_OK ? weft_map_run(fields, fill, w) : written;
    }
    if (goes_on(status)) {
        weft_status written = write_values(session, w, fields, "fields", 6, names);
        if (written == WEFT_OK) {
            written = check_fields(session, w, fields);
        }
        status = written == WEFT_OK ? status : written;
    }
    if (status == WEFT_OK) {
        status = weft_map_run(plain, fill, w);
    }
    if (status == WEFT_OK) {
        status = check_fields(session, w, plain);
    }
    weft_map_destroy(plain);
    weft_map_destroy(fields);
    weft_map_destroy(drawn);
    return status;
}

int main(int argc, char **argv)
{
    wish w = {.count = 1000, .wrong = ""};
    const weft_option options[] = {
        {"count", "N", WEFT_OPTION_INT64, &w.count, "items"},
        {"item-us", "US", WEFT_OPTION_INT64, &w.item_us, "microseconds per item"},
        {"error", "ITEMS", WEFT_OPTION_STRING, &w.error, "items at which the kernel fails"},
        {"crash", "ITEMS", WEFT_OPTION_STRING, &w.crash, "items at which the process dies"},
        {"fail", "ITEMS", WEFT_OPTION_STRING, &w.fail, "items that are said to fail"},
        {"told", "PREFIX", WEFT_OPTION_STRING, &w.told, "files that ranks write values to"},
        {"wrong", "WHAT", WEFT_OPTION_STRING, &w.wrong, "what is to be refused"},
        {"overflow", NULL, WEFT_OPTION_FLAG, &w.overflow, "integers that are too large"},
        {0},
    };
    const weft_program program = {.name = "reduces",
                                  .summary = "Reduces what is known.",
                                  .version = "1",
                                  .default_out = "reduces.h5",
                                  .options = options};
    weft_session *session = NULL;
    weft_status status = weft_init(&argc, &argv, &program, &session);
    if (status == WEFT_OK) {
        status = run(session, &w);
    }
    return weft_finish(session, status);
}
