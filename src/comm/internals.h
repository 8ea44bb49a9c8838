/* SPDX-License-Identifier: BSD-3-Clause */
/* What the parts of this layer share. */
#ifndef COMM_INTERNALS_H
#define COMM_INTERNALS_H

#include "comm/comm.h"
#include "comm/mailbox.h"
#include "comm/neighbours.h"
#include "comm/sendqueue.h"

#include <mpi.h>
#include <stdatomic.h>

/* Messages of a run have its number for a tag, from 0 on, and parts of long ones SENDQUEUE_MORE
 * more; MPI promises tags up to 32767. */
enum { MOST_RUNS = SENDQUEUE_MORE - 3, TAG_LEFT = 32766, TAG_ALARM = 32767 };

struct comm {
    MPI_Comm communicator; /* our own duplicate; MPI_COMM_NULL: alone, and without MPI */
    comm *trunk;           /* whose branch this is; NULL: of none */
    int number;            /* of the branch; 0: the trunk */
    int branches;          /* that the trunk has had */
    comm *next_branch;     /* of a trunk, the first; of a branch, the next one of its trunk */
    bool started_mpi;
    bool multiple; /* several threads may call MPI */
    int rank;
    int size;
    int run; /* the tag of this run's messages */
    int64_t patience_ns;
    atomic_bool broken; /* branches look at their trunk's, too */
    /* Of the trunk: ranks have made different calls, on whichever communicator: … */
    atomic_bool diverges;     /* the first thread that sees it says … */
    error divergence;         /* … which, … */
    atomic_bool has_diverged; /* … and has said it */
    bool abandoned;           /* a collective call was given up for that, and is still MPI's */
    int dead;                 /* number of dead ranks that MPI has reported */
    bool meets;               /* waits for all ranks to make the same call */
    bool leaves;              /* makes no other call than the present one: … */
    error why;                /* … for that reason */
    neighbours *neighbours;
    mailboxes *mailboxes; /* the trunk's; NULL: there are none, but … */
    bell bell;            /* … this, which only this process rings */
    uint32_t taken;       /* of what has been sent to the own mailbox */
    uint32_t unasked;     /* how often MPI has not been asked */
    sendqueue *queue;     /* of the trunk and all branches, … */
    outbox *outbox;       /* … with one for each */
    MPI_Message found;    /* a message that is there, but has not found room yet */
    MPI_Status found_from;
    struct partial *partial; /* messages that have arrived in part, at most one of each rank */
    unsigned char *received;
    size_t received_room;
};

/* An error of MPI's. */
weft_status comm_fail(error *e, int code, const char *what);

/* Whether a call has failed only because some rank has died. */
bool comm_is_death(int code);

/* The least of each of these numbers over the ranks. */
weft_status comm_least(comm *c, const int64_t mine[], int numbers, int64_t least[], error *e);

/* Ranks have made different calls. */
void comm_diverge(comm *c, const error *why);

/* Which; NULL: they have not. */
const error *comm_divergence(const comm *c);

/* A communicator of the same ranks. Collective. *duplicate may be written to at any time after a
 * wait for it that has failed. */
weft_status comm_duplicate(comm *c, MPI_Comm *duplicate, error *e);

/* All ranks get the error of a rank that has failed, and return it; or why that cannot be. */
weft_status comm_share_error(comm *c, int root, weft_status own, error *e);

/* A receive from any source is refused until one has taken note of the dead. */
void comm_take_note(comm *c);

/* The number of the run that messages belong to is another one from here on. */
void comm_begin_run(comm *c);

/* A rank that has died, see mail_next_dead(). */
int comm_next_dead(comm *c);

/* A message from another rank that has arrived, see mail_receive(). */
weft_status comm_receive(comm *c, bool *arrived, int *source, const void **bytes, size_t *count,
                         error *e);

/* Where a message to a rank goes, which has that tag. */
address comm_address(const comm *c, int rank, int tag, bool rings);

/* Whether there may be a message that has not been received. */
bool comm_may_have_mail(const comm *c);

/* Drops what has arrived of messages that are not whole. */
void comm_forget_parts(comm *c);

#endif
