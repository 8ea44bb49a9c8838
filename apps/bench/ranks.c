/* SPDX-License-Identifier: BSD-3-Clause */
/* Owns what the ranks of a measurement say to each other besides weft. */
#include "ranks.h"

#include "base/clock.h"
#include "measure.h"

#include <mpi.h>

enum { NAP_NS = 200000, NAP_MOST_NS = 10000000, PIECE_BYTES = 1 << 28 };

bool ranks_start(int *argc, char ***argv)
{
    int provided = MPI_THREAD_SINGLE;
    return MPI_Init_thread(argc, argv, MPI_THREAD_SERIALIZED, &provided) == MPI_SUCCESS &&
           provided >= MPI_THREAD_SERIALIZED;
}

void ranks_end(void)
{
    (void)MPI_Finalize();
}

void ranks_meet(void)
{
    MPI_Request request = MPI_REQUEST_NULL;
    int done = 0;
    long nap_ns = NAP_NS;
    (void)MPI_Ibarrier(MPI_COMM_WORLD, &request);
    for (;;) {
        (void)MPI_Test(&request, &done, MPI_STATUS_IGNORE);
        if (done) {
            return;
        }
        clock_sleep_ns(nap_ns);
        nap_ns = nap_ns < NAP_MOST_NS ? 2 * nap_ns : nap_ns;
    }
}

double ranks_begin(void)
{
    ranks_meet();
    /* The naps have ended at different times. */
    (void)MPI_Barrier(MPI_COMM_WORLD);
    return measure_now();
}

double ranks_seconds(double begin)
{
    return ranks_most(measure_now() - begin);
}

double ranks_most(double value)
{
    (void)MPI_Allreduce(MPI_IN_PLACE, &value, 1, MPI_DOUBLE, MPI_MAX, MPI_COMM_WORLD);
    return value;
}

double ranks_least(double value)
{
    (void)MPI_Allreduce(MPI_IN_PLACE, &value, 1, MPI_DOUBLE, MPI_MIN, MPI_COMM_WORLD);
    return value;
}

double ranks_first(double value)
{
    (void)MPI_Bcast(&value, 1, MPI_DOUBLE, 0, MPI_COMM_WORLD);
    return value;
}

void ranks_gather(void *bytes, size_t count)
{
    int rank = 0;
    (void)MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    for (size_t at = 0; at < count; at += PIECE_BYTES) {
        char *piece = (char *)bytes + at;
        const int length = (int)(count - at < PIECE_BYTES ? count - at : PIECE_BYTES);
        if (rank == 0) {
            (void)MPI_Reduce(MPI_IN_PLACE, piece, length, MPI_BYTE, MPI_BOR, 0, MPI_COMM_WORLD);
        } else {
            (void)MPI_Reduce(piece, NULL, length, MPI_BYTE, MPI_BOR, 0, MPI_COMM_WORLD);
        }
    }
}
