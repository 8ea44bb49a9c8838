/* SPDX-License-Identifier: BSD-3-Clause */
/* Owns the measurement of two real loops against the same ones written by hand. */
#include "workload.h"

#include <stdio.h>

static weft_status compare(const bench *b, const char *name, double size)
{
    char what[48];
    workload *w = NULL;
    (void)snprintf(what, sizeof what, "%s, results %s", name, b->sync ? "on disk" : "in a file");
    row line = measure_row(what, "s", GOAL_RATIO_MOST, 1.02);
    weft_status status = workload_open(b, name, size, &w);
    if (status == WEFT_OK) {
        status = measure(b, &line, run_loop, expert_run, workload_loop(w));
    }
    workload_close(w);
    return status;
}

weft_status mandelbrot_measure(const bench *b)
{
    return compare(b, "mandelbrot", MANDELBROT_CORE_S * b->scale);
}

weft_status coast_measure(const bench *b)
{
    return compare(b, "coast", COAST_CORE_S * b->scale);
}
