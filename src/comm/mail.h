/* SPDX-License-Identifier: BSD-3-Clause */
/* The messages of a run: those between ranks go over MPI, one to oneself stays in memory.
 *
 * Thread: the driver. */
#ifndef COMM_MAIL_H
#define COMM_MAIL_H

#include "base/pool.h"
#include "comm/comm.h"

#include <stdbool.h>
#include <stddef.h>

typedef struct mail mail;

/* How a message goes: a sum. */
enum {
    MAIL_PLAIN = 0,
    MAIL_BULK = 1, /* waits for all that is not */
    MAIL_RINGS = 2 /* wakes a receiver of this machine, see comm_rings() */
};

/* Every rank at the beginning of a run, between two collective calls. From here on messages belong
 * to the new run; what is still on its way from earlier ones is dropped. What is to be kept is kept
 * in pieces of the pool. */
weft_status mail_create(comm *c, pool *p, mail **out, error *e);

/* NULL is allowed. */
void mail_destroy(mail *m);

/* Sends a copy of the bytes, of any length, to a rank; returns at once and never waits for the
 * receiver. A message to oneself is received like any other. At most one send to a rank of another
 * host is in flight, and two to one of this; other messages wait for it here, in their order, but
 * what is bulk for the rest. What waits goes with mail_receive(), bulk with mail_advance() only. */
weft_status mail_send(mail *m, int rank, int how, const void *bytes, size_t count, error *e);

/* The same with bytes that are part of a piece of the pool, which the mail takes: to oneself they
 * are not copied. */
weft_status mail_hand(mail *m, int rank, void *piece, int how, const void *bytes, size_t count,
                      error *e);

/* A message past all that waits or is held, but nothing is sent while anything is in flight. */
weft_status mail_probe(mail *m, int rank, const void *bytes, size_t count, error *e);

/* Holds, or no longer holds, the messages to a rank that may be dead. */
void mail_hold(mail *m, int rank, bool held);

/* How many messages to another rank are in flight or wait. */
int mail_waiting(mail *m, int rank);

/* A rank has died: what waits for it is dropped, and what is on its way to it is not waited for. */
void mail_drop(mail *m, int rank);

/* A rank that has died: at least one rank is given it, each once or twice; -1 if there is none.
 * Only an early hint: it is known of ranks of the same machine, and where MPI is Open MPI 5 and
 * mpirun was told --with-ft ulfm; and what they had sent before may still be on its way. */
int mail_next_dead(mail *m);

/* Whether there is a message to oneself. */
bool mail_is_own(const mail *m);

/* Sends what waits, as far as that can be. */
void mail_advance(mail *m);

/* Whether any message waits, or needs this rank to get on, that is not held or dropped. */
bool mail_sends(const mail *m);

/* The next message: false if there is none. The bytes are aligned for any type and live until the
 * next call. After WEFT_ERR_MEMORY the message is still there, and the next call tries again. */
weft_status mail_receive(mail *m, bool *arrived, int *source, const void **bytes, size_t *count,
                         error *e);

/* The message that was received last is to live on: the piece of the pool that *bytes, the message
 * as it was received, is then part of, with the caller as one more user. NULL: out of memory. */
void *mail_keep(mail *m, const void **bytes, size_t count);

#endif
