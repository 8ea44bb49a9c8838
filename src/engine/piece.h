/* SPDX-License-Identifier: BSD-3-Clause */
/* A run of consecutive tiles. */
#ifndef ENGINE_PIECE_H
#define ENGINE_PIECE_H

#include <stdint.h>

typedef struct piece {
    int64_t first;
    int64_t tiles;
    int64_t careful; /* 1: its items may have killed a process, and are computed in a child; else 0.
                        As wide as the rest, so that messages have no gaps. */
} piece;

/* The tile behind its last. */
static inline int64_t piece_end(piece p)
{
    return p.first + p.tiles;
}

#endif
