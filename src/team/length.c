/* SPDX-License-Identifier: BSD-3-Clause */
/* How many tiles a worker takes at once, and what it learns from them: pure arithmetic, which a
 * team and a simulation of it share. */
#include "team/length.h"

/* A span should take this long: far more than taking it costs, far less than anyone notices. */
enum { SPAN_NS = 500000 };

int64_t length_span_tiles(int workers, int64_t span_limit, int64_t tile_ns, int64_t left)
{
    const int64_t by_time = tile_ns > 0 ? SPAN_NS / tile_ns : 1;
    const int64_t share = left / (workers > 0 ? 2 * (int64_t)workers : 2);
    int64_t tiles = by_time < share ? by_time : share;
    if (tiles > span_limit) {
        tiles = span_limit;
    }
    return tiles > 0 ? tiles : 1;
}

int64_t length_learn(int64_t tile_ns, int64_t span_ns, int64_t tiles)
{
    const int64_t now_ns = span_ns / tiles + 1;
    return tile_ns == 0 ? now_ns : (3 * tile_ns + now_ns) / 4;
}
