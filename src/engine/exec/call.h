/* SPDX-License-Identifier: BSD-3-Clause */
/* The call of the kernel: here or in a child, and again where something failed or died.
 *
 * Thread: the span's worker, and call_here() in its child. */
#ifndef ENGINE_EXEC_CALL_H
#define ENGINE_EXEC_CALL_H

#include "engine/exec/span.h"

#include <stdbool.h>

/* Computes a span; the items that could not be are among its failures. False if it is not computed,
 * since the run is to stop, or cannot go on. The span's worker. */
bool call_kernel(const weft_span *span);

/* Calls it in this very process. Should it leave floating-point arithmetic changed, that ends with
 * the call. */
int call_here(const weft_span *span);

#endif
