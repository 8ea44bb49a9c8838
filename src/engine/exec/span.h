/* SPDX-License-Identifier: BSD-3-Clause */
/* The span: what a kernel sees of the work, and says of its items.
 *
 * Thread: the span's worker, or its child. */
#ifndef ENGINE_EXEC_SPAN_H
#define ENGINE_EXEC_SPAN_H

#include "engine/flow/block.h"
#include "engine/flow/failed_items.h"

typedef struct span_failures {
    failed_items *items; /* all of them, … */
    int64_t origin;      /* … counted from this item on; NULL: every failure gets a row */
    int64_t failed;      /* how many have been noted */
    failure_row *rows;   /* what there is to say of them: of as many as there is memory for */
    int64_t count;       /* of rows */
    int64_t room;
    int64_t most;        /* how many are of any use; 0: all … */
    bool full;           /* … and that is reached */
    bool short_of_rows;  /* some did not get one */
    const error *broken; /* why the run cannot go on; NULL: it can */
} span_failures;

struct weft_span {
    const flow *flow;
    unsigned char *bytes;       /* results; … */
    const int64_t *field_start; /* … where in them a column begins … */
    int64_t origin;             /* … and with which item */
    int64_t first;
    int64_t count;
    int worker;
    bool careful;            /* it is computed in a child */
    const atomic_bool *told; /* to stop; in a child, which the run's signals do not reach */
    span_failures *failures;
};

/* The accumulator of a reduction for the span's tile. */
unsigned char *span_accumulator(const weft_span *span, int reduction);

/* Notes a failed item, once. Where memory is short its row is left out, not the failure. */
void span_fail(span_failures *failures, int64_t item, int code, const char *text);

/* The same for one that is in quarantine. */
void span_quarantine(span_failures *failures, int64_t item, int code, const char *text);

/* No item of the span, which was the last to be computed, has failed. */
void span_forget_failures(const weft_span *span);

#endif
