/* SPDX-License-Identifier: BSD-3-Clause */
/* What MPI says of failures: its errors as text, and which processes have died. */
#include "base/clock.h"
#include "comm/internals.h"

#if defined(OPEN_MPI)
#include <mpi-ext.h>
#endif

weft_status comm_fail(error *e, int code, const char *what)
{
    char text[MPI_MAX_ERROR_STRING] = "";
    int length = 0;
    (void)MPI_Error_string(code, text, &length);
    return error_set(e, WEFT_ERR_MPI, "MPI: %s failed: %s", what, text);
}

#if defined(OMPI_HAVE_MPI_EXT_FTMPI)
/* Somebody has died, and this rank's call fails for that alone: its own affairs are in order. */
bool comm_is_death(int code)
{
    int class = MPI_SUCCESS;
    (void)MPI_Error_class(code, &class);
    return class == MPIX_ERR_PROC_FAILED || class == MPIX_ERR_PROC_FAILED_PENDING;
}

void comm_take_note(comm *c)
{
    (void)MPIX_Comm_failure_ack(c->communicator);
}

/* The group of the dead only grows, at its end. */
static int next_dead_of_mpi(comm *c)
{
    MPI_Group dead = MPI_GROUP_EMPTY;
    MPI_Group all = MPI_GROUP_EMPTY;
    int count = 0;
    int rank = -1;
    if (MPIX_Comm_get_failed(c->communicator, &dead) != MPI_SUCCESS) {
        return -1;
    }
    (void)MPI_Group_size(dead, &count);
    if (count > c->dead && MPI_Comm_group(c->communicator, &all) == MPI_SUCCESS) {
        (void)MPI_Group_translate_ranks(dead, 1, &c->dead, all, &rank);
        (void)MPI_Group_free(&all);
        c->dead++;
    }
    if (dead != MPI_GROUP_EMPTY) {
        (void)MPI_Group_free(&dead);
    }
    return rank;
}
#else
bool comm_is_death(int code)
{
    (void)code;
    return false;
}

void comm_take_note(comm *c)
{
    (void)c;
}

static int next_dead_of_mpi(comm *c)
{
    (void)c;
    return -1;
}
#endif

int comm_next_dead(comm *c)
{
    const int dead = c->size == 1 ? -1 : next_dead_of_mpi(c);
    return dead >= 0 ? dead : neighbours_next_dead(c->neighbours, clock_now_ns());
}
