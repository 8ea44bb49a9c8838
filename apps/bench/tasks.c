/* SPDX-License-Identifier: BSD-3-Clause */
/* Owns tasks handed out one at a time: by weft, and within a rank by OpenMP. */
#include "tasks.h"

#include "ranks.h"
#include "spin.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

static int kernel(const weft_span *span, void *context)
{
    const tasks *t = context;
    double *results = weft_span_result(span, 0);
    for (int64_t i = 0; i < weft_span_count(span); i++) {
        results[i] = spin_steps(weft_span_first(span) + i, t->steps);
    }
    return 0;
}

weft_status tasks_weft(const bench *b, void *context, double *seconds)
{
    tasks *t = context;
    weft_map *map = NULL;
    weft_status status = weft_map_create(b->session, "tasks", 1, &t->count, &map);
    if (status == WEFT_OK) {
        status = weft_map_add_field(map, "value", WEFT_FLOAT64, 0, NULL, NULL, NULL);
    }
    if (status == WEFT_OK) {
        status = weft_map_set_grain(map, 1);
    }
    if (status == WEFT_OK) {
        status = weft_map_set_span_limit(map, 1);
    }
    status = weft_agree(b->session, status);
    if (status == WEFT_OK) {
        const double begin = ranks_begin();
        status = weft_map_run(map, kernel, t);
        *seconds = ranks_seconds(begin);
        if (b->rank == 0) {
            (void)unlink(weft_map_path(map));
        }
    }
    weft_map_destroy(map);
    return status;
}

void tasks_clear(const tasks *t)
{
    memset(t->results, 0, (size_t)t->count * sizeof *t->results);
}

weft_status tasks_keep(const bench *b, const tasks *t)
{
    const char *path = "tasks-by-hand";
    const size_t bytes = (size_t)t->count * sizeof *t->results;
    weft_status status = WEFT_OK;
    const int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    if (fd < 0) {
        return measure_system_error(b, path);
    }
    if (write(fd, t->results, bytes) != (ssize_t)bytes) {
        status = measure_system_error(b, path);
    }
    if (close(fd) != 0 && status == WEFT_OK) {
        status = measure_system_error(b, path);
    }
    return status;
}

weft_status tasks_openmp(const bench *b, void *context, double *seconds)
{
    const tasks *t = context;
    const int64_t count = t->count, steps = t->steps;
    double *results = t->results;
    tasks_clear(t);
    const double begin = ranks_begin();
#pragma omp parallel for schedule(dynamic, 1) num_threads(b->workers) default(none) \
    shared(count, steps, results)
    for (int64_t i = 0; i < count; i++) {
        results[i] = spin_steps(i, steps);
    }
    const weft_status status = tasks_keep(b, t);
    *seconds = ranks_seconds(begin);
    return status;
}

weft_status tasks_bare(const bench *b, void *context, double *seconds)
{
    const tasks *t = context;
    const int workers = b->workers;
    const int64_t steps = t->steps * t->count / b->ranks / workers;
    double sum = 0;
    const double begin = ranks_begin();
#pragma omp parallel for schedule(static) num_threads(workers) default(none) \
    shared(workers, steps) reduction(+ : sum)
    for (int i = 0; i < workers; i++) {
        sum += spin_steps(i, steps);
    }
    *seconds = ranks_seconds(begin);
    /* The compiler must not find out that nobody needs the sum. */
    return sum < 0 ? WEFT_ERR_INTERNAL : WEFT_OK;
}
