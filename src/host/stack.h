/* SPDX-License-Identifier: BSD-3-Clause */
/* The end of a thread's stack: a thread that runs over it is killed by a signal like any other,
 * which does not say why. */
#ifndef HOST_STACK_H
#define HOST_STACK_H

#include <stddef.h>
#include <stdint.h>

/* How large the calling thread's stack may get: that of the main thread up to the limit, ulimit -s.
 * 0 if that is not known. */
int64_t stack_bytes(void);

/* From here on a thread that has called stack_enter() and runs over the end of its stack has
 * `overflow` called, which may only do what a signal handler may. Then the signal takes the course
 * that it would have taken: the program's own handler, or the death of the process. */
void stack_watch(void (*overflow)(int64_t bytes));

void stack_unwatch(void);

/* The calling thread is watched; it needs some memory for that, until it calls stack_leave(). */
void stack_enter(void);
void stack_leave(void);

#endif
