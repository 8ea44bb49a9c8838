/* SPDX-License-Identifier: BSD-3-Clause */
/* Pieces of memory that are used again and again: large ones that the heap would get from the
 * system, and give back to it, page by page each time.
 *
 * Thread: any. */
#ifndef BASE_POOL_H
#define BASE_POOL_H

#include "base/error.h"

#include <stddef.h>

typedef struct pool pool;

weft_status pool_create(pool **out, error *e);

/* Every piece has been given back. NULL is allowed. */
void pool_destroy(pool *p);

/* A piece of at least `bytes` bytes, not cleared, with one user; NULL: out of memory. */
void *pool_take(pool *p, size_t bytes);

/* How many bytes there are. */
size_t pool_room(const void *piece);

/* One more user of a piece. */
void pool_share(void *piece);

/* One user less: the last one gives it back. NULL is allowed. */
void pool_give(void *piece);

#endif
