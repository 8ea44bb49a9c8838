/* SPDX-License-Identifier: BSD-3-Clause */
/* What the parts of this layer share. */
#ifndef COMM_INTERNALS_H
#define COMM_INTERNALS_H

#include "comm/comm.h"
#include "comm/neighbours.h"

#include <mpi.h>

/* Messages of a run have its number for a tag, from 0 on; MPI promises tags up to 32767. */
enum { MOST_RUNS = 32766, TAG_ALARM = 32767 };

struct comm {
    MPI_Comm communicator; /* our own duplicate */
    bool started_mpi;
    int rank;
    int size;
    int run; /* the tag of this run's messages */
    int64_t patience_ns;
    bool broken;
    int dead; /* so many have been told of by MPI */
    neighbours *neighbours;
    struct posted *posts;
    struct posted *dropped; /* MPI may still hold on to them, for ever */
    unsigned char *received;
    size_t received_room;
};

/* An error of MPI's. */
weft_status comm_fail(error *e, int code, const char *what);

/* Whether a call has failed only because some rank has died. */
bool comm_is_death(int code);

/* As comm_post(), with a tag. */
weft_status comm_post_tagged(comm *c, int rank, int tag, const void *bytes, size_t count, error *e);

#endif
