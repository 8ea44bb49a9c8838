/* SPDX-License-Identifier: BSD-3-Clause */
/* What the values of a field are like: in a few numbers, from one reading of the file. */
#include "statistics.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <weft/reduce.h>

const double statistics_probability[STATISTICS_QUANTILES] = {0.05, 0.25, 0.5, 0.75, 0.95};

/* As many values are kept, and have exact quantiles; of more they are sketched. */
enum { KEPT = 1 << 18, PIECE = 4096 };

typedef struct collection {
    statistics *s;
    weft_reduction moments_of;
    weft_reduction quantiles_of;
    weft_moments *moments;
    weft_quantiles *quantiles;
    double *kept;
    int64_t kept_count;
    double piece[PIECE];
    int pieces;
} collection;

static weft_status begin(collection *c, statistics *s)
{
    static const double least = 1e-150;
    static const double most = 1e150;
    memset(s, 0, sizeof *s);
    *c = (collection){.s = s};
    c->moments_of = WEFT_MOMENTS;
    c->quantiles_of =
        weft_quantiles_of(0.001, least, most, STATISTICS_QUANTILES, statistics_probability);
    c->moments = malloc((size_t)weft_reduction_bytes(&c->moments_of));
    c->quantiles = malloc((size_t)weft_reduction_bytes(&c->quantiles_of));
    c->kept = malloc(KEPT * sizeof *c->kept);
    if (c->moments == NULL || c->quantiles == NULL || c->kept == NULL) {
        return WEFT_ERR_MEMORY;
    }
    const weft_status status = weft_reduction_init(&c->moments_of, c->moments);
    return status == WEFT_OK ? weft_reduction_init(&c->quantiles_of, c->quantiles) : status;
}

static void sketch(collection *c, int64_t count, const double values[])
{
    for (int64_t i = 0; i < count; i++) {
        weft_quantiles_add(c->quantiles, values[i]);
    }
}

static void flush(collection *c)
{
    statistics *s = c->s;
    weft_moments_add_array(c->moments, c->pieces, c->piece);
    for (int i = 0; i < c->pieces; i++) {
        s->low = s->values + i == 0 ? c->piece[i] : fmin(s->low, c->piece[i]);
        s->high = s->values + i == 0 ? c->piece[i] : fmax(s->high, c->piece[i]);
    }
    if (!s->nearly && s->values + c->pieces > KEPT) {
        s->nearly = true;
        sketch(c, c->kept_count, c->kept);
    }
    if (s->nearly) {
        sketch(c, c->pieces, c->piece);
    } else {
        memcpy(c->kept + c->kept_count, c->piece, (size_t)c->pieces * sizeof c->piece[0]);
        c->kept_count += c->pieces;
    }
    s->values += c->pieces;
    c->pieces = 0;
}

static int compare(const void *one, const void *other)
{
    const double a = *(const double *)one;
    const double b = *(const double *)other;
    return (a > b) - (a < b);
}

static weft_status finish(collection *c)
{
    statistics *s = c->s;
    weft_moments_value value;
    flush(c);
    weft_status status = weft_reduction_finish(&c->moments_of, c->moments, &value);
    s->mean = value.mean;
    s->deviation = sqrt(value.variance);
    if (status == WEFT_OK && s->nearly) {
        status = weft_reduction_finish(&c->quantiles_of, c->quantiles, s->quantile);
    } else if (s->values > 0) {
        qsort(c->kept, (size_t)c->kept_count, sizeof *c->kept, compare);
        for (int i = 0; i < STATISTICS_QUANTILES; i++) {
            const double place = statistics_probability[i] * (double)(c->kept_count - 1);
            s->quantile[i] = c->kept[(int64_t)floor(place)];
        }
    }
    return status;
}

static weft_status collect(view *v, collection *c)
{
    const int64_t elements = weft_result_describe(v->result)->count * v->item_elements;
    weft_status status = WEFT_OK;
    for (int64_t i = 0; i < elements && status == WEFT_OK; i++) {
        view_state state = VIEW_UNDONE;
        double value = 0;
        status = view_read(v, i, 1, &state, &value);
        if (state == VIEW_VALUE) {
            c->piece[c->pieces++] = value;
            if (c->pieces == PIECE) {
                flush(c);
            }
        }
        c->s->missing += state == VIEW_FAILED;
        c->s->undone += state == VIEW_UNDONE;
    }
    return status;
}

weft_status statistics_collect(view *v, statistics *s)
{
    collection *c = malloc(sizeof *c);
    weft_status status = c == NULL ? WEFT_ERR_MEMORY : begin(c, s);
    if (status == WEFT_OK) {
        status = collect(v, c);
    }
    if (status == WEFT_OK) {
        status = finish(c);
    }
    if (c != NULL) {
        free(c->kept);
        free(c->quantiles);
        free(c->moments);
    }
    free(c);
    return status;
}
