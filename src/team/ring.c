/* SPDX-License-Identifier: BSD-3-Clause */
/* The blocks on offer: a ring in which workers take spans by compare-and-swap, without a lock. */
#include "team/ring.h"

#include <stdatomic.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

/* A cursor holds the block's generation (the low bits of its sequence number), the next tile to
 * take and the end of those to take. A worker that comes late, to an entry that serves another
 * block by now, sees another generation. All else in an entry is read only after tiles have been
 * taken, which keeps the block there until they are computed.
 *
 * A sequence number whose entry still serves an older block is passed over: a block with a long
 * tile occupies its entry, and no other block waits for it. */
enum { TILE_BITS = 20, CACHE_LINE = 64 };
static const uint64_t tile_mask = (UINT64_C(1) << TILE_BITS) - 1;

typedef struct entry {
    _Alignas(CACHE_LINE) _Atomic uint64_t cursor;
    atomic_bool coarse;
    _Alignas(CACHE_LINE) _Atomic int64_t pending; /* tiles not computed yet */
    atomic_bool finished;
    bool held; /* agent only: by a block that has not been collected */
    void *data;
} entry;

struct ring {
    entry *entries;
    int64_t size;    /* a power of two */
    int64_t *blocks; /* agent only: the sequence numbers of those not collected, oldest first … */
    int count;       /* … their number … */
    int spent;       /* … and how many of the oldest have surely no tile left to take */
    _Alignas(CACHE_LINE) _Atomic int64_t offered; /* the sequence number that comes next */
    _Alignas(CACHE_LINE) _Atomic int64_t oldest;  /* no tile of a block before it can be taken */
};

static uint64_t make_cursor(int64_t sequence, int64_t next, int64_t end)
{
    return (uint64_t)sequence << (2 * TILE_BITS) | (uint64_t)next << TILE_BITS | (uint64_t)end;
}

static int64_t next_of(uint64_t cursor)
{
    return (int64_t)(cursor >> TILE_BITS & tile_mask);
}

static int64_t end_of(uint64_t cursor)
{
    return (int64_t)(cursor & tile_mask);
}

static int64_t left_of(uint64_t cursor)
{
    return end_of(cursor) - next_of(cursor);
}

static bool is_of(uint64_t cursor, int64_t sequence)
{
    return cursor >> (2 * TILE_BITS) == make_cursor(sequence, 0, 0) >> (2 * TILE_BITS);
}

static entry *entry_of(const ring *r, int64_t sequence)
{
    return &r->entries[sequence & (r->size - 1)];
}

ring *ring_create(int blocks)
{
    int64_t size = 1;
    while (size < blocks) {
        size *= 2;
    }
    ring *r = aligned_alloc(CACHE_LINE, sizeof *r);
    entry *entries = aligned_alloc(CACHE_LINE, (size_t)size * sizeof *entries);
    int64_t *numbers = calloc((size_t)size, sizeof *numbers);
    if (r == NULL || entries == NULL || numbers == NULL) {
        free(numbers);
        free(entries);
        free(r);
        return NULL;
    }
    for (int64_t i = 0; i < size; i++) {
        entries[i] = (entry){.held = false};
    }
    *r = (ring){.entries = entries, .size = size, .blocks = numbers};
    return r;
}

void ring_destroy(ring *r)
{
    if (r != NULL) {
        free(r->blocks);
        free(r->entries);
        free(r);
    }
}

static int64_t left_in(const ring *r, int64_t sequence)
{
    return left_of(atomic_load_explicit(&entry_of(r, sequence)->cursor, memory_order_relaxed));
}

static void pass_spent(ring *r)
{
    while (r->spent < r->count && left_in(r, r->blocks[r->spent]) == 0) {
        r->spent++;
    }
}

/* Workers that come from a long tile do not look through all that was offered meanwhile. The
 * youngest block has tiles left: it is not on offer yet. */
static void note_oldest(ring *r)
{
    pass_spent(r);
    atomic_store_explicit(&r->oldest, r->blocks[r->spent], memory_order_relaxed);
}

bool ring_offer(ring *r, int64_t tiles, bool coarse, void *data)
{
    int64_t sequence = atomic_load_explicit(&r->offered, memory_order_relaxed);
    if (ring_full(r)) {
        return false;
    }
    while (entry_of(r, sequence)->held) {
        sequence++;
    }
    entry *e = entry_of(r, sequence);
    e->data = data;
    e->held = true;
    atomic_store_explicit(&e->pending, tiles, memory_order_relaxed);
    atomic_store_explicit(&e->finished, false, memory_order_relaxed);
    atomic_store_explicit(&e->coarse, coarse, memory_order_relaxed);
    atomic_store_explicit(&e->cursor, make_cursor(sequence, 0, tiles), memory_order_release);
    r->blocks[r->count++] = sequence;
    note_oldest(r);
    atomic_store_explicit(&r->offered, sequence + 1, memory_order_release);
    return true;
}

void *ring_collect(ring *r)
{
    for (int n = 0; n < r->count; n++) {
        entry *e = entry_of(r, r->blocks[n]);
        if (atomic_load_explicit(&e->finished, memory_order_acquire)) {
            void *data = e->data;
            e->held = false;
            e->data = NULL;
            r->count--;
            r->spent -= n < r->spent;
            memmove(r->blocks + n, r->blocks + n + 1, (size_t)(r->count - n) * sizeof *r->blocks);
            return data;
        }
    }
    return NULL;
}

int64_t ring_left(const ring *r, int n)
{
    return n < r->count ? left_in(r, r->blocks[n]) : 0;
}

bool ring_cut(ring *r, int n, int64_t most, ring_span *span, bool *finished)
{
    *finished = false;
    if (n >= r->count) {
        return false;
    }
    const int64_t sequence = r->blocks[n];
    entry *e = entry_of(r, sequence);
    uint64_t cursor = atomic_load_explicit(&e->cursor, memory_order_relaxed);
    uint64_t shorter;
    do {
        const int64_t cut = left_of(cursor) < most ? left_of(cursor) : most;
        const int64_t end = end_of(cursor) - cut;
        shorter = make_cursor(sequence, next_of(cursor), end);
        *span = (ring_span){
            .block = sequence, .first = end, .tiles = cut, .data = e->data, .last = true};
    } while (!atomic_compare_exchange_weak_explicit(&e->cursor, &cursor, shorter,
                                                    memory_order_acq_rel, memory_order_relaxed));
    if (span->tiles > 0) {
        *finished = ring_finish(r, span);
    }
    return true;
}

bool ring_cut_youngest(ring *r, int64_t keep, int64_t most, ring_span *span, bool *finished)
{
    for (int n = r->count - 1; n >= r->spent; n--) {
        const int64_t above = ring_left(r, n) - keep;
        if (above > 0) {
            (void)ring_cut(r, n, above < most ? above : most, span, finished);
            if (span->tiles > 0) {
                return true;
            }
        }
    }
    return false;
}

int64_t ring_stock(ring *r)
{
    int64_t stock = 0;
    pass_spent(r);
    for (int n = r->spent; n < r->count; n++) {
        stock += left_in(r, r->blocks[n]);
    }
    return stock;
}

int ring_blocks(const ring *r)
{
    return r->count;
}

bool ring_full(const ring *r)
{
    return r->count == r->size;
}

bool ring_look(ring *r, int64_t *at, int64_t *left)
{
    const int64_t end = atomic_load_explicit(&r->offered, memory_order_acquire);
    const int64_t oldest = atomic_load_explicit(&r->oldest, memory_order_relaxed);
    for (*at = *at < oldest ? oldest : *at; *at < end; *at += 1) {
        const uint64_t cursor =
            atomic_load_explicit(&entry_of(r, *at)->cursor, memory_order_relaxed);
        *left = left_of(cursor);
        if (*left > 0 && is_of(cursor, *at)) {
            return true;
        }
    }
    return false;
}

bool ring_coarse(const ring *r, int64_t at)
{
    return atomic_load_explicit(&entry_of(r, at)->coarse, memory_order_relaxed);
}

bool ring_take(ring *r, int64_t at, int64_t tiles, ring_span *span)
{
    entry *e = entry_of(r, at);
    uint64_t cursor = atomic_load_explicit(&e->cursor, memory_order_relaxed);
    const int64_t left = left_of(cursor);
    if (left <= 0 || !is_of(cursor, at)) {
        return false;
    }
    const int64_t taken = tiles < left ? tiles : left;
    const int64_t first = next_of(cursor);
    if (!atomic_compare_exchange_strong_explicit(&e->cursor, &cursor,
                                                 make_cursor(at, first + taken, end_of(cursor)),
                                                 memory_order_acq_rel, memory_order_relaxed)) {
        return false;
    }
    *span = (ring_span){
        .block = at, .first = first, .tiles = taken, .data = e->data, .last = taken == left};
    return true;
}

bool ring_finish(ring *r, const ring_span *span)
{
    entry *e = entry_of(r, span->block);
    return atomic_fetch_sub_explicit(&e->pending, span->tiles, memory_order_acq_rel) == span->tiles;
}

void ring_publish(ring *r, const ring_span *span)
{
    atomic_store_explicit(&entry_of(r, span->block)->finished, true, memory_order_release);
}
