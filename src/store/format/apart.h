/* SPDX-License-Identifier: BSD-3-Clause */
/* Work that may crash, hang or eat memory, as reading what others have written with a library that
 * trusts it: done in a process of its own. */
#ifndef STORE_FORMAT_APART_H
#define STORE_FORMAT_APART_H

#include <stddef.h>

enum { APART_TEXT_BYTES = 128 };

/* Fills in the answer, which is plain bytes, from what there is in memory. Nothing else that it
 * does is seen, except what it does to files. */
typedef void (*apart_fn)(void *answer, void *context);

typedef enum apart_end {
    APART_ANSWERED, /* the answer is the child's */
    APART_FAILED,   /* the child has crashed, or computed for too long */
    APART_CUT_SHORT /* the system could not do it: for want of memory, or since a disk failed */
} apart_end;

/* Calls the function in a forked child with limits on its time, its memory and its wait. Where
 * there is no answer, `what` says what became of the child, "crashed (Bus error)".
 *
 * Where no process can be made, the function is called in this one. The child has one thread, and
 * is no rank: the function may use neither MPI nor OpenMP. */
apart_end apart_call(apart_fn f, void *context, void *answer, size_t bytes,
                     char what[APART_TEXT_BYTES]);

/* While a thread holds this no child is forked: it would find what the thread is at half done. One
 * thread at a time. */
void apart_hold(void);
void apart_release(void);

#endif
