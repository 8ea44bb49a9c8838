/* SPDX-License-Identifier: BSD-3-Clause */
/* Owns the search for METG(50 %). */
#include "metg.h"

#include <math.h>

static const double FIRST_TASK_S = 0.5e-6, TASK_MOST_S = 1;

typedef struct point {
    double efficiency;
    double task_s;
} point;

static point probe(const settings *s, int workers, metg_fn run, void *context, double steps)
{
    const double task_s = steps * s->step_ns * 1e-9;
    const double tasks = fmin(fmax(s->seconds * workers / task_s, workers), (double)s->items);
    settings one = *s;
    work w;
    one.work = "uniform";
    one.items = (int64_t)tasks;
    one.steps = steps;
    const double seconds = work_open(&w, &one) ? run(&w, context) : (double)NAN;
    const double took_s = seconds * workers / (double)one.items;
    return (point){task_s / took_s, took_s};
}

static double crossing_us(const point *low, const point *high)
{
    const double share = (0.5 - low->efficiency) / (high->efficiency - low->efficiency);
    return 1e6 * low->task_s * pow(high->task_s / low->task_s, share);
}

/* Halves or doubles the tasks until half of the peak lies between two of them. */
double metg_search(const settings *s, int workers, metg_fn run, void *context)
{
    point low = {0}, high = {0};
    double steps = fmax(floor(FIRST_TASK_S * 1e9 / s->step_ns), 1);
    while (steps >= 1 && steps * s->step_ns * 1e-9 < TASK_MOST_S) {
        const point p = probe(s, workers, run, context, steps);
        if (isnan(p.efficiency)) {
            break;
        }
        if (p.efficiency >= 0.5) {
            high = p;
            steps = floor(steps / 2);
        } else {
            low = p;
            steps *= 2;
        }
        if (low.task_s > 0 && high.task_s > 0) {
            return crossing_us(&low, &high);
        }
    }
    return (double)NAN;
}
