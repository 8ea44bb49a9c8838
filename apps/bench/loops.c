/* SPDX-License-Identifier: BSD-3-Clause */
/* Owns the measurement of two real loops against the same ones written by hand. */
#include "coast/coast.h"
#include "expert.h"
#include "mandelbrot/plane.h"

#include <math.h>
#include <stdio.h>
#include <unistd.h>

static int kernel(const weft_span *span, void *context)
{
    const loop *l = context;
    void *results[LOOP_FIELDS];
    for (int i = 0; i < l->fields; ++i)
        results[i] = weft_span_result(span, i);
    l->compute(l->context, weft_span_first(span), weft_span_count(span), results);
    return 0;
}

static weft_status weft_run(const bench *b, void *context, double *seconds)
{
    loop *l = context;
    const int64_t shape[] = {l->rows, l->columns};
    weft_map *map = NULL;
    const double start = measure_now();
    weft_status status = weft_map_create(b->session, l->name, 2, shape, &map);
    for (int i = 0; i < l->fields && status == WEFT_OK; ++i) {
        const loop_field *field = &l->field[i];
        status = weft_map_add_field(map, field->name, field->type, field->elements > 1,
                                    &field->elements, NULL, NULL);
    }
    if (status == WEFT_OK) {
        status = weft_map_run(map, kernel, l);
        *seconds = measure_now() - start;
        (void)unlink(weft_map_path(map));
    }
    weft_map_destroy(map);
    return status;
}

static weft_status compare(const bench *b, loop *l)
{
    char what[48];
    (void)snprintf(what, sizeof what, "%s, results %s", l->name, b->sync ? "on disk" : "in a file");
    row line = measure_row(what, "s", GOAL_RATIO_MOST, 1.02);
    return measure(b, &line, weft_run, expert_run, l);
}

static void count_steps(const void *context, int64_t first, int64_t count,
                        void *const results[LOOP_FIELDS])
{
    plane_count(context, first, count, results[0]);
}

weft_status mandelbrot_measure(const bench *b)
{
    const double side = sqrt(b->scale);
    const plane view = {.width = (int64_t)fmax(2560 * side, 1),
                        .height = (int64_t)fmax(1440 * side, 1),
                        .max_iter = 2000,
                        .centre_x = -0.5,
                        .span = 4.2};
    loop l = {.name = "mandelbrot",
              .rows = view.height,
              .columns = view.width,
              .chunk = view.width,
              .fields = 1,
              .field = {{"iterations", WEFT_UINT32, 1}},
              .compute = count_steps,
              .context = &view};
    return compare(b, &l);
}

static void find_shores(const void *context, int64_t first, int64_t count,
                        void *const results[LOOP_FIELDS])
{
    coast_cells(context, first, count, results[0], results[1], results[2]);
}

weft_status coast_measure(const bench *b)
{
    char error[GSHHG_ERROR_BYTES];
    gshhg *data = NULL;
    coast *shore = NULL;
    loop l = {.name = "coast",
              .rows = (int64_t)fmax(960 * sqrt(b->scale), 1),
              .fields = 3,
              .field = {{"distance", WEFT_FLOAT64, 1},
                        {"nearest", WEFT_FLOAT64, 2},
                        {"land", WEFT_UINT8, 1}},
              .compute = find_shores};
    l.columns = 2 * l.rows;
    /* Shorter pieces lose what a cell tells of its neighbours. */
    l.chunk = l.columns;
    weft_status status = gshhg_read(WEFT_GSHHG_DIR, "i", &data, error);
    if (status != WEFT_OK)
        return weft_error(b->session, status, "%s", error);
    status = coast_create(data, l.rows, &shore);
    if (status == WEFT_OK) {
        l.context = shore;
        status = compare(b, &l);
    } else {
        status = weft_error(b->session, status, "cannot prepare the shorelines");
    }
    coast_destroy(shore);
    gshhg_free(data);
    return status;
}
