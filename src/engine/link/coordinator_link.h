/* SPDX-License-Identifier: BSD-3-Clause */
/* A rank's line to the coordinator: what it says there, and whether the coordinator is still there.
 *
 * Thread: the driver. */
#ifndef ENGINE_LINK_COORDINATOR_LINK_H
#define ENGINE_LINK_COORDINATOR_LINK_H

#include "comm/mail.h"
#include "sched/message.h"
#include "sched/pulse.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct coordinator_link coordinator_link;

/* The coordinator's own rank need not look whether it is there. */
weft_status coordinator_link_create(mail *m, int rank, pulse p, coordinator_link **out, error *e);

/* NULL is allowed. */
void coordinator_link_destroy(coordinator_link *c);

/* From now on each beat says what `about` says of the rank's workers. */
void coordinator_link_tell(coordinator_link *c, rank_effort (*effort_of)(const void *about),
                           const void *about);

/* What cannot be sent for want of memory ends the run, as coordinator_link_fail() does. */
void coordinator_link_send(coordinator_link *c, const void *bytes, size_t count);

/* The same with bytes of a pool's piece, see mail_hand(), for which the coordinator is woken where
 * it can be, or not. */
void coordinator_link_hand(coordinator_link *c, void *piece, bool rings, const void *bytes,
                           size_t count);

/* The rank cannot go on: the coordinator ends the run for all. The first reason counts. */
void coordinator_link_fail(coordinator_link *c, const error *e);

/* Says that the rank is there, if it has not said so lately. */
void coordinator_link_beat(coordinator_link *c, int64_t now_ns);

/* The coordinator wants to hear of this rank: the next beat does not wait. */
void coordinator_link_answer(coordinator_link *c);

/* The coordinator has been heard of. */
void coordinator_link_hear(coordinator_link *c);

/* Whether it has died, or been silent for too long; why the run is over then. Of others who have
 * died it is told. After all messages have been read; for own_ns see listening_look_after(). */
bool coordinator_link_lost(coordinator_link *c, int64_t now_ns, int64_t own_ns, error *why);

#endif
