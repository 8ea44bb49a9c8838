/* SPDX-License-Identifier: BSD-3-Clause */
/* The span: what a kernel sees of the work, and says of its items. */
#ifndef ENGINE_SPAN_H
#define ENGINE_SPAN_H

#include "engine/work.h"

/* An item that failed. */
typedef struct span_failure {
    failure_row row;
    bool quarantined; /* it has killed its process too often to be tried again */
} span_failure;

typedef struct span_failures {
    span_failure *rows;
    int64_t count;
    int64_t room;
    const error *broken; /* why the run cannot go on; NULL: it can */
} span_failures;

struct weft_span {
    const work *work;
    unsigned char *bytes;       /* results; … */
    const int64_t *field_start; /* … where in them a field begins … */
    int64_t origin;             /* … and with which item */
    int64_t first;
    int64_t count;
    int worker;
    const atomic_bool *told; /* to stop; in a child, which the run's signals do not reach */
    span_failures *failures;
};

/* Notes a failed item, once. */
void span_fail(span_failures *failures, int64_t item, int code, const char *text);

/* The same for one that is in quarantine. */
void span_quarantine(span_failures *failures, int64_t item, int code, const char *text);

#endif
