/* SPDX-License-Identifier: BSD-3-Clause */
/* The send queue: messages on their way to other ranks.
 *
 * At most one send to a rank is in flight; what else is for it waits here. Two sends to a peer that
 * has died may end the sender, or make it hang inside of MPI, where MPI's messages go over TCP.
 * What waits is bounded by what a rank has in progress: one that gets no answer gets no work. */
#ifndef COMM_SENDQUEUE_H
#define COMM_SENDQUEUE_H

#include "base/error.h"

#include <mpi.h>
#include <stdbool.h>
#include <stddef.h>

typedef struct sendqueue sendqueue;

/* A message that is longer than the longest part goes in several, of which all but the last have
 * the tag plus SENDQUEUE_MORE. */
enum { SENDQUEUE_MORE = 16384 };

/* No part is longer than part_bytes. */
weft_status sendqueue_create(MPI_Comm communicator, int ranks, size_t part_bytes, sendqueue **out,
                             error *e);

/* What has not been sent is lost; what is in flight stays MPI's. NULL is allowed. */
void sendqueue_destroy(sendqueue *o);

/* A copy of the bytes goes to a rank, after all that waits for it. */
weft_status sendqueue_post(sendqueue *o, int rank, int tag, const void *bytes, size_t count,
                           error *e);

/* As sendqueue_post(), past what is held; nothing happens if a message to the rank is in flight. */
weft_status sendqueue_probe(sendqueue *o, int rank, int tag, const void *bytes, size_t count,
                            error *e);

/* Sends what can be sent. */
void sendqueue_advance(sendqueue *o);

/* From here on nothing more is sent to a rank, or it is again. */
void sendqueue_hold(sendqueue *o, int rank, bool held);

/* What waits for a rank is dropped, and what is in flight to it is not waited for. */
void sendqueue_drop(sendqueue *o, int rank);

/* How many messages to a rank are in flight or wait. */
int sendqueue_count(sendqueue *o, int rank);

/* Whether all has been sent that can be: to ranks that are neither held nor dropped. */
bool sendqueue_idle(const sendqueue *o);

#endif
