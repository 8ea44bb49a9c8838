/* SPDX-License-Identifier: BSD-3-Clause */
/* A lull: a moment in which no thread of any run of the rank is in the kernel or in MPI, so that
 * none of them holds a lock there. A process is forked in it, since a lock that is held at the fork
 * is never released in the child.
 *
 * Thread: the driver creates and destroys its run's seats; each belongs to one thread; the forker
 * begins and ends a lull. */
#ifndef ENGINE_EXEC_LULL_H
#define ENGINE_EXEC_LULL_H

#include "base/error.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { LULL_LINE_BYTES = 64 };

/* A thread's; a cache line each. */
typedef struct lull_seat {
    _Alignas(LULL_LINE_BYTES) atomic_bool busy;
} lull_seat;

/* Those of a run. Open, so that a thread that need not wait makes no call. */
typedef struct lull {
    struct lull *next; /* of another run */
    lull_seat *seat;
    int seats;
} lull;

/* A thread asks all for quiet, until then at most; 0: none does. */
extern _Atomic int64_t lull_until_ns;

/* Seats for that many threads. */
weft_status lull_create(int seats, lull **out, error *e);

/* NULL is allowed. */
void lull_destroy(lull *q);

/* Waits until the quiet that another thread has asked for is over. */
void lull_wait(lull *q, int seat);

/* The thread is about to do what may take locks; NULL is allowed. That it is busy is seen by
 * others a little later, for which lull_begin() allows. */
static inline void lull_break(lull *q, int seat)
{
    if (q != NULL) {
        atomic_store_explicit(&q->seat[seat].busy, true, memory_order_relaxed);
        if (atomic_load_explicit(&lull_until_ns, memory_order_relaxed) != 0) {
            lull_wait(q, seat);
        }
    }
}

/* It has done it. */
static inline void lull_keep(lull *q, int seat)
{
    if (q != NULL) {
        atomic_store_explicit(&q->seat[seat].busy, false, memory_order_release);
    }
}

/* Keeps threads from beginning anything more, and waits until all are quiet, for limit_ns at most:
 * true if they are. For a thread that has no seat; a lull that another one has begun is over first.
 */
bool lull_begin(int64_t limit_ns);

/* The thread that has begun it. */
void lull_end(void);

#endif
