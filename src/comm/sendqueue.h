/* SPDX-License-Identifier: BSD-3-Clause */
/* The send queue: messages on their way to other ranks.
 *
 * At most one send to a rank of another host is in flight; what else is for it waits here. Two
 * sends to a peer that has died may end the sender, or make it hang inside of MPI, where MPI's
 * messages go over TCP, which takes them off the sender's hands at once as long as the peer lives.
 * Through shared memory a send is in flight until the receiver has looked, and then the sender, so
 * that a second one does not wait for it: of ranks of this host it is known soon who has died.
 * That a peer has died is the same for all communicators of a process, so that they share the
 * queue, and so may several threads: a send to a rank of another host is the only one of them all.
 * Each has an outbox of its own: that a rank may be dead is what one run presumes, and holds, drops
 * or counts no other run's messages. Where several have something for a rank they take turns,
 * between the parts of a long message, too. Requests are few: a rank that gets no answer gets no
 * work. Reports may pile up behind a receiver that does not look: up to those of all that the rank
 * has computed meanwhile. */
#ifndef COMM_SENDQUEUE_H
#define COMM_SENDQUEUE_H

#include "base/error.h"
#include "comm/mailbox.h"

#include <mpi.h>
#include <stdbool.h>
#include <stddef.h>

typedef struct sendqueue sendqueue;
typedef struct outbox outbox;

/* Where a message goes. */
typedef struct address {
    MPI_Comm communicator;
    int rank;
    int tag;
    mailbox *mailbox; /* the receiver's; NULL: it has none that could be reached from here … */
    bool rings;       /* … and whether its bell is to ring */
} address;

/* A message that is longer than the longest part goes in several, of which all but the last have
 * the tag plus SENDQUEUE_MORE. */
enum { SENDQUEUE_MORE = 16384 };

/* What is not longer arrives without the sender's help, over TCP at least, where Open MPI's limit
 * is 64 KiB with its own header. */
enum { SENDQUEUE_EAGER_BYTES = (1 << 16) - 1024 };

/* No part is longer than part_bytes, and none for another host longer than what arrives so: a
 * receiver would wait within MPI for a sender that is stopped, or has died. */
weft_status sendqueue_create(int ranks, size_t part_bytes, sendqueue **out, error *e);

/* Once all outboxes are closed. What is in flight stays MPI's. NULL is allowed. */
void sendqueue_destroy(sendqueue *o);

/* The rank is one of this host. */
void sendqueue_set_near(sendqueue *o, int rank);

/* Sends what can be sent, or only what is not bulk, of all outboxes. */
void sendqueue_advance(sendqueue *o, bool bulk);

/* Whether all has been sent that can be: to ranks that are neither held nor dropped. */
bool sendqueue_idle(sendqueue *o);

weft_status outbox_open(sendqueue *o, outbox **out, error *e);

/* What has not been sent is lost, and of what is in flight nothing more is sent: the communicator
 * may be freed. NULL is allowed. */
void outbox_close(outbox *b);

/* A copy of the bytes goes to a rank: at once if it is not bulk and may fly, else with
 * sendqueue_advance(), after all that waits, but what is bulk waits for the rest. */
weft_status outbox_post(outbox *b, const address *to, bool bulk, const void *bytes, size_t count,
                        error *e);

/* As outbox_post(), past what is held; nothing happens if a message to the rank is in flight. */
weft_status outbox_probe(outbox *b, const address *to, const void *bytes, size_t count, error *e);

/* Whether anything waits, or is so long that MPI needs the sender for it, and is not held or
 * dropped. */
bool outbox_busy(outbox *b);

/* From here on nothing more is sent to a rank, or it is again. */
void outbox_hold(outbox *b, int rank, bool held);

/* What waits for a rank is dropped, and what is in flight to it is not waited for. */
void outbox_drop(outbox *b, int rank);

/* How many messages to a rank are in flight or wait. */
int outbox_count(outbox *b, int rank);

#endif
