/* SPDX-License-Identifier: BSD-3-Clause */
/* Owns the measurement of isolation: tasks of a millisecond computed in children of the workers,
 * against the same ones computed by the workers themselves. */
#include "measure.h"
#include "spin.h"
#include "tasks.h"

#include <math.h>
#include <stdio.h>

static const double task_s = 1e-3;
static const double all_s = 1; /* of work for each worker */

static weft_status in_children(const bench *b, void *context, double *seconds)
{
    static char option[] = "--isolate";
    return measure_apart(b, option, "isolate", &(measure_side){tasks_weft, context}, seconds);
}

static weft_status in_workers(const bench *b, void *context, double *seconds)
{
    return measure_apart(b, NULL, "isolate", &(measure_side){tasks_weft, context}, seconds);
}

weft_status isolate_measure(const bench *b)
{
    const double tasks_per_worker = fmax(all_s * b->scale / task_s, 1);
    tasks t = {.count = (int64_t)tasks_per_worker * b->workers,
               .steps = (int64_t)fmax(task_s / spin_step_s(), 1)};
    char what[48];
    (void)snprintf(what, sizeof what, "--isolate, tasks of 1 ms, %d worker%s", b->workers,
                   b->workers == 1 ? "" : "s");
    row line = measure_row(what, "s", GOAL_RATIO_MOST, 1.1);
    return measure(b, &line, in_children, in_workers, &t);
}
