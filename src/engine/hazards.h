/* SPDX-License-Identifier: BSD-3-Clause */
/* The hazards of a run: what is known, on all ranks, of items that may kill; and the notes from
 * which it is learnt. */
#ifndef ENGINE_HAZARDS_H
#define ENGINE_HAZARDS_H

#include "comm/comm.h"
#include "engine/suspects.h"
#include "store/notes.h"
#include "store/store.h"

#include <stdbool.h>

typedef struct hazards {
    bool keeper; /* rank 0, which writes down for later runs what is suspect */
    suspects *suspects;
    notes *notes; /* NULL: there are none */
} hazards;

/* Once the result is open: suspect is what killed runs had in hand, and what was in quarantine if
 * it is to be tried again. Every rank has so many workers. Collective: all ranks return the same;
 * *h is to be closed in any case. */
weft_status hazards_open(comm *c, const char *path, const job *j, store *s, int workers,
                         bool retry_failed, hazards *h, error *e);

/* More has become suspect: to be told to every rank. */
weft_status hazards_add(hazards *h, const suspect list[], int64_t count, error *e);

/* How the run has ended. */
void hazards_settle(const hazards *h, weft_status status);

/* Gives back what hazards_open() has made. */
void hazards_close(hazards *h);

#endif
