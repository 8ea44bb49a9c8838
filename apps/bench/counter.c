/* SPDX-License-Identifier: BSD-3-Clause */
/* Owns a counter that all ranks share, by MPI_Fetch_and_op. */
#include "counter.h"

#include "ranks.h"

#include <mpi.h>
#include <stdlib.h>

struct counter {
    MPI_Win window;
    int64_t *value;
};

counter *counter_create(void)
{
    int rank = 0;
    counter *c = malloc(sizeof *c);
    if (ranks_least(c != NULL) < 1 || c == NULL) {
        free(c);
        return NULL;
    }
    (void)MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    (void)MPI_Win_allocate(rank == 0 ? (MPI_Aint)sizeof *c->value : 0, sizeof *c->value,
                           MPI_INFO_NULL, MPI_COMM_WORLD, &c->value, &c->window);
    (void)MPI_Win_lock_all(MPI_MODE_NOCHECK, c->window);
    if (rank == 0) {
        *c->value = 0;
        (void)MPI_Win_sync(c->window);
    }
    ranks_meet();
    return c;
}

int64_t counter_add(counter *c, int64_t step)
{
    int64_t before = 0;
    (void)MPI_Fetch_and_op(&step, &before, MPI_INT64_T, 0, 0, MPI_SUM, c->window);
    (void)MPI_Win_flush(0, c->window);
    return before;
}

void counter_destroy(counter *c)
{
    if (c == NULL) {
        return;
    }
    (void)MPI_Win_unlock_all(c->window);
    (void)MPI_Win_free(&c->window);
    free(c);
}
