/* SPDX-License-Identifier: BSD-3-Clause */
/* A kernel that calls a function for each item, and puts away the value that it returns.
 *
 * Thread: any may check; the kernel runs on workers, and in their children. */
#ifndef ENGINE_EXEC_EACH_H
#define ENGINE_EXEC_EACH_H

#include "base/error.h"
#include "space/job.h"

#include <weft/span.h>

typedef struct each_item {
    weft_item_fn function; /* NULL: the map has a kernel of its own */
    void *context;
} each_item;

/* Whether the map has a place for a value per item: one field, or reductions alone. */
weft_status each_check(const job *j, error *e);

/* The kernel; its context is an each_item. */
int each_kernel(const weft_span *span, void *context);

#endif
