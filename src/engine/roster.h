/* SPDX-License-Identifier: BSD-3-Clause */
/* The coordinator's roster: which ranks are there, which are taken for dead, and messages to those
 * that are not. */
#ifndef ENGINE_ROSTER_H
#define ENGINE_ROSTER_H

#include "engine/liveness.h"
#include "engine/mail.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct roster roster;

enum { ROSTER_WHY_BYTES = 256 };

/* All ranks are there. The mail lives longer. */
weft_status roster_create(mail *m, int ranks, pulse p, roster **out, error *e);

/* NULL is allowed. */
void roster_destroy(roster *r);

/* Sends to a rank that is not taken for dead; one that cannot be reached is from then on. While a
 * rank is doubtful what is for it waits. */
void roster_send(roster *r, int rank, const void *bytes, size_t count);

/* The same to all ranks, the coordinator's own included. */
void roster_send_to_all(roster *r, const void *bytes, size_t count);

/* The last message of all goes to ranks taken for dead as well, unless they are known to have died
 * or a message to them is still in flight: one that was only stopped will find it when it wakes up.
 */
void roster_send_last(roster *r, const void *bytes, size_t count);

/* A rank has said something: true if it had been taken for dead, and that has been told. Then it
 * begins a new epoch. */
bool roster_hear(roster *r, int rank);

/* How often a rank has come back. */
int32_t roster_epoch(const roster *r, int rank);

/* What a rank has said of the time there; it is told with every beat which it was last. */
void roster_take_clock(roster *r, int rank, int64_t clock_ns);

/* Listens, and lets the ranks know that the coordinator is there: after all messages have been
 * read. */
void roster_listen(roster *r, int64_t now_ns);

/* A rank that is taken for dead and has not been told of yet, and why; -1 if there is none. */
int roster_next_lost(roster *r, char why[ROSTER_WHY_BYTES]);

/* A rank is known to have died: it is taken for dead as soon as it has missed some beats, since
 * what it had sent may still be on its way. */
void roster_presume_dead(roster *r, int rank);

/* A rank has to go: it is dead to the run, whatever it says. */
void roster_dismiss(roster *r, int rank);

bool roster_lost(const roster *r, int rank);

/* How many are taken for dead now. */
int roster_lost_ranks(const roster *r);

/* Whether a rank has missed so many beats that it may well be dead, long before it is taken for it.
 */
bool roster_doubtful(const roster *r, int rank);

/* A rank says that it has left, after MESSAGE_STOP. */
void roster_leave(roster *r, int rank);

bool roster_has_left(const roster *r, int rank);

/* Whether all have, but for the dead. */
bool roster_all_left(const roster *r);

/* The roll call, for when everything is done: a rank may have died a moment ago, and the end of MPI
 * would wait for it. True once all have answered since the first call, or left, or are taken for
 * dead. */
bool roster_call(roster *r);

#endif
