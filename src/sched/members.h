/* SPDX-License-Identifier: BSD-3-Clause */
/* The members of a run, as the coordinator knows them: which ranks are there, which are presumed
 * dead, and messages to those that are not. */
#ifndef SCHED_MEMBERS_H
#define SCHED_MEMBERS_H

#include "sched/effects.h"
#include "sched/pulse.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct members members;

/* All ranks have just been heard of. The effects live longer. */
weft_status members_create(const effects *outside, int ranks, pulse p, int64_t now_ns,
                           members **out, error *e);

/* NULL is allowed. */
void members_destroy(members *r);

/* Sends to a rank that is not presumed dead; one that cannot be reached is from then on. While a
 * rank is doubtful, messages to it wait. */
void members_send(members *r, int rank, const void *bytes, size_t count);

/* The same to all ranks, the coordinator's own included. */
void members_send_to_all(members *r, const void *bytes, size_t count);

/* The last message of all goes to ranks presumed dead as well, unless they are known to have died
 * or a message to them is still in flight: a rank that was only stopped finds it when it wakes up.
 */
void members_send_last(members *r, const void *bytes, size_t count);

/* A rank has said something: true if it had been presumed dead, and members_next_lost() has told of
 * that. Then the rank begins a new epoch. */
bool members_hear(members *r, int rank);

/* How often a rank has returned. */
int32_t members_epoch(const members *r, int rank);

/* A rank's clock, as the rank has sent it; each beat to the rank brings the last one back. */
void members_take_clock(members *r, int rank, int64_t clock_ns);

/* A look at the messages, after all of them have been read: time passes, and the ranks are told
 * that the coordinator is there. */
void members_listen(members *r, int64_t now_ns);

/* After members_listen(), until there is none: the next rank that is presumed dead from now on, and
 * why, a text that lives as long as the members; -1 if there is none. */
int members_next_lost(members *r, const char **why);

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

/* A rank says that it has left, after MESSAGE_STOP, or is writing: it leaves once its disk has
 * answered. */
void members_leave(members *r, int rank, bool writing);

bool members_has_left(const members *r, int rank);

/* Whether all have, but for the dead. */
bool members_all_left(const members *r);

/* Whether any that is not presumed dead is writing. */
bool members_writing(const members *r);

/* The roll call, for when everything is done: a rank may have died a moment ago, and the end of MPI
 * would wait for it. True once all have answered since the first call, or left, or are presumed
 * dead. */
bool members_call(members *r);

#endif
