/* SPDX-License-Identifier: BSD-3-Clause */
/* A block: an interval of tiles in a rank's hands, computed into a buffer, then written to its
 * place in the store. */
#include "engine/flow/block.h"

#include "base/clock.h"
#include "base/thread.h"
#include "engine/flow/failed_items.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

enum { PAGE_BYTES = 4096 };

/* Buffers and reports are taken as late as possible and given back as early: few of them are in
 * use, and those used last come first again, as they are still in some cache.
 *
 * Nobody but workers touches the bytes and the records of new ones: the system puts a page on the
 * NUMA node of the thread that is first to write to it. That lasts as long as a rank keeps to one
 * node. In a rank that spans nodes a block is everybody's anyway, and of what leaves the cache a
 * part goes to the other node. A rank per node has none of that. */
weft_status block_create(flow *w, int64_t room, block **out, error *e)
{
    block *b = calloc(1, sizeof *b);
    bool *done = malloc((size_t)room);
    int64_t bytes = 0;
    for (int i = 0; i < job_columns(w->job) && b != NULL; i++) {
        b->field_start[i] = bytes;
        bytes += job_column_room(w->job, i, room);
        bytes += (PAGE_BYTES - bytes % PAGE_BYTES) % PAGE_BYTES;
    }
    failed_items *failed = failed_items_create(room * w->job->tiles.grain);
    if (b == NULL || done == NULL || failed == NULL) {
        failed_items_destroy(failed);
        free(done);
        free(b);
        return error_memory(e, "the state of %lld tiles", (long long)room);
    }
    b->flow = w;
    b->room = room;
    b->done = done;
    b->buffer_bytes = bytes;
    b->failed = failed;
    (void)atomic_flag_test_and_set(&b->taken);
    atomic_flag_clear(&b->taken);
    *out = b;
    return WEFT_OK;
}

void block_destroy(block *b)
{
    if (b != NULL) {
        free(b->failures);
        failed_items_destroy(b->failed);
        free(b->done);
        pool_give(b->report);
        pool_give(b->buffer);
        free(b);
    }
}

static tile_record *records_of(parcel *p)
{
    return (tile_record *)(&p->report + 1);
}

static size_t parcel_bytes(int64_t tiles, int64_t failures)
{
    return sizeof(parcel) + (size_t)tiles * sizeof(tile_record) +
           (size_t)failures * sizeof(failure_row);
}

/* With the lock held; false if there is no memory. */
static bool equip(block *b)
{
    if (b->buffer == NULL) {
        b->buffer = pool_take(b->flow->buffers, (size_t)b->buffer_bytes + PAGE_BYTES);
        b->bytes = b->buffer;
        if (b->buffer != NULL) {
            b->bytes += PAGE_BYTES - (uintptr_t)b->buffer % PAGE_BYTES;
        }
    }
    if (b->report == NULL) {
        b->report = pool_take(b->flow->reports, parcel_bytes(b->room, 0));
        b->records = b->report != NULL ? records_of(b->report) : NULL;
    }
    return b->buffer != NULL && b->report != NULL;
}

bool block_equip(block *b)
{
    if (atomic_load_explicit(&b->ready, memory_order_acquire)) {
        return true;
    }
    block_lock(b);
    const bool ready = equip(b);
    if (!ready) {
        (void)error_memory(&b->error, "a buffer of %lld bytes", (long long)b->buffer_bytes);
    }
    atomic_store_explicit(&b->ready, ready, memory_order_release);
    block_unlock(b);
    return ready;
}

static void forget_all(block *b)
{
    memset(b->done, false, (size_t)b->tiles);
    b->news = (news){.longest_s = 0};
    b->failure_count = 0;
}

void block_begin(block *b, interval p)
{
    assert(thread_drives());
    b->first = p.first;
    b->tiles = p.tiles;
    b->careful = p.careful != 0;
    b->kept = p.tiles;
    forget_all(b);
    error_clear(&b->error);
}

parcel *block_pack(block *b)
{
    const size_t bytes = parcel_bytes(b->kept, b->failure_count);
    parcel *p = b->report;
    if (p == NULL || bytes > pool_room(p)) {
        p = pool_take(b->flow->reports, bytes);
        if (p == NULL) {
            return NULL;
        }
        if (b->report != NULL) {
            memcpy(records_of(p), b->records, (size_t)b->kept * sizeof *b->records);
            pool_give(b->report);
        }
    }
    tile_record *records = records_of(p);
    for (int64_t i = 0; i < b->kept && b->news.computed.tiles < b->kept; i++) {
        if (!b->done[i]) {
            memset(&records[i], 0, sizeof records[i]);
        }
    }
    if (b->failure_count > 0) {
        memcpy(records + b->kept, b->failures, (size_t)b->failure_count * sizeof *b->failures);
    }
    memset(p, 0, sizeof *p);
    p->bytes = bytes - offsetof(parcel, report);
    p->report.kind = MESSAGE_REPORT;
    p->report.failures = (int32_t)b->failure_count;
    p->report.first = b->first;
    p->report.tiles = b->kept;
    b->report = NULL;
    b->records = NULL;
    atomic_store_explicit(&b->ready, false, memory_order_relaxed);
    return p;
}

unsigned char *block_bytes(const block *b, int field, int64_t item)
{
    const job *j = b->flow->job;
    const int64_t before = item - tiling_first(&j->tiles, b->first);
    return b->bytes + b->field_start[field] + job_field_bytes(j, field, before);
}

unsigned char *block_accumulator(const block *b, int reduction, int64_t tile)
{
    const job *j = b->flow->job;
    return b->bytes + b->field_start[j->fields + reduction] +
           (tile - b->first) * j->reduction[reduction].bytes;
}

unsigned char *block_column(const block *b, int column, int64_t tile)
{
    const job *j = b->flow->job;
    return column < j->fields ? block_bytes(b, column, tiling_first(&j->tiles, tile))
                              : block_accumulator(b, column - j->fields, tile);
}

static bool may_be_lost(const flow *w)
{
    const int64_t until_ns = atomic_load(&w->mine_until_ns);
    return !w->options->pure && until_ns != 0 && clock_now_ns() > until_ns;
}

static weft_status write_run(block *b, int64_t first, int64_t tiles)
{
    const flow *w = b->flow;
    const job *j = w->job;
    const int64_t item = tiling_first(&j->tiles, first);
    const int64_t items = tiling_items(&j->tiles, first, tiles);
    weft_status status = WEFT_OK;
    for (int i = 0; i < job_columns(j) && status == WEFT_OK; i++) {
        const bool field = i < j->fields;
        status = store_write(w->store, i, field ? item : first, field ? items : tiles,
                             block_column(b, i, first), &b->error);
    }
    return status;
}

void block_write(block *b)
{
    weft_status status = WEFT_OK;
    if (may_be_lost(b->flow)) {
        forget_all(b);
    }
    for (int64_t i = 0; i < b->tiles && status == WEFT_OK;) {
        int64_t run = 0;
        while (i + run < b->tiles && b->done[i + run]) {
            run++;
        }
        if (run > 0) {
            status = write_run(b, b->first + i, run);
        }
        i += run > 0 ? run : 1;
    }
    pool_give(b->buffer);
    b->buffer = NULL;
    b->bytes = NULL;
    atomic_store_explicit(&b->ready, false, memory_order_relaxed);
}
