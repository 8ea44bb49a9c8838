/* SPDX-License-Identifier: BSD-3-Clause */
/* A block: an interval of tiles in a rank's hands, computed into a buffer, then written to its
 * place in the store. */
#include "engine/flow/block.h"

#include "base/clock.h"
#include "base/thread.h"
#include "engine/flow/failed_items.h"

#include <assert.h>
#include <stdlib.h>

enum { PAGE_BYTES = 4096 };

/* The agent makes blocks, but touches neither the bytes nor the records of a new one: the system
 * puts a page on the NUMA node of the worker that is first to write to it. That lasts as long as a
 * rank keeps to one node, wherever its blocks go afterwards. In a rank that spans nodes a block is
 * everybody's anyway; those used last come first again, as they are still in some cache, and of
 * what leaves it a part goes to the other node. A rank per node has none of that. */
weft_status block_create(flow *w, int64_t room, block **out, error *e)
{
    block *b = calloc(1, sizeof *b);
    tile_record *records = calloc((size_t)room, sizeof *records);
    int64_t bytes = 0;
    for (int i = 0; i < w->job->fields && b != NULL; i++) {
        b->field_start[i] = bytes;
        bytes += job_field_bytes(w->job, i, room * w->job->tiles.grain);
        bytes += (PAGE_BYTES - bytes % PAGE_BYTES) % PAGE_BYTES;
    }
    unsigned char *buffer = aligned_alloc(PAGE_BYTES, (size_t)bytes);
    failed_items *failed = failed_items_create(room * w->job->tiles.grain);
    if (b == NULL || records == NULL || buffer == NULL || failed == NULL) {
        failed_items_destroy(failed);
        free(buffer);
        free(records);
        free(b);
        return error_memory(e, "a buffer of %lld bytes", (long long)bytes);
    }
    b->flow = w;
    b->room = room;
    b->records = records;
    b->bytes = buffer;
    b->failed = failed;
    (void)atomic_flag_test_and_set(&b->failures_taken);
    atomic_flag_clear(&b->failures_taken);
    *out = b;
    return WEFT_OK;
}

void block_destroy(block *b)
{
    if (b != NULL) {
        free(b->failures);
        failed_items_destroy(b->failed);
        free(b->records);
        free(b->bytes);
        free(b);
    }
}

/* All others are empty still. */
static void clear_records(block *b)
{
    for (int64_t i = 0; i < b->tiles; i++) {
        b->records[i].state = TILE_EMPTY;
    }
}

void block_begin(block *b, interval p)
{
    assert(thread_is_main());
    clear_records(b);
    b->first = p.first;
    b->tiles = p.tiles;
    b->careful = p.careful != 0;
    b->kept = p.tiles;
    b->failure_count = 0;
    error_clear(&b->error);
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
        clear_records(b);
        b->failure_count = 0;
    }
    for (int64_t i = 0; i < b->tiles && status == WEFT_OK;) {
        int64_t run = 0;
        while (i + run < b->tiles && tile_record_done(&b->records[i + run])) {
            run++;
        }
        if (run > 0) {
            status = write_run(b, b->first + i, run);
        }
        i += run > 0 ? run : 1;
    }
}
