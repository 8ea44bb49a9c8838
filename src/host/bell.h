/* SPDX-License-Identifier: BSD-3-Clause */
/* A bell wakes a thread that sleeps, of this process or, where the bell lies in memory that is
 * shared, of another one of this machine. Whoever dies leaves it as good as it was. */
#ifndef HOST_BELL_H
#define HOST_BELL_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

/* Zero at first. */
typedef struct bell {
    _Atomic uint32_t state;
} bell;

/* One thread: sleeps until the bell rings, for `ns` at most, and not at all if it has rung since
 * the last call. Whether it has. */
bool bell_wait(bell *b, int64_t ns);

/* Any thread: what was written before is seen by the thread that wakes. */
void bell_ring(bell *b);

#endif
