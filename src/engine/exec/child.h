/* SPDX-License-Identifier: BSD-3-Clause */
/* A child: a process of a worker that calls the kernel in the worker's place, so that what goes
 * wrong there costs a child and not a rank.
 *
 * Thread: the worker whose child it is; the driver destroys it; the hooks run in the child. */
#ifndef ENGINE_EXEC_CHILD_H
#define ENGINE_EXEC_CHILD_H

#include "base/error.h"
#include "engine/exec/forker.h"
#include "engine/exec/span.h"
#include "host/thread_state.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

typedef struct child child;

/* What runs in the child. Results go to areas of memory that both processes see: bytes + start[i]
 * is where area i begins. */
typedef struct child_hooks {
    /* First of all. */
    void (*begin)(void *context);
    /* Computes a run of items; what it returns is told to the parent. At any moment *at says from
     * which item on it is not done. */
    int (*compute)(void *context, unsigned char *bytes, const int64_t start[],
                   const atomic_bool *told, _Atomic int64_t *at, int64_t first, int64_t count,
                   span_failures *failures);
    void *context;
} child_hooks;

/* What a child is made with. */
typedef struct child_setup {
    forker *forker;
    const thread_state *caller; /* the state of the thread in the child; NULL: as it comes */
    child_hooks hooks;
    int areas;                 /* for results … */
    const int64_t *area_bytes; /* … and the size of each */
    bool threads; /* the kernel has threads of its own there, which need cores of their own */
} child_setup;

/* What a worker that waits for its child does about it; asked at every look, about every 20 ms. */
typedef enum child_wish {
    CHILD_GO_ON,
    CHILD_STOP, /* the child is told to stop */
    CHILD_LEAVE /* it is ended */
} child_wish;

typedef struct child_wait {
    int64_t limit_ns; /* for the items that the child is at, from when it has begun with them, see
                         child_hooks; 0: none */
    int64_t stuck_ns; /* for a child in which nothing moves, see CHILD_STUCK */
    child_wish (*look)(const void *context);
    const void *context;
} child_wait;

typedef enum child_end {
    CHILD_DONE,      /* computed; number: what the hook returned */
    CHILD_SIGNALLED, /* the child was killed; number: by which signal */
    CHILD_EXITED,    /* the hook called exit(); number: the status */
    CHILD_LATE,      /* it took too long */
    CHILD_STUCK,     /* it waited for what only itself could do; number: 1 if it had begun */
    CHILD_LEFT,      /* ended as child_wait wished */
    CHILD_STARVED,   /* the operating system killed the child for want of memory */
    CHILD_LOST,      /* the child is gone, and it is not known how */
    CHILD_REFUSED    /* none could be made; number: fork()'s errno */
} child_end;

typedef struct child_answer {
    child_end end;
    int number;
    int64_t at;          /* where the hook was in the items when it returned, or died; as it says */
    int64_t stack_bytes; /* if it was killed near the end of a stack: the size of the stack;
                            otherwise 0 */
} child_answer;

/* Creates a child with `areas` result areas of area_bytes[i] bytes; it is forked when it is first
 * needed. */
weft_status child_create(const child_setup *setup, child **out, error *e);

/* Ends it. NULL is allowed. */
void child_destroy(child *c);

/* Forks a child if there is none; false if there is one, or none can be had: child_compute() then
 * says why. The same thread as that. */
bool child_begin(child *c);

/* Has a run of items computed, by a new child if the last one is gone. Failures are told only if it
 * is CHILD_DONE. One thread at a time.
 *
 * A child is CHILD_STUCK if nothing has moved in it for wait->stuck_ns, see stillness_look(), or at
 * the end of wait->limit_ns. Sleep, and input or output, are not taken for that.
 */
child_answer child_compute(child *c, int64_t first, int64_t count, const child_wait *wait,
                           span_failures *failures);

/* Where area i is: what is there before is what the child finds, and then its results. */
unsigned char *child_area(const child *c, int i);

typedef struct child_effort {
    int64_t forked; /* processes */
    int64_t asked;  /* how often one was asked for items */
} child_effort;

/* What a worker's children have cost so far. NULL is allowed. */
child_effort child_count(const child *c);

#endif
