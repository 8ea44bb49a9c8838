/* SPDX-License-Identifier: BSD-3-Clause */
/* Large arrays of which every part is touched once or twice: they lie in the system's large pages,
 * where it has these, as with small ones the first touch would cost more than all else that is done
 * to them.
 *
 * Thread: any. */
#ifndef BASE_PAGES_H
#define BASE_PAGES_H

#include <stddef.h>

/* Zeroed; NULL: out of memory. */
void *pages_create(size_t bytes);

/* Of the same number of bytes. NULL is allowed. */
void pages_destroy(void *memory, size_t bytes);

#endif
