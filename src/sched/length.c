/* SPDX-License-Identifier: BSD-3-Clause */
/* How many tiles a worker takes at once, and what it learns from them: pure arithmetic, which a
 * team and a simulation of it share. */
#include "sched/length.h"

/* A span should take this long: far more than taking it costs, far less than anyone notices. At the
 * end of a block it is shorter, but never so short that taking it, a few tens of nanoseconds, would
 * be more than a hundredth of it. To hand a span over to a child, and to wait for it, costs tens of
 * microseconds. */
enum { SPAN_NS = 500000, LEAST_NS = 5000, COARSE_SPAN_NS = 5000000, COARSE_LEAST_NS = 2500000 };

static int64_t smaller_of(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

int64_t length_span_tiles(int workers, int64_t span_limit, int64_t tile_ns, int64_t left,
                          bool coarse)
{
    const int64_t by_time = tile_ns > 0 ? (coarse ? COARSE_SPAN_NS : SPAN_NS) / tile_ns : 1;
    const int64_t least = tile_ns > 0 ? (coarse ? COARSE_LEAST_NS : LEAST_NS) / tile_ns : 1;
    const int64_t share = left / (workers > 0 ? 2 * (int64_t)workers : 2);
    const int64_t tiles = smaller_of(by_time, share > least ? share : smaller_of(least, left));
    return tiles > 1 ? smaller_of(tiles, coarse ? left : span_limit) : 1;
}

int64_t length_learn(int64_t tile_ns, int64_t span_ns, int64_t tiles)
{
    const int64_t now_ns = span_ns / tiles + 1;
    return tile_ns == 0 ? now_ns : (3 * tile_ns + now_ns) / 4;
}
