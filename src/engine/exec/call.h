/* SPDX-License-Identifier: BSD-3-Clause */
/* The call of the kernel: here or in a child, and again where something failed or died.
 *
 * Thread: the span's worker, and call_parts() in its child. */
#ifndef ENGINE_EXEC_CALL_H
#define ENGINE_EXEC_CALL_H

#include "engine/exec/lull.h"
#include "engine/exec/span.h"

#include <stdbool.h>
#include <stddef.h>

/* Calls the kernel in this very process. Should it leave floating-point arithmetic changed, that
 * ends with the call. */
static inline int call_here(const weft_span *span)
{
    const flow *w = span->flow;
    const int code = w->kernel(span, w->context);
    if (w->caller != NULL && !float_mode_same(float_mode_get(), w->caller->mode)) {
        float_mode_set(w->caller->mode);
    }
    return code;
}

/* How many items of a span, at least one, call_parts() gives to the kernel at once. */
int64_t call_part_items(const weft_span *span);

/* Calls it in this very process, for a part of the span after the other: each is a few tiles, no
 * more than a call of the kernel may get. *at is where the present part, or the last one, begins.
 * Where items may not be computed twice there is but one part. */
int call_parts(const weft_span *span, _Atomic int64_t *at);

/* While the worker is in the user's code, others may fork. */
static inline int call_and_break(const weft_span *span)
{
    lull_break(span->flow->lull, span->worker);
    const int code = call_here(span);
    lull_keep(span->flow->lull, span->worker);
    return code;
}

/* Computes a span in a child, or in parts, as isolation_look() says. */
bool call_with_care(const weft_span *span);

/* The kernel has returned an error here. */
bool call_after_error(const weft_span *span, int code);

/* Computes a span; the items that could not be are among its failures. False if it is not computed,
 * since the run is to stop, or cannot go on. The span's worker. */
static inline bool call_kernel(const weft_span *span)
{
    if (span->careful || span->flow->options->isolate) {
        return call_with_care(span);
    }
    const int code = call_and_break(span);
    return code == 0 || call_after_error(span, code);
}

#endif
