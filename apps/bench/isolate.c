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

/* A session of its own, since isolation is chosen where a session begins. */
static weft_status run_tasks(const bench *b, bool isolated, void *context, double *seconds)
{
    char name[] = "weft-bench";
    char option[] = "--isolate";
    char *arguments[] = {name, isolated ? option : NULL, NULL};
    char **argv = arguments;
    int argc = isolated ? 2 : 1;
    bench own = *b;
    weft_status status = weft_init(&argc, &argv, NULL, &own.session);
    if (status == WEFT_OK)
        status = tasks_weft(&own, context, seconds);
    if (status != WEFT_OK)
        (void)weft_error(b->session, status, "isolate: %s", weft_error_text(own.session));
    (void)weft_finish(own.session, WEFT_OK);
    return status;
}

static weft_status in_children(const bench *b, void *context, double *seconds)
{
    return run_tasks(b, true, context, seconds);
}

static weft_status in_workers(const bench *b, void *context, double *seconds)
{
    return run_tasks(b, false, context, seconds);
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
