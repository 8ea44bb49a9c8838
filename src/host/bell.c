/* SPDX-License-Identifier: BSD-3-Clause */
/* A bell wakes a thread that sleeps: a futex, which knows of no owner. */
#define _GNU_SOURCE 1
#include "host/bell.h"

#include <linux/futex.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

enum { QUIET, RUNG, ASLEEP };

bool bell_wait(bell *b, int64_t ns)
{
    uint32_t state = QUIET;
    if (ns > 0 && atomic_compare_exchange_strong(&b->state, &state, ASLEEP)) {
        const struct timespec limit = {.tv_sec = ns / 1000000000, .tv_nsec = ns % 1000000000};
        (void)syscall(SYS_futex, &b->state, FUTEX_WAIT, ASLEEP, &limit, NULL, 0);
    }
    return atomic_exchange(&b->state, QUIET) == RUNG;
}

void bell_ring(bell *b)
{
    if (atomic_exchange(&b->state, RUNG) == ASLEEP) {
        (void)syscall(SYS_futex, &b->state, FUTEX_WAKE, 1, NULL, NULL, 0);
    }
}
