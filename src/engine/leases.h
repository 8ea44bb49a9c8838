/* SPDX-License-Identifier: BSD-3-Clause */
/* Which tiles are done, and which rank has been given which: the decisions of the coordinator,
 * without clocks, messages or files of its own. */
#ifndef ENGINE_LEASES_H
#define ENGINE_LEASES_H

#include "base/error.h"
#include "range/technique.h"

#include <stdbool.h>
#include <stdint.h>

typedef struct leases leases;

/* A run of consecutive tiles. */
typedef struct piece {
    int64_t first;
    int64_t tiles;
} piece;

/* What leases_grant() decides. */
typedef struct grant {
    int pieces;
    piece piece[64];
    int victim; /* the rank that piece[0] was taken from, or -1: it need not begin with it */
} grant;

/* All tiles still to do; a pure map's tiles may be computed twice. */
weft_status leases_create(int64_t tiles, bool pure, leases **out, error *e);

/* NULL is allowed. */
void leases_destroy(leases *l);

/* Before leases_start(): a tile that an earlier run has done. */
void leases_set_done(leases *l, int64_t tile);

/* Fixes the technique: tiles to do are shared out among so many ranks. */
void leases_start(leases *l, technique t, int ranks);

/* Chunks for a rank that wants so many tiles. When all has been handed out, and the map is pure,
 * part of the oldest chunk that is outstanding elsewhere is handed out again. No pieces: nothing
 * for now. */
void leases_grant(leases *l, int rank, int64_t want, int64_t now_ns, grant *g);

/* A rank has computed a tile: true if it is the first to. */
bool leases_report(leases *l, int64_t tile);

/* Tiles not done. */
int64_t leases_undone(const leases *l);

/* Chunks handed out so far, repetitions included. */
int64_t leases_chunks(const leases *l);

#endif
