/* SPDX-License-Identifier: BSD-3-Clause */
/* The members of a run, as the coordinator knows them: which ranks are there, which are presumed
 * dead, and messages to those that are not. */
#ifndef SCHED_MEMBERS_H
#define SCHED_MEMBERS_H

#include "sched/effects.h"
#include "sched/failure_detector.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct members members;

enum { MEMBERS_WHY_BYTES = 256 };

/* All ranks are there. The effects live longer. */
weft_status members_create(const effects *outside, int ranks, pulse p, int64_t now_ns,
                           members **out, error *e);

/* NULL is allowed. */
void members_destroy(members *r);

/* Sends to a rank that is not presumed dead; one that cannot be reached is from then on. While a
 * rank is doubtful what is for it waits. */
void members_send(members *r, int rank, const void *bytes, size_t count);

/* The same to all ranks, the coordinator's own included. */
void members_send_to_all(members *r, const void *bytes, size_t count);

/* The last message of all goes to ranks presumed dead as well, unless they are known to have died
 * or a message to them is still in flight: one that was only stopped will find it when it wakes up.
 */
void members_send_last(members *r, const void *bytes, size_t count);

/* A rank has said something: true if it had been presumed dead, and that has been told. Then it
 * begins a new epoch. */
bool members_hear(members *r, int rank);

/* How often a rank has returned. */
int32_t members_epoch(const members *r, int rank);

/* What a rank has said of the time there; it is told with every beat which it was last. */
void members_take_clock(members *r, int rank, int64_t clock_ns);

/* Listens, and lets the ranks know that the coordinator is there: after all messages have been
 * read. */
void members_listen(members *r, int64_t now_ns);

/* A rank that is presumed dead and has not been told of yet, and why; -1 if there is none. */
int members_next_lost(members *r, char why[MEMBERS_WHY_BYTES]);

/* A rank is known to have died: it is presumed dead as soon as it has missed some beats, since
 * what it had sent may still be on its way. */
void members_presume_dead(members *r, int rank);

/* A rank has to go: it is dead to the run, whatever it says. */
void members_dismiss(members *r, int rank);

bool members_lost(const members *r, int rank);

/* How many are presumed dead now. */
int members_lost_ranks(const members *r);

/* Whether a rank has missed enough beats to be doubtful, long before it is presumed dead. */
bool members_doubtful(const members *r, int rank);

/* A rank says that it has left, after MESSAGE_STOP. */
void members_leave(members *r, int rank);

bool members_has_left(const members *r, int rank);

/* Whether all have, but for the dead. */
bool members_all_left(const members *r);

/* The roll call, for when everything is done: a rank may have died a moment ago, and the end of MPI
 * would wait for it. True once all have answered since the first call, or left, or are presumed
 * dead. */
bool members_call(members *r);

#endif
