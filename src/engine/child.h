/* SPDX-License-Identifier: BSD-3-Clause */
/* A child: a process forked by a worker that calls the kernel in the worker's place, so that what
 * goes wrong there costs a child and not a rank. */
#ifndef ENGINE_CHILD_H
#define ENGINE_CHILD_H

#include "base/error.h"
#include "engine/span.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

typedef struct child child;

/* What runs in the child. Results go to areas of memory that both processes see: bytes + start[i]
 * is where area i begins. */
typedef struct child_hooks {
    /* First of all. */
    void (*begin)(void *context);
    /* Computes a run of items; what it returns is told to the parent. */
    int (*compute)(void *context, unsigned char *bytes, const int64_t start[],
                   const atomic_bool *told, int64_t first, int64_t count, span_failures *failures);
    void *context;
} child_hooks;

typedef enum child_end {
    CHILD_DONE,      /* computed; number: what the hook returned */
    CHILD_SIGNALLED, /* the child was killed; number: by which signal */
    CHILD_EXITED,    /* the hook called exit(); number: the status */
    CHILD_LATE,      /* it took too long */
    CHILD_STARVED,   /* the operating system killed the child for want of memory */
    CHILD_LOST,      /* the child is gone, and nobody knows how */
    CHILD_REFUSED    /* none could be made; number: fork()'s errno */
} child_end;

typedef struct child_answer {
    child_end end;
    int number;
} child_answer;

/* Prepares for one with so many areas of so many bytes; it is forked when it is first needed. */
weft_status child_create(const child_hooks *hooks, int areas, const int64_t area_bytes[],
                         child **out, error *e);

/* Ends it. NULL is allowed. */
void child_destroy(child *c);

/* Has a run of items computed within limit_ns (0: no limit), by a new child if the last one is
 * gone. Failures are told only if it is CHILD_DONE. When `stopping` begins to return true, so does
 * `told` in the child. One thread at a time. */
child_answer child_compute(child *c, int64_t first, int64_t count, int64_t limit_ns,
                           bool (*stopping)(const void *context), const void *context,
                           span_failures *failures);

/* Where the results of area i are afterwards. */
const unsigned char *child_area(const child *c, int i);

/* The live child's pid; 0: there is none. */
long child_pid(const child *c);

#endif
