/* SPDX-License-Identifier: BSD-3-Clause */
/* The notes beside a result, FILE.notes: what every worker has in hand, for those who are there
 * after its death. */
#ifndef STORE_NOTES_H
#define STORE_NOTES_H

#include "base/error.h"
#include "range/job.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

typedef struct notes notes;

/* What a worker has in hand: a cache line of the file, that nobody else writes. */
typedef struct notes_line {
    _Alignas(64) _Atomic int64_t place; /* the first item plus one; 0: nothing */
    _Atomic int64_t count;
} notes_line;

/* Items that somebody had in hand when he died. */
typedef struct suspect {
    int64_t first;
    int64_t count;
    int32_t crashes; /* of an item that was all its rank had in hand it is known that it was the
                        one: 1, else 0 */
    int32_t unused;
} suspect;

/* Where in the file each rank writes; the same on all ranks. */
typedef struct notes_shape {
    int64_t part_bytes; /* per rank, whole pages; 0: there are no notes */
    int32_t ranks;
    int32_t workers; /* the most of any rank */
} notes_shape;

/* Rank 0, with the lock held: what a run of the same job that was killed has left beside the
 * result, in no order. *list is to be freed. Notes of another job, or damaged ones, say nothing. */
weft_status notes_read_left(const char *result, const job *j, suspect **list, int64_t *count,
                            error *e);

/* Rank 0: makes the file, on space that is there for sure; what is suspect already is kept in it.
 * Where that is not possible there are no notes, which only a debug line says; where a person's own
 * file has that name, it stays as it is, and a warning says so. */
void notes_create(const char *result, const job *j, int ranks, int workers, const suspect list[],
                  int64_t count, notes_shape *shape);

/* Every rank, once rank 0 has made the file: its part of it; NULL if there are no notes. */
notes *notes_attach(const char *result, const notes_shape *shape, int rank);

/* NULL is allowed. The file stays. */
void notes_detach(notes *n);

/* The lines of this rank's workers; NULL if there are no notes. */
notes_line *notes_lines(notes *n);

/* A worker takes items in hand: before every call of the kernel, so it must cost next to nothing.
 */
static inline void notes_begin(notes_line *mine, int64_t first, int64_t count)
{
    atomic_store_explicit(&mine->count, count, memory_order_relaxed);
    atomic_store_explicit(&mine->place, first + 1, memory_order_release);
}

/* It is rid of them again. */
static inline void notes_end(notes_line *mine)
{
    atomic_store_explicit(&mine->place, 0, memory_order_relaxed);
}

/* What a rank has in hand, dead or alive: one entry per worker, at most; *list is to be freed.
 * False: it is not known. NULL is allowed. Any rank. */
bool notes_read_rank(const notes *n, int rank, suspect **list, int64_t *count);

/* Rank 0: from here on the file says for later runs as well that these items are suspect; as many
 * as there is room for. NULL is allowed. */
void notes_keep(notes *n, const suspect list[], int64_t count);

/* What the workers of this rank have in hand has killed nobody: the rank goes before they are done.
 * NULL is allowed. */
void notes_drop(notes *n);

/* Rank 0, at the end of a run: the file goes, unless something is left to do for later runs, and it
 * has something to say to them. NULL is allowed. */
void notes_settle(notes *n, bool complete);

#endif
