/* SPDX-License-Identifier: BSD-3-Clause */
/* Owns the measurement of strong scaling, the same work on more workers, and of weak scaling, the
 * same work per worker. */
#include "workload.h"

#include <stdio.h>
#include <stdlib.h>

static const double STRONG_CORE_S = 2;

static weft_status with_all_threads(const bench *b, void *context, double *seconds)
{
    return expert_run_alone(b, b->ranks * b->workers, context, seconds);
}

static weft_status with_one_thread(const bench *b, void *context, double *seconds)
{
    return expert_run_alone(b, 1, context, seconds);
}

/* The one thread's work may be less: a part. */
static weft_status compare(const bench *b, row *line, loop *whole, loop *part, double share)
{
    const measure_side sides[] = {
        {run_loop, whole}, {with_all_threads, whole}, {with_one_thread, part}};
    const int repeat = b->repeat;
    double *values = NULL;
    weft_status status = measure_turns(b, sides, 3, &values);
    if (status == WEFT_OK) {
        const double *other = values + repeat, *one = values + (ptrdiff_t)2 * repeat;
        line->efficiency = share * measure_ratio(one, values, repeat, NULL, NULL);
        line->other_efficiency = share * measure_ratio(one, other, repeat, NULL, NULL);
        status = measure_send(b, line, values, other);
    }
    free(values);
    return status;
}

static row name_row(const bench *b, const char *kind)
{
    char what[32];
    row line = measure_row("", "s", GOAL_RATIO_MOST, 1.02);
    (void)snprintf(what, sizeof what, "%s scaling", kind);
    measure_name(b, &line, what, b->workload);
    (void)snprintf(line.workload, sizeof line.workload, "%s", b->workload);
    return line;
}

static weft_status measure_strong(const bench *b)
{
    row line = name_row(b, "strong");
    workload *w = NULL;
    weft_status status = workload_open(b, b->workload, STRONG_CORE_S * b->scale, &w);
    if (status == WEFT_OK) {
        status =
            compare(b, &line, workload_loop(w), workload_loop(w), 1.0 / (b->ranks * b->workers));
    }
    workload_close(w);
    return status;
}

static weft_status measure_weak(const bench *b)
{
    row line = name_row(b, "weak");
    workload *whole = NULL, *part = NULL;
    weft_status status = workload_open(b, b->workload, b->ranks * b->workers * b->scale, &whole);
    if (status == WEFT_OK) {
        status = workload_open(b, b->workload, b->scale, &part);
    }
    if (status == WEFT_OK) {
        status = compare(b, &line, workload_loop(whole), workload_loop(part), 1);
    }
    workload_close(part);
    workload_close(whole);
    return status;
}

weft_status scaling_measure(const bench *b)
{
    const weft_status status = measure_strong(b);
    return status == WEFT_OK && b->ranks * b->workers > 1 ? measure_weak(b) : status;
}
