/* SPDX-License-Identifier: BSD-3-Clause */
/* The span: what a kernel sees of a block, and says of its items. */
#ifndef ENGINE_SPAN_H
#define ENGINE_SPAN_H

#include "engine/work.h"

/* Items that failed, as told by weft_span_fail(). */
typedef struct span_failures {
    failure_row *rows;
    int64_t count;
    int64_t room;
} span_failures;

struct weft_span {
    const block *block;
    int64_t first;
    int64_t count;
    int worker;
    span_failures *failures;
};

/* Notes a failed item, once. */
void span_fail(span_failures *failures, int64_t item, int code, const char *text);

#endif
