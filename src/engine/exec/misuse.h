/* SPDX-License-Identifier: BSD-3-Clause */
/* Misuse: what a kernel asks for, or speaks of, that there is not. It gets memory to write to, and
 * the run ends with an error.
 *
 * Thread: the driver creates and destroys it; any worker, and its child, calls the rest. */
#ifndef ENGINE_EXEC_MISUSE_H
#define ENGINE_EXEC_MISUSE_H

#include "base/error.h"

#include <stddef.h>

typedef struct misuse misuse;

/* For kernels that run on `workers` workers, or in children that are forked later. */
weft_status misuse_create(int workers, misuse **out, error *e);

/* NULL is allowed. */
void misuse_destroy(misuse *m);

/* Keeps the first text. Any worker, any child. */
void misuse_note(misuse *m, const char *format, ...) WEFT_PRINTF(2, 3);

/* The error; NULL: there is none. Without a misuse there is none. */
const error *misuse_seen(const misuse *m);

/* Memory for items of a kernel's results, zero at first; `item_bytes` is the least that an item may
 * take. The worker's own, until it asks again; NULL if there is none. */
void *misuse_memory(misuse *m, int worker, size_t items, size_t item_bytes);

#endif
