/* SPDX-License-Identifier: BSD-3-Clause */
/* The suspects: items that may have killed a process, and are therefore computed in a child. */
#ifndef ENGINE_SUSPECTS_H
#define ENGINE_SUSPECTS_H

#include "base/error.h"
#include "store/notes.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

/* Open, so that a worker need not call anybody to see that there are none. */
typedef struct suspects {
    _Atomic(struct snapshot *) now; /* NULL: none */
} suspects;

/* None. */
weft_status suspects_create(suspects **out, error *e);

/* NULL is allowed. */
void suspects_destroy(suspects *s);

/* Any thread. */
static inline bool suspects_none(const suspects *s)
{
    return atomic_load_explicit(&s->now, memory_order_relaxed) == NULL;
}

/* Adds items, in any order, that may overlap each other and those there are; of what is known twice
 * the worse counts. One thread at a time; workers may look meanwhile. */
weft_status suspects_add(suspects *s, const suspect list[], int64_t count, error *e);

/* Of the items from `first` on, `count` of them, so many are alike: either none of them is suspect,
 * and *found is false, or all of them are, and as much is known of all. At least 1. Any thread. */
int64_t suspects_look(const suspects *s, int64_t first, int64_t count, bool *found, int *crashes);

/* All of them, sorted and disjoint, until more are added. */
const suspect *suspects_list(const suspects *s, int64_t *count);

#endif
