/* SPDX-License-Identifier: BSD-3-Clause */
/* A run of consecutive tiles. */
#ifndef SPACE_INTERVAL_H
#define SPACE_INTERVAL_H

#include <stdint.h>

typedef struct interval {
    int64_t first;
    int64_t tiles;
    int64_t careful; /* 1: its items may have killed a process, and are computed in a child; else 0.
                        As wide as the rest, so that messages have no gaps. */
} interval;

/* The tile behind its last. */
static inline int64_t interval_end(interval p)
{
    return p.first + p.tiles;
}

#endif
