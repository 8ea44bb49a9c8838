/* SPDX-License-Identifier: BSD-3-Clause */
/* A rank's line to the coordinator: what it says there, and whether the coordinator is still there.
 */
#ifndef ENGINE_CONTACT_H
#define ENGINE_CONTACT_H

#include "engine/liveness.h"
#include "engine/mail.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct contact contact;

/* The coordinator's own rank need not look whether it is there. */
weft_status contact_create(mail *m, int rank, pulse p, contact **out, error *e);

/* NULL is allowed. */
void contact_destroy(contact *c);

/* What cannot be sent for want of memory ends the run, as contact_fail() does. */
void contact_send(contact *c, const void *bytes, size_t count);

/* The rank cannot go on: the coordinator ends the run for all. The first reason counts. */
void contact_fail(contact *c, const error *e);

/* Says that the rank is there, if it has not said so lately. */
void contact_beat(contact *c, int64_t now_ns);

/* The coordinator wants to hear of this rank: the next beat does not wait. */
void contact_answer(contact *c);

/* The coordinator has been heard of. */
void contact_hear(contact *c);

/* Whether it has died, or been silent for too long; why the run is over then. Of others who have
 * died it is told. After all messages have been read. */
bool contact_lost(contact *c, int64_t now_ns, error *why);

#endif
