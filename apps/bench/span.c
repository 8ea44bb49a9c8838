/* SPDX-License-Identifier: BSD-3-Clause */
/* Owns the measurement of an empty span: what it costs to hand one item to a worker, tile record
 * and file included, against an iteration of a dynamically scheduled loop. */
#include "measure.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

typedef struct spans {
    int64_t count;
    int64_t *numbers;
} spans;

/* As little as can be done for an item, so that it is the way there that is measured. */
static int number_item(const weft_span *span, void *context)
{
    (void)context;
    *(int64_t *)weft_span_result(span, 0) = weft_span_first(span);
    return 0;
}

static weft_status number_with_weft(const bench *b, void *context, double *ns)
{
    const spans *s = context;
    weft_map *map = NULL;
    weft_status status = weft_map_create(b->session, "span", 1, &s->count, &map);
    if (status == WEFT_OK) {
        status = weft_map_add_field(map, "number", WEFT_INT64, 0, NULL, NULL, NULL);
    }
    if (status == WEFT_OK) {
        status = weft_map_set_grain(map, 1);
    }
    if (status == WEFT_OK) {
        status = weft_map_set_span_limit(map, 1);
    }
    if (status == WEFT_OK) {
        /* The whole run, so that nothing which is due per item hides in its start. */
        const double start = measure_now();
        status = weft_map_run(map, number_item, NULL);
        *ns = 1e9 * (measure_now() - start) / (double)s->count;
        (void)unlink(weft_map_path(map));
    }
    weft_map_destroy(map);
    return status;
}

static weft_status number_with_openmp(const bench *b, void *context, double *ns)
{
    const spans *s = context;
    const int64_t count = s->count;
    int64_t *numbers = s->numbers;
    const double start = measure_now();
#pragma omp parallel for schedule(dynamic, 1) num_threads(b->workers) default(none) \
    shared(count, numbers)
    for (int64_t i = 0; i < count; i++) {
        numbers[i] = i;
    }
    *ns = 1e9 * (measure_now() - start) / (double)count;
    return WEFT_OK;
}

weft_status span_measure(const bench *b)
{
    spans s = {.count = (int64_t)fmax(4e6 * b->scale, 1)};
    const size_t bytes = (size_t)s.count * sizeof *s.numbers;
    char what[48];
    (void)snprintf(what, sizeof what, "empty span, %d worker%s", b->workers,
                   b->workers == 1 ? "" : "s");
    s.numbers = malloc(bytes);
    if (s.numbers == NULL) {
        return measure_no_memory(b);
    }
    /* Its pages are there when the clock starts, as those of weft's buffers are. */
    memset(s.numbers, 1, bytes);
    row line = measure_row(what, "ns", GOAL_WEFT_MOST, 50);
    weft_status status = measure(b, &line, number_with_weft, number_with_openmp, &s);
    free(s.numbers);
    return status;
}
