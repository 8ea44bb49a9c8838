/* SPDX-License-Identifier: BSD-3-Clause */
/* Owns the loop as an expert writes it by hand for several ranks. */
#include "counter.h"
#include "expert.h"
#include "ranks.h"

#include <stdio.h>
#include <unistd.h>

static void take_chunks(const bench *b, const loop *l, counter *next, void *const data[LOOP_FIELDS])
{
    const int64_t count = l->rows * l->columns;
#pragma omp parallel num_threads(b->workers) default(none) shared(l, next, data, count)
    for (int64_t first = 0; first < count;) {
#pragma omp critical
        first = counter_add(next, l->chunk);
        if (first < count) {
            expert_compute(l, first, data);
        }
    }
}

weft_status expert_run_alone(const bench *b, int threads, void *context, double *seconds)
{
    bench alone = *b;
    weft_status status = WEFT_OK;
    alone.workers = threads;
    ranks_meet();
    if (b->rank == 0) {
        status = expert_run(&alone, context, seconds);
    }
    /* Not in a call that spins, on cores that the threads need. */
    ranks_meet();
    status = measure_agree(b, status);
    *seconds = ranks_first(*seconds);
    return status;
}

weft_status expert_share(const bench *b, void *context, double *seconds)
{
    const loop *l = context;
    char path[64];
    void *data[LOOP_FIELDS] = {NULL};
    counter *next = NULL;
    weft_status status = WEFT_OK;
    (void)snprintf(path, sizeof path, "%s-expert.h5", l->name);
    const bool memory = expert_allocate(l, true, data);
    status = measure_agree(b, memory ? WEFT_OK : measure_no_memory(b));
    if (status != WEFT_OK) {
        goto done;
    }
    next = counter_create();
    if (next == NULL) {
        status = measure_no_memory(b);
        goto done;
    }
    const double begin = ranks_begin();
    take_chunks(b, l, next, data);
    for (int i = 0; i < l->fields; i++) {
        ranks_gather(data[i], expert_bytes(l, i));
    }
    if (b->rank == 0) {
        status = expert_write(b, l, path, data);
    }
    *seconds = ranks_seconds(begin);
    if (b->rank == 0) {
        (void)unlink(path);
    }
done:
    counter_destroy(next);
    expert_free(l, data);
    return status;
}
