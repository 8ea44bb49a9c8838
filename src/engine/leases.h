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
} grant;

/* All tiles still to do; a pure map's tiles may be computed twice. */
weft_status leases_create(int64_t tiles, int ranks, bool pure, leases **out, error *e);

/* NULL is allowed. */
void leases_destroy(leases *l);

/* Before leases_start(): a tile that an earlier run has done. */
void leases_set_done(leases *l, int64_t tile);

/* Fixes the technique by which the tiles to do are shared out. */
void leases_start(leases *l, technique t);

/* Chunks for a rank that wants so many tiles. When all has been handed out, and the map is pure,
 * the oldest chunk that is late elsewhere is handed out again: its rank has not been heard of for
 * `late_ns`. No pieces: nothing for now. */
void leases_grant(leases *l, int rank, int64_t want, int64_t now_ns, int64_t late_ns, grant *g);

/* For a rank that waits when all has been handed out: who should be asked to give something back,
 * by the age of its chunks. False if nobody. */
bool leases_recall(leases *l, int rank, int64_t now_ns, int *holder);

/* A rank gives a piece back, which is to do again. */
void leases_return(leases *l, int rank, piece p, int64_t now_ns);

/* A rank has something to report. */
void leases_hear(leases *l, int rank, int64_t now_ns);

/* A tile has been computed: true if for the first time. */
bool leases_report(leases *l, int64_t tile);

/* Tiles not done. */
int64_t leases_undone(const leases *l);

/* Chunks handed out so far, repetitions included. */
int64_t leases_chunks(const leases *l);

#endif
