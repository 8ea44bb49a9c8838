/* SPDX-License-Identifier: BSD-3-Clause */
/* Owns the workloads. */
#include "workload.h"

#include "coast/coast.h"
#include "cost.h"
#include "mandelbrot/plane.h"
#include "ranks.h"
#include "spin.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static const double MEAN_ITEM_S = 1e-4;

struct workload {
    loop loop;
    plane view;
    gshhg *data;
    coast *shore;
    cost_fn cost;
    double mean_steps;
};

typedef struct shape {
    const char *name;
    cost_fn cost; /* of arithmetic; NULL: one of the others */
    weft_status (*prepare)(const bench *b, workload *w, double size);
} shape;

static weft_status prepare_arithmetic(const bench *b, workload *w, double size);
static weft_status prepare_mandelbrot(const bench *b, workload *w, double size);
static weft_status prepare_coast(const bench *b, workload *w, double size);

static const shape shapes[] = {
    {"uniform", cost_uniform, prepare_arithmetic},
    {"increasing", cost_increasing, prepare_arithmetic},
    {"decreasing", cost_decreasing, prepare_arithmetic},
    {"exponential", cost_exponential, prepare_arithmetic},
    {"bimodal", cost_bimodal, prepare_arithmetic},
    {"giant", cost_giant, prepare_arithmetic},
    {"mandelbrot", NULL, prepare_mandelbrot},
    {"coast", NULL, prepare_coast},
};

enum { SHAPES = sizeof shapes / sizeof shapes[0] };

const char *workload_name(int number)
{
    return number < SHAPES ? shapes[number].name : NULL;
}

static void compute_items(const void *context, int64_t first, int64_t count,
                          void *const results[LOOP_FIELDS])
{
    const workload *w = context;
    double *values = results[0];
    for (int64_t i = 0; i < count; i++) {
        const double cost = w->cost(first + i, w->loop.columns);
        values[i] = spin_steps(first + i, (int64_t)(w->mean_steps * cost));
    }
}

/* Measured once, so that two workloads of a process have the same items. */
static double steps_per_item(void)
{
    static double steps;
    if (steps <= 0) {
        steps = MEAN_ITEM_S / ranks_first(spin_step_s());
    }
    return steps;
}

static weft_status prepare_arithmetic(const bench *b, workload *w, double size)
{
    (void)b;
    w->mean_steps = steps_per_item();
    w->loop = (loop){.rows = 1,
                     .columns = (int64_t)fmax(size / MEAN_ITEM_S, 4),
                     .chunk = 1,
                     .grain = 1,
                     .fields = 1,
                     .field = {{"value", WEFT_FLOAT64, 1}},
                     .compute = compute_items,
                     .context = w};
    return WEFT_OK;
}

static void count_steps(const void *context, int64_t first, int64_t count,
                        void *const results[LOOP_FIELDS])
{
    plane_count(context, first, count, results[0]);
}

static weft_status prepare_mandelbrot(const bench *b, workload *w, double size)
{
    (void)b;
    const double side = sqrt(size / MANDELBROT_CORE_S);
    w->view = (plane){.width = (int64_t)fmax(round(2560 * side), 1),
                      .height = (int64_t)fmax(round(1440 * side), 1),
                      .max_iter = 2000,
                      .centre_x = -0.5,
                      .span = 4.2};
    w->loop = (loop){.rows = w->view.height,
                     .columns = w->view.width,
                     .chunk = w->view.width,
                     .fields = 1,
                     .field = {{"iterations", WEFT_UINT32, 1}},
                     .compute = count_steps,
                     .context = &w->view};
    return WEFT_OK;
}

static void find_shores(const void *context, int64_t first, int64_t count,
                        void *const results[LOOP_FIELDS])
{
    coast_cells(context, first, count, results[0], results[1], results[2]);
}

static weft_status prepare_coast(const bench *b, workload *w, double size)
{
    char error[GSHHG_ERROR_BYTES];
    const int64_t rows = (int64_t)fmax(round(960 * sqrt(size / COAST_CORE_S)), 1);
    weft_status status = gshhg_read(WEFT_GSHHG_DIR, "i", &w->data, error);
    if (status != WEFT_OK) {
        return weft_error(b->session, status, "%s", error);
    }
    status = coast_create(w->data, rows, &w->shore);
    if (status != WEFT_OK) {
        return weft_error(b->session, status, "cannot prepare the shorelines");
    }
    /* Shorter pieces than a row lose what a cell tells of its neighbours. */
    w->loop = (loop){.rows = rows,
                     .columns = 2 * rows,
                     .chunk = 2 * rows,
                     .fields = 3,
                     .field = {{"distance", WEFT_FLOAT64, 1},
                               {"nearest", WEFT_FLOAT64, 2},
                               {"land", WEFT_UINT8, 1}},
                     .compute = find_shores,
                     .context = w->shore};
    return WEFT_OK;
}

weft_status workload_open(const bench *b, const char *name, double size, workload **made)
{
    const shape *chosen = shapes;
    workload *w = measure_array(b, 1, sizeof *w);
    *made = w;
    if (w == NULL) {
        return WEFT_ERR_MEMORY;
    }
    while (strcmp(chosen->name, name) != 0) {
        chosen++;
    }
    w->cost = chosen->cost;
    const weft_status status = measure_agree(b, chosen->prepare(b, w, size));
    w->loop.name = chosen->name;
    if (status != WEFT_OK) {
        workload_close(w);
        *made = NULL;
    }
    return status;
}

loop *workload_loop(workload *w)
{
    return &w->loop;
}

void workload_close(workload *w)
{
    if (w == NULL) {
        return;
    }
    coast_destroy(w->shore);
    gshhg_free(w->data);
    free(w);
}
