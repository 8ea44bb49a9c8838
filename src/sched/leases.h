/* SPDX-License-Identifier: BSD-3-Clause */
/* Which tiles are done, which rank has been given which, and which are reserved for whom. */
#ifndef SCHED_LEASES_H
#define SCHED_LEASES_H

#include "base/error.h"
#include "space/interval.h"

#include <stdbool.h>
#include <stdint.h>

typedef struct leases leases;

/* A piece that a rank has held for long. */
typedef struct overdue {
    int rank;
    int copies;       /* how often it has been handed out again … */
    int copier;       /* … and to whom last */
    int64_t since_ns; /* when that was last, or when its rank was last heard of, if later */
} overdue;

/* All tiles still to do, nobody has any. */
weft_status leases_create(int64_t tiles, int ranks, leases **out, error *e);

/* NULL is allowed. */
void leases_destroy(leases *l);

/* Fails once memory has run out for what ranks have: then a tile may never be handed out again. */
weft_status leases_status(const leases *l, error *e);

/* Tiles first … first + tiles - 1 have been computed. Returns how many of them, from the first on,
 * had not been before. */
int64_t leases_report_run(leases *l, int64_t first, int64_t tiles);

/* A tile has been computed: true if for the first time. */
static inline bool leases_report(leases *l, int64_t tile)
{
    return leases_report_run(l, tile, 1) == 1;
}

/* Tiles not done. */
int64_t leases_undone(const leases *l);

/* Tiles to do that ranks have been given. */
int64_t leases_leased(const leases *l);

/* A tile whose items may kill. Pieces that are taken are careful as a whole or not at all; one that
 * is copied is if any of its tiles is. */
void leases_set_careful(leases *l, int64_t tile);

/* The first such tile from one on, before the end; the end if there is none. */
int64_t leases_next_careful(const leases *l, int64_t tile, int64_t end);

/* Reserves at most `most` tiles for a rank that has nothing reserved. Returns how many; 0 if all
 * are done, leased or reserved. */
int64_t leases_reserve(leases *l, int rank, int64_t most);

/* Tiles that are reserved for a rank and that it has not been given yet. */
int64_t leases_reserved(const leases *l, int rank);

/* A rank that has nothing reserved gets the back half of what is reserved for another, rounded up.
 * How many tiles these are. */
int64_t leases_steal(leases *l, int from, int to);

/* Leases a rank the next of the tiles that are reserved for it, at most `most`; none if there are
 * none. */
interval leases_take(leases *l, int rank, int64_t most, int64_t now_ns);

/* A rank no longer has a piece; how many of its tiles are to be handed out again. What it had as a
 * copy stays with the holder. */
int64_t leases_return(leases *l, int rank, interval p);

/* A rank no longer has anything, and what it had not done is careful from then on, its copies and
 * what others have copied of it included. How many tiles are to do again: those that another has a
 * copy of are not, they are the other's. What was reserved for it, as *reserved says, is free. */
int64_t leases_bury(leases *l, int rank, int64_t *reserved);

/* The piece of a rank, last heard of at heard_ns, that has been copied least and is overdue: for
 * late_ns, and twice as long for each copy. False if there is none. */
bool leases_find_overdue(leases *l, int rank, int64_t heard_ns, int64_t now_ns, int64_t late_ns,
                         overdue *found);

/* Hands tiles of that piece out a second time. They may be done by now: then none. */
interval leases_copy(leases *l, const overdue *from, int rank, int64_t now_ns);

#endif
