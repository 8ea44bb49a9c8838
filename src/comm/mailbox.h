/* SPDX-License-Identifier: BSD-3-Clause */
/* Mailboxes of the ranks of this machine, in memory that their processes share: MPI wakes nobody
 * who sleeps, and to ask it whether there is a message costs much where there is none. So a sender
 * counts and rings here. Each rank has a mailbox for each of its communicators. */
#ifndef COMM_MAILBOX_H
#define COMM_MAILBOX_H

#include "host/bell.h"
#include "host/host.h"

#include <stdbool.h>
#include <stdint.h>

/* Communicators of a rank that have a mailbox. */
enum { MAILBOXES_EACH = 16 };

typedef struct mailbox {
    _Atomic uint32_t sent; /* messages for this rank, of which MPI makes several of a long one */
    bell bell;
} mailbox;

typedef struct mailboxes mailboxes;

/* Where others find the memory that a process offers. */
typedef struct mailboxes_place {
    int64_t descriptor; /* -1: it offers none */
    uint64_t device;
    uint64_t file;
} mailboxes_place;

/* A rank that others tell where they are. */
typedef struct mailboxes_peer {
    host_process process;
    mailboxes_place place;
} mailboxes_peer;

/* Memory for the mailboxes of so many ranks; NULL, and an empty place, if there is none. */
mailboxes *mailboxes_create(int ranks, mailboxes_place *place);

/* Takes the memory that the lowest rank of this machine offers in place of one's own. Where that is
 * refused, this rank has no mailboxes, and nobody relies on them. NULL is allowed, and returned
 * then.
 */
mailboxes *mailboxes_join(mailboxes *b, const mailboxes_peer of[], int rank);

/* NULL is allowed. */
void mailboxes_destroy(mailboxes *b);

/* NULL: that rank has none, as one of another machine; and NULL has none of any. */
mailbox *mailboxes_of(mailboxes *b, int rank, int number);

/* Whether all ranks are of this machine, and have joined. */
bool mailboxes_are_complete(const mailboxes *b);

#endif
