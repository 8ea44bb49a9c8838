/* SPDX-License-Identifier: BSD-3-Clause */
/* Owns the measurement of a hand-out over ranks: chunks of one tile each, with nothing to compute.
 */
#include "tasks.h"

#include <math.h>
#include <stdlib.h>

static double per_task_us(const tasks *t, double seconds)
{
    return 1e6 * seconds / (double)t->count;
}

static weft_status with_weft(const bench *b, void *context, double *us)
{
    const weft_status status = tasks_weft(b, context, us);
    *us = per_task_us(context, *us);
    return status;
}

static weft_status with_counter(const bench *b, void *context, double *us)
{
    const weft_status status = tasks_counter(b, context, us);
    *us = per_task_us(context, *us);
    return status;
}

static weft_status with_master(const bench *b, void *context, double *us)
{
    const weft_status status = tasks_master(b, context, us);
    *us = per_task_us(context, *us);
    return status;
}

weft_status handout_measure(const bench *b)
{
    static const side_fn others[] = {with_counter, with_master};
    tasks t = {.count = (int64_t)fmax(1e6 * b->scale, 1)};
    row lines[] = {measure_row("", "us", GOAL_WEFT_MOST, 0.55),
                   measure_row("", "us", GOAL_NONE, 0)};
    measure_name(b, &lines[0], "hand-out", "shared counter");
    measure_name(b, &lines[1], "hand-out", "master/worker");
    t.results = measure_array(b, (size_t)t.count, sizeof *t.results);
    if (!t.results)
        return WEFT_ERR_MEMORY;
    const weft_status status = measure_several(b, lines, with_weft, others, 2, &t);
    free(t.results);
    return status;
}
