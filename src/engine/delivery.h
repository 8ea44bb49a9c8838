/* SPDX-License-Identifier: BSD-3-Clause */
/* What a rank's team has finished, on its way into the books: forced to disk, then reported. */
#ifndef ENGINE_DELIVERY_H
#define ENGINE_DELIVERY_H

#include "engine/contact.h"
#include "engine/work.h"
#include "team/team.h"

#include <stdbool.h>
#include <stdint.h>

typedef struct delivery delivery;

/* What it works with; all of it lives longer. */
typedef struct delivery_setup {
    team *team;
    int workers;
    contact *contact;
    store *store;
    double sync_s; /* data is forced to disk at least this often, before it is reported; 0: never */
} delivery_setup;

weft_status delivery_create(const delivery_setup *setup, delivery **out, error *e);

/* Frees the blocks, too. NULL is allowed. */
void delivery_destroy(delivery *d);

/* The rank begins to compute: its speed counts from here. */
void delivery_begin(delivery *d, int64_t now_ns);

/* A block that can be used again; NULL: there is none. */
block *delivery_take_free(delivery *d);

/* A block that nothing has become of. */
void delivery_put_free(delivery *d, block *b);

/* Takes over what the team has finished, and tells the coordinator how that went; so many tiles are
 * queued behind what the team has. What was not computed, or not written, goes back, in the rank's
 * epoch. False if there was nothing. */
bool delivery_collect(delivery *d, int64_t queued, int32_t epoch);

/* Reports what may be reported: everything, or what is on disk for sure. `hurry`: nothing more will
 * come that could share a sync. */
void delivery_report(delivery *d, int64_t now_ns, bool hurry);

/* Whether all that was collected has been reported. */
bool delivery_done(const delivery *d);

/* Whether the disk still is at what was given to it. */
bool delivery_busy(const delivery *d);

#endif
