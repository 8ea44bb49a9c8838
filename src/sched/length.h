/* SPDX-License-Identifier: BSD-3-Clause */
/* How many tiles a worker takes at once, and what it learns from them: pure arithmetic, which a
 * team and a simulation of it share. */
#ifndef SCHED_LENGTH_H
#define SCHED_LENGTH_H

#include <stdbool.h>
#include <stdint.h>

/* Spans that are shorter do not tell the whole team how long a tile takes. */
enum { LENGTH_MEASURE_NS = 5000 };

/* A span's length in tiles, at least 1: by time, by the limit, and so that the end of a block, of
 * which `left` tiles are left, is shared out as long as that is worth it. tile_ns is what the
 * worker has learnt; 0: nothing. Spans of a coarse block are longer, since each of them is handed
 * over to a child; the limit, which is one on calls of the kernel, is the child's. */
int64_t length_span_tiles(int workers, int64_t span_limit, int64_t tile_ns, int64_t left,
                          bool coarse);

/* What a worker that knew tile_ns knows after a span of `tiles` tiles. */
int64_t length_learn(int64_t tile_ns, int64_t span_ns, int64_t tiles);

#endif
