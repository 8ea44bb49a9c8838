/* SPDX-License-Identifier: BSD-3-Clause */
/* The coordinator's outbox: grants that wait until the file says that their tiles are leased. The
 * coordinator itself waits for no disk. */
#ifndef ENGINE_COORD_OUTBOX_H
#define ENGINE_COORD_OUTBOX_H

#include "sched/members.h"
#include "store/lease_table.h"

#include <stdbool.h>
#include <stddef.h>

typedef struct outbox outbox;

/* Roster and table live longer. */
weft_status outbox_create(members *r, lease_table *table, outbox **out, error *e);

/* Drops what still waits. NULL is allowed. */
void outbox_destroy(outbox *o);

/* Sends a copy of these bytes to a rank, once all leases that have been asked for so far are in the
 * file, and not before what was sent earlier. */
weft_status outbox_send(outbox *o, int rank, const void *bytes, size_t count, error *e);

/* A rank gets nothing of what waits. */
void outbox_drop(outbox *o, int rank);

/* Sends what need not wait any longer. Fails if a lease could not be written. */
weft_status outbox_flush(outbox *o, error *e);

/* Whether anything waits. */
bool outbox_waits(const outbox *o);

#endif
