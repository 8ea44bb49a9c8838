/* SPDX-License-Identifier: BSD-3-Clause */
/* Owns tasks handed out one at a time over ranks, as one writes it by hand with MPI. */
#include "counter.h"
#include "ranks.h"
#include "spin.h"
#include "tasks.h"

#include <mpi.h>

weft_status tasks_counter(const bench *b, void *context, double *seconds)
{
    const tasks *t = context;
    weft_status status = WEFT_OK;
    counter *next = counter_create();
    if (next == NULL) {
        return measure_no_memory(b);
    }
    tasks_clear(t);
    const double begin = ranks_begin();
    for (int64_t i = 0; (i = counter_add(next, 1)) < t->count;) {
        t->results[i] = spin_steps(i, t->steps);
    }
    ranks_gather(t->results, (size_t)t->count * sizeof *t->results);
    if (b->rank == 0) {
        status = tasks_keep(b, t);
    }
    *seconds = ranks_seconds(begin);
    counter_destroy(next);
    return status;
}

/* What a worker brings, and gets back: the task is -1 when it brings nothing, or nothing is left.
 */
typedef struct message {
    int64_t task;
    double result;
} message;

static void answer_workers(const tasks *t, int workers)
{
    int64_t next = 0;
    for (int working = workers; working > 0;) {
        message m;
        MPI_Status from;
        (void)MPI_Recv(&m, (int)sizeof m, MPI_BYTE, MPI_ANY_SOURCE, 0, MPI_COMM_WORLD, &from);
        if (m.task >= 0) {
            t->results[m.task] = m.result;
        }
        m.task = next < t->count ? next++ : -1;
        working -= m.task < 0;
        (void)MPI_Send(&m, (int)sizeof m, MPI_BYTE, from.MPI_SOURCE, 0, MPI_COMM_WORLD);
    }
}

static void work(const tasks *t)
{
    message m = {.task = -1};
    do {
        (void)MPI_Send(&m, (int)sizeof m, MPI_BYTE, 0, 0, MPI_COMM_WORLD);
        (void)MPI_Recv(&m, (int)sizeof m, MPI_BYTE, 0, 0, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
        if (m.task >= 0) {
            m.result = spin_steps(m.task, t->steps);
        }
    } while (m.task >= 0);
}

weft_status tasks_master(const bench *b, void *context, double *seconds)
{
    const tasks *t = context;
    weft_status status = WEFT_OK;
    tasks_clear(t);
    const double begin = ranks_begin();
    if (b->rank > 0) {
        work(t);
    } else {
        answer_workers(t, b->ranks - 1);
        status = tasks_keep(b, t);
    }
    *seconds = ranks_seconds(begin);
    return status;
}
