/* SPDX-License-Identifier: BSD-3-Clause */
/* Messages between agents and the coordinator; rank 0's own agent and the coordinator talk in
 * memory, everybody else over MPI.
 *
 * Thread: the driver. */
#ifndef ENGINE_LINK_MAIL_H
#define ENGINE_LINK_MAIL_H

#include "base/pool.h"
#include "comm/comm.h"
#include "sched/message.h"

#include <stdbool.h>
#include <stddef.h>

typedef struct mail mail;

/* Every rank at the beginning of a run, between two collective calls. */
weft_status mail_create(comm *c, pool *p, mail **out, error *e);

/* NULL is allowed. */
void mail_destroy(mail *m);

/* A copy of the bytes goes to a rank; a message to oneself is received like any other. Reports go
 * with mail_advance(), and wait for all others. */
weft_status mail_send(mail *m, int rank, const void *bytes, size_t count, error *e);

/* The same with bytes that are part of a piece of the pool, which the mail takes: to oneself they
 * are not copied. */
weft_status mail_hand(mail *m, int rank, void *piece, const void *bytes, size_t count, error *e);

/* As comm_probe(). */
weft_status mail_probe(mail *m, int rank, const void *bytes, size_t count, error *e);

/* As comm_hold(). */
void mail_hold(mail *m, int rank, bool held);

/* As comm_waiting(). */
int mail_waiting(mail *m, int rank);

/* A rank has died: what is for it is dropped, or not waited for. */
void mail_drop(mail *m, int rank);

/* As comm_next_dead(). */
int mail_next_dead(mail *m);

/* Whether there is a message to oneself. */
bool mail_is_own(const mail *m);

/* Sends what waits, as far as that can be. */
void mail_advance(mail *m);

/* As comm_sends(). */
bool mail_sends(const mail *m);

/* The next message: false if there is none. The bytes are aligned for any of message.h's structs
 * and live until the next call. */
weft_status mail_receive(mail *m, bool *arrived, int *source, const void **bytes, size_t *count,
                         error *e);

/* The message that was received last is to live on: the piece of the pool that *bytes, the message
 * as it was received, is then part of, with the caller as one more user. NULL: out of memory. */
void *mail_keep(mail *m, const void **bytes, size_t count);

#endif
