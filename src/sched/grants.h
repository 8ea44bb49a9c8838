/* SPDX-License-Identifier: BSD-3-Clause */
/* Grants on their way to ranks: each waits until the file says that its tiles are leased. */
#ifndef SCHED_GRANTS_H
#define SCHED_GRANTS_H

#include "sched/dispatch.h"
#include "sched/effects.h"
#include "sched/members.h"

typedef struct grants grants;

/* All live longer. */
weft_status grants_create(const effects *outside, const dispatch *d, members *m, grants **out,
                          error *e);

/* NULL is allowed. */
void grants_destroy(grants *g);

/* The file is to say that the order's tiles are leased; then they are granted. */
weft_status grants_send(grants *g, const order *o, error *e);

/* Sends grants in their order, as far as their leases are written. */
weft_status grants_flush(grants *g, error *e);

/* A rank is presumed dead: what waits for it is dropped. */
void grants_bury(grants *g, int rank);

#endif
