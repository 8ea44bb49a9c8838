/* SPDX-License-Identifier: BSD-3-Clause */
/* A kernel that runs over the end of its stack: what is said of it, in a rank and of a child.
 *
 * Thread: the driver watches; any thread describes. */
#ifndef ENGINE_EXEC_OVERFLOW_H
#define ENGINE_EXEC_OVERFLOW_H

#include <stdbool.h>
#include <stdint.h>

enum { OVERFLOW_TEXT_BYTES = 64 };

/* Where it happened, and what helps: " near the end of …". */
void overflow_describe(bool worker, int64_t stack_bytes, char text[OVERFLOW_TEXT_BYTES]);

/* From here on, until each watch is over, a rank that dies of it says so first. */
void overflow_watch(int rank, bool worker);
void overflow_unwatch(void);

#endif
