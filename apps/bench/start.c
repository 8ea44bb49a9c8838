/* SPDX-License-Identifier: BSD-3-Clause */
/* Owns the measurement of a large job's start, and of its resumption when half of it is done: the
 * time until the kernel is called first. */
#include "measure.h"

#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

typedef struct job {
    int64_t count;
    int64_t until; /* the first item that is not to be computed */
    atomic_flag called;
    double first_call;
} job;

/* Stops the run where it is told to. What is not computed then is left to the next run. */
static int kernel(const weft_span *span, void *context)
{
    job *j = context;
    if (!atomic_flag_test_and_set(&j->called)) {
        j->first_call = measure_now();
    }
    if (weft_span_first(span) + weft_span_count(span) > j->until) {
        if (!weft_span_stopping(span)) {
            (void)raise(SIGUSR1);
        }
        return 1;
    }
    memset(weft_span_result(span, 0), 0, (size_t)weft_span_count(span) * sizeof(double));
    return 0;
}

/* Runs until an item, and gives how long it took to get to the first. */
static weft_status run_until(const bench *b, weft_map *map, job *j, int64_t until, double *seconds)
{
    j->until = until;
    atomic_flag_clear(&j->called);
    measure_settle(b);
    const double start = measure_now();
    const weft_status status = weft_map_run(map, kernel, j);
    *seconds = j->first_call - start;
    if (status == WEFT_OK) {
        return weft_error(b->session, WEFT_ERR_INTERNAL, "the run was not stopped in time");
    }
    return status == WEFT_STOPPED ? WEFT_OK : status;
}

static weft_status start_and_resume(const bench *b, job *j, double *start, double *resume)
{
    double ignored = 0;
    weft_map *map = NULL;
    weft_status status = weft_map_create(b->session, "start", 1, &j->count, &map);
    if (status == WEFT_OK) {
        status = weft_map_add_field(map, "value", WEFT_FLOAT64, 0, NULL, NULL, NULL);
    }
    if (status == WEFT_OK) {
        status = run_until(b, map, j, 0, start);
        if (status == WEFT_OK) {
            status = run_until(b, map, j, j->count / 2, &ignored);
        }
        if (status == WEFT_OK) {
            status = run_until(b, map, j, 0, resume);
        }
        (void)unlink(weft_map_path(map));
    }
    weft_map_destroy(map);
    return status;
}

weft_status start_measure(const bench *b)
{
    job j = {.count = INT64_C(100000000), .called = ATOMIC_FLAG_INIT};
    weft_status status = WEFT_OK;
    double *start = malloc(2 * (size_t)b->repeat * sizeof *start);
    if (start == NULL) {
        return measure_no_memory(b);
    }
    double *resume = start + b->repeat;
    for (int i = 0; i < b->repeat && status == WEFT_OK; i++) {
        status = start_and_resume(b, &j, &start[i], &resume[i]);
    }
    row line = measure_row("start of 10^8 items", "s", GOAL_WEFT_MOST, 1);
    if (status == WEFT_OK) {
        status = measure_send(b, &line, start, NULL);
    }
    line = measure_row("resume of 10^8 items, half done", "s", GOAL_WEFT_MOST, 1);
    if (status == WEFT_OK) {
        status = measure_send(b, &line, resume, NULL);
    }
    free(start);
    return status;
}
