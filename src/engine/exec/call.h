/* SPDX-License-Identifier: BSD-3-Clause */
/* The call of the kernel: here or in a child, and again where something failed or died.
 *
 * Thread: the span's worker, and call_parts() in its child. */
#ifndef ENGINE_EXEC_CALL_H
#define ENGINE_EXEC_CALL_H

#include "engine/exec/span.h"

#include <stdbool.h>

/* Computes a span; the items that could not be are among its failures. False if it is not computed,
 * since the run is to stop, or cannot go on. The span's worker. */
bool call_kernel(const weft_span *span);

/* How many items of a span, at least one, call_parts() gives to the kernel at once. */
int64_t call_part_items(const weft_span *span);

/* Calls it in this very process, for a part of the span after the other: each is a few tiles, no
 * more than a call of the kernel may get. *at is where the present part, or the last one, begins.
 * Where items may not be computed twice there is but one part. Should the kernel leave
 * floating-point arithmetic changed, that ends with the call. */
int call_parts(const weft_span *span, _Atomic int64_t *at);

#endif
