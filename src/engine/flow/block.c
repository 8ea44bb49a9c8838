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

/* The agent makes blocks, but touches neither the bytes nor the records of a new one: the system
 * puts a page on the NUMA node of the worker that is first to write to it. That lasts as long as a
 * rank keeps to one node, wherever its blocks go afterwards. In a rank that spans nodes a block is
 * everybody's anyway; those used last come first again, as they are still in some cache, and of
 * what leaves it a part goes to the other node. A rank per node has none of that. */
weft_status block_create(flow *w, int64_t room, block **out, error *e)
{
    block *b = calloc(1, sizeof *b);
    bool *done = malloc((size_t)room);
    int64_t bytes = 0;
    for (int i = 0; i < w->job->fields && b != NULL; i++) {
        b->field_start[i] = bytes;
        bytes += job_field_bytes(w->job, i, room * w->job->tiles.grain);
        bytes += (PAGE_BYTES - bytes % PAGE_BYTES) % PAGE_BYTES;
    }
    unsigned char *buffer = aligned_alloc(PAGE_BYTES, (size_t)bytes);
    failed_items *failed = failed_items_create(room * w->job->tiles.grain);
    if (b == NULL || done == NULL || buffer == NULL || failed == NULL) {
        failed_items_destroy(failed);
        free(buffer);
        free(done);
        free(b);
        return error_memory(e, "a buffer of %lld bytes", (long long)bytes);
    }
    b->flow = w;
    b->room = room;
    b->done = done;
    b->bytes = buffer;
    b->failed = failed;
    (void)atomic_flag_test_and_set(&b->taken);
    atomic_flag_clear(&b->taken);
    const weft_status status = block_renew(b, e);
    if (status != WEFT_OK) {
        block_destroy(b);
        return status;
    }
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
        free(b->bytes);
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

weft_status block_renew(block *b, error *e)
{
    if (b->report == NULL) {
        b->report = pool_take(b->flow->pool, parcel_bytes(b->room, 0));
        if (b->report == NULL) {
            return error_memory(e, "a report");
        }
        b->records = records_of(b->report);
    }
    return WEFT_OK;
}

static void forget_all(block *b)
{
    memset(b->done, false, (size_t)b->tiles);
    b->news = (news){.longest_s = 0};
    b->failure_count = 0;
}

void block_begin(block *b, interval p)
{
    assert(thread_is_main());
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
    if (bytes > pool_room(p)) {
        p = pool_take(b->flow->pool, bytes);
        if (p == NULL) {
            return NULL;
        }
        memcpy(records_of(p), b->records, (size_t)b->kept * sizeof *b->records);
        pool_give(b->report);
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
    return p;
}

unsigned char *block_bytes(const block *b, int field, int64_t item)
{
    const job *j = b->flow->job;
    const int64_t before = item - tiling_first(&j->tiles, b->first);
    return b->bytes + b->field_start[field] + job_field_bytes(j, field, before);
}

static bool may_be_lost(const flow *w)
{
    const int64_t until_ns = atomic_load(&w->mine_until_ns);
    return !w->options->pure && until_ns != 0 && clock_now_ns() > until_ns;
}

static weft_status write_run(block *b, int64_t first, int64_t tiles)
{
    const flow *w = b->flow;
    const tiling *t = &w->job->tiles;
    const int64_t item = tiling_first(t, first);
    weft_status status = WEFT_OK;
    for (int i = 0; i < w->job->fields && status == WEFT_OK; i++) {
        status = store_write(w->store, i, item, tiling_items(t, first, tiles),
                             block_bytes(b, i, item), &b->error);
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
}
