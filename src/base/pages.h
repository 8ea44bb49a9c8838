/* SPDX-License-Identifier: BSD-3-Clause */
/* Large arrays of which every part is touched once or twice, and memory that is about to be: the
 * first touch of each page would cost more than all else that is done to it. So arrays lie in the
 * system's large pages, where it has these, and small pages are had many at a time.
 *
 * Thread: any. */
#ifndef BASE_PAGES_H
#define BASE_PAGES_H

#include <stddef.h>

/* Has the system provide the pages of memory that is going to be written, and may hold something,
 * for the calling thread's NUMA node. */
void pages_populate(void *memory, size_t bytes);

/* The same for memory that the calling thread will get from the heap piece by piece. */
void pages_populate_heap(size_t bytes);

/* Zeroed; NULL: out of memory. */
void *pages_create(size_t bytes);

/* Of the same number of bytes. NULL is allowed. */
void pages_destroy(void *memory, size_t bytes);

#endif
