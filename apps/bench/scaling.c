/* SPDX-License-Identifier: BSD-3-Clause */
/* Owns the measurement of strong scaling, the same work on more workers, and of weak scaling, the
 * same work per worker. */
#include "run.h"
#include "workload.h"

#include <stdio.h>
#include <stdlib.h>

static const double STRONG_CORE_S = 2;

static weft_status with_weft(const bench *b, loop *l, double *seconds)
{
    run_times times = {0};
    const weft_status status = run_loop(b->session, l, &times);
    *seconds = times.seconds;
    return status;
}

/* The three sides in turn; the one thread's work may be less. */
static weft_status take_turns(const bench *b, loop *whole, loop *part, double *values)
{
    const int repeat = b->repeat, workers = b->ranks * b->workers;
    weft_status status = WEFT_OK;
    for (int i = 0; i < repeat && status == WEFT_OK; ++i) {
        measure_settle(b);
        status = with_weft(b, whole, &values[i]);
        measure_settle(b);
        if (status == WEFT_OK)
            status = expert_run_alone(b, workers, whole, &values[repeat + i]);
        measure_settle(b);
        if (status == WEFT_OK)
            status = expert_run_alone(b, 1, part, &values[2 * repeat + i]);
    }
    return status;
}

static weft_status compare(const bench *b, row *line, loop *whole, loop *part, double share)
{
    const int repeat = b->repeat;
    double *values = measure_array(b, 3 * (size_t)repeat, sizeof *values);
    if (!values)
        return WEFT_ERR_MEMORY;
    weft_status status = take_turns(b, whole, part, values);
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
    if (status == WEFT_OK)
        status =
            compare(b, &line, workload_loop(w), workload_loop(w), 1.0 / (b->ranks * b->workers));
    workload_close(w);
    return status;
}

static weft_status measure_weak(const bench *b)
{
    row line = name_row(b, "weak");
    workload *whole = NULL, *part = NULL;
    weft_status status = workload_open(b, b->workload, b->ranks * b->workers * b->scale, &whole);
    if (status == WEFT_OK)
        status = workload_open(b, b->workload, b->scale, &part);
    if (status == WEFT_OK)
        status = compare(b, &line, workload_loop(whole), workload_loop(part), 1);
    workload_close(part);
    workload_close(whole);
    return status;
}

weft_status scaling_measure(const bench *b)
{
    const weft_status status = measure_strong(b);
    return status == WEFT_OK && b->ranks * b->workers > 1 ? measure_weak(b) : status;
}
