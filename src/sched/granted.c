/* SPDX-License-Identifier: BSD-3-Clause */
/* The tiles that a rank has been granted and not yet offered to its team. */
#include "sched/granted.h"

#include "base/array.h"

#include <stdlib.h>
#include <string.h>

/* A block is what a kill may lose of each rank, and one write: this much time, and this many bytes
 * and tiles at most, so that its buffers stay in the cache. A longer one than ALIGNED_TILES ends at
 * a multiple of that, or of a larger power of two up to a quarter of its length, so that its tile
 * records fill whole pages: large ones cost the kernel less. A rank looks ahead a little
 * further than its agent and the coordinator may sleep. With very many ranks both times grow, since
 * each rank asks and reports about once in them, and the coordinator must keep up: RANK_NS for each
 * rank is several times what one message costs it. However cheap the first tiles are, a rank looks
 * no further ahead than GROWTH times what it has had: others may be dear. */
enum {
    BLOCK_NS = 25000000,
    BLOCK_BYTES = 1 << 20,
    BLOCK_TILES = 1 << 12,
    ALIGNED_TILES = 64,
    LOOKAHEAD_NS = 30000000,
    RANK_NS = 20000,
    GROWTH = 2
};

struct granted {
    int workers;
    int64_t block_ns;
    int64_t ahead_ns;
    int64_t tile_ns;
    int64_t room;    /* of a block */
    interval *queue; /* `used` pieces from `head` on */
    int64_t head;
    int64_t used;
    int64_t capacity;
    int64_t queued; /* tiles */
    int64_t had;    /* tiles that have left the queue, to be computed */
};

static weft_status no_memory(error *e)
{
    return error_memory(e, "a queue of tiles");
}

static int64_t larger_of(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

weft_status granted_create(int workers, int ranks, const job *j, granted **out, error *e)
{
    granted *s = calloc(1, sizeof *s);
    if (s == NULL) {
        return no_memory(e);
    }
    const int64_t tile_bytes = job_tile_bytes(j);
    s->workers = workers > 0 ? workers : 1;
    s->block_ns = larger_of(BLOCK_NS, (int64_t)RANK_NS * ranks);
    s->ahead_ns = larger_of(LOOKAHEAD_NS, (int64_t)RANK_NS * ranks);
    s->room = tile_bytes >= BLOCK_BYTES ? 1 : BLOCK_BYTES / tile_bytes;
    if (s->room > BLOCK_TILES) {
        s->room = BLOCK_TILES;
    }
    *out = s;
    return WEFT_OK;
}

void granted_destroy(granted *s)
{
    if (s != NULL) {
        free(s->queue);
        free(s);
    }
}

/* Room for one more piece behind the last; false if there is no memory for it. */
static bool make_room(granted *s)
{
    if (s->queue != NULL && s->head + s->used < s->capacity) {
        return true;
    }
    if (s->queue != NULL && s->head > s->capacity / 2) {
        memmove(s->queue, s->queue + s->head, (size_t)s->used * sizeof *s->queue);
        s->head = 0;
        return true;
    }
    return ARRAY_RESERVE(s->queue, s->capacity, s->head + s->used + 1);
}

weft_status granted_add(granted *s, interval p, error *e)
{
    interval *last = s->queue != NULL && s->used > 0 ? &s->queue[s->head + s->used - 1] : NULL;
    if (last != NULL && interval_end(*last) == p.first && last->careful == p.careful) {
        last->tiles += p.tiles;
    } else {
        if (!make_room(s)) {
            return no_memory(e);
        }
        s->queue[s->head + s->used++] = p;
    }
    s->queued += p.tiles;
    return WEFT_OK;
}

bool granted_take_back(granted *s, int64_t most, interval *taken)
{
    if (s->used == 0) {
        return false;
    }
    interval *last = &s->queue[s->head + s->used - 1];
    const int64_t tiles = most < last->tiles ? most : last->tiles;
    last->tiles -= tiles;
    s->queued -= tiles;
    *taken = (interval){.first = interval_end(*last), .tiles = tiles, .careful = last->careful};
    s->used -= last->tiles == 0;
    return true;
}

void granted_clear(granted *s)
{
    s->head = 0;
    s->used = 0;
    s->queued = 0;
}

int64_t granted_queued(const granted *s)
{
    return s->queued;
}

void granted_observe(granted *s, int64_t tile_ns)
{
    s->tile_ns = tile_ns;
}

int64_t granted_tile_ns(const granted *s)
{
    return s->tile_ns;
}

/* How many tiles the team computes in a time; one per worker while nothing is known. */
static int64_t tiles_in(const granted *s, int64_t ns)
{
    const int64_t tiles = s->tile_ns > 0 ? ns * s->workers / s->tile_ns : s->workers;
    return tiles > 0 ? tiles : 1;
}

int64_t granted_block_tiles(const granted *s)
{
    const int64_t tiles = s->tile_ns > 0 ? tiles_in(s, s->block_ns) : 1;
    return tiles < s->room ? tiles : s->room;
}

bool granted_would_offer(const granted *s, int64_t stock)
{
    return s->used > 0 && stock < tiles_in(s, s->ahead_ns);
}

static int64_t alignment_of(int64_t tiles)
{
    int64_t alignment = ALIGNED_TILES;
    while (alignment <= tiles / 8) {
        alignment *= 2;
    }
    return alignment;
}

bool granted_next(granted *s, int64_t stock, interval *p)
{
    if (!granted_would_offer(s, stock)) {
        return false;
    }
    interval *first = &s->queue[s->head];
    int64_t tiles = granted_block_tiles(s);
    const int64_t end = first->first + tiles;
    if (tiles > ALIGNED_TILES) {
        tiles -= end % alignment_of(tiles);
    }
    if (tiles > first->tiles) {
        tiles = first->tiles;
    }
    *p = (interval){.first = first->first, .tiles = tiles, .careful = first->careful};
    first->first += tiles;
    first->tiles -= tiles;
    s->queued -= tiles;
    s->had += tiles;
    if (first->tiles == 0) {
        s->head++;
        s->used--;
    }
    return true;
}

weft_status granted_return(granted *s, interval p, error *e)
{
    interval *first = s->used > 0 ? &s->queue[s->head] : NULL;
    if (first != NULL && interval_end(p) == first->first && p.careful == first->careful) {
        first->first = p.first;
        first->tiles += p.tiles;
    } else {
        if (s->queue == NULL || s->head == 0) {
            if (!make_room(s)) {
                return no_memory(e);
            }
            memmove(s->queue + 1, s->queue, (size_t)s->used * sizeof *s->queue);
            s->head = 1;
        }
        s->queue[--s->head] = p;
        s->used++;
    }
    s->queued += p.tiles;
    s->had -= p.tiles;
    return WEFT_OK;
}

int64_t granted_wanted(const granted *s, int64_t stock)
{
    const int64_t by_time = tiles_in(s, s->ahead_ns);
    const int64_t trusted = s->workers + GROWTH * s->had;
    const int64_t ahead = by_time < trusted ? by_time : trusted;
    const int64_t have = stock + s->queued;
    return have < ahead ? 2 * ahead - have : 0;
}

bool granted_runs_out(const granted *s, int64_t stock, int64_t ns)
{
    return s->tile_ns == 0 || stock + s->queued < tiles_in(s, ns);
}

int64_t granted_block_room(const granted *s)
{
    return s->room;
}
