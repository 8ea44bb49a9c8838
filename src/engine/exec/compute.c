/* SPDX-License-Identifier: BSD-3-Clause */
/* Computes the tiles of a block span by span, and records them. Workers. */
#include "engine/exec/compute.h"

#include "base/array.h"
#include "base/clock.h"
#include "engine/exec/call.h"
#include "engine/exec/isolation.h"
#include "engine/exec/misuse.h"
#include "engine/exec/span.h"
#include "engine/flow/failed_items.h"
#include "reduce/reduction.h"
#include "store/format/checksum.h"

#include <stdlib.h>
#include <string.h>

/* Once an element is filled, it is copied, and then twice as many each time. */
static void fill_items(const block *b, int64_t first, int64_t items)
{
    const job *j = b->flow->job;
    for (int i = 0; i < j->fields; i++) {
        unsigned char *to = block_bytes(b, i, first);
        const size_t bytes = (size_t)job_field_bytes(j, i, items);
        size_t filled = weft_type_bytes(j->field[i].type);
        memcpy(to, j->field[i].fill, filled);
        while (filled < bytes) {
            const size_t more = filled < bytes - filled ? filled : bytes - filled;
            memcpy(to + filled, to, more);
            filled += more;
        }
    }
}

/* Bytes that carry no value are the same everywhere: zero. */
static void clear_padding(const block *b, int64_t first, int64_t items)
{
    const job *j = b->flow->job;
    for (int i = 0; i < j->fields; i++) {
        const size_t padding = type_padding(j->field[i].type);
        if (padding == 0) {
            continue;
        }
        const size_t bytes = weft_type_bytes(j->field[i].type);
        unsigned char *to = block_bytes(b, i, first);
        for (int64_t element = 0; element < items * j->field[i].shape.count; element++) {
            memset(to + ((size_t)element + 1) * bytes - padding, 0, padding);
        }
    }
}

/* Whether the kernel has asked for what there is not: then nothing that it has computed counts. */
static bool is_misused(const flow *w, span_failures *failures)
{
    const error *misused = misuse_seen(w->misuse);
    if (misused != NULL) {
        failures->broken = misused;
    }
    return misused != NULL;
}

/* A span of no items yet. */
static weft_span begin_span(const block *b, int worker, span_failures *failures)
{
    return (weft_span){.flow = b->flow,
                       .bytes = b->bytes,
                       .field_start = b->field_start,
                       .origin = tiling_first(&b->flow->job->tiles, b->first),
                       .worker = worker,
                       .careful = b->careful,
                       .failures = failures};
}

/* Has a run of items computed; false if they are not. */
static bool compute_items(const block *b, int worker, int64_t first, int64_t count,
                          span_failures *failures)
{
    weft_span span = begin_span(b, worker, failures);
    span.first = first;
    span.count = count;
    return call_kernel(&span) && !is_misused(b->flow, failures);
}

/* The first of the items to retry that is not below an item. */
static int64_t find_retry(const flow *w, int64_t item)
{
    int64_t low = 0;
    int64_t high = w->retry_count;
    while (low < high) {
        const int64_t middle = low + (high - low) / 2;
        if (w->retry[middle].item < item) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

static uint64_t tile_checksum(const block *b, int64_t tile)
{
    const job *j = b->flow->job;
    const void *bytes[WEFT_MAX_FIELDS];
    size_t counts[WEFT_MAX_FIELDS];
    for (int i = 0; i < job_columns(j); i++) {
        bytes[i] = block_column(b, i, tile);
        counts[i] = (size_t)job_column_bytes(j, i, tile, 1);
    }
    return checksum_runs(job_columns(j), bytes, counts);
}

/* Fetches a tile from the file; false if what is there is not what was recorded. */
static bool fetch_tile(const block *b, int64_t tile, uint64_t checksum)
{
    const flow *w = b->flow;
    const job *j = w->job;
    error e = {.status = WEFT_OK};
    weft_status status = WEFT_OK;
    for (int i = 0; i < job_columns(j) && status == WEFT_OK; i++) {
        const bool field = i < j->fields;
        status =
            store_read(w->store, i, field ? tiling_first(&j->tiles, tile) : tile,
                       field ? tiling_items(&j->tiles, tile, 1) : 1, block_column(b, i, tile), &e);
    }
    return status == WEFT_OK && tile_checksum(b, tile) == checksum;
}

/* Makes the accumulators of a tile empty that the kernel fills. */
static void empty_accumulators(const block *b, int64_t tile)
{
    const job *j = b->flow->job;
    for (int i = 0; i < j->reductions; i++) {
        if (j->reduction[i].field < 0) {
            reduction_init(j->reduction[i].work, block_accumulator(b, i, tile));
        }
    }
}

/* Reduces the values of a tile's field, but for those of items that have failed. */
static void reduce_field(const block *b, int reduction, int64_t tile)
{
    const job *j = b->flow->job;
    const job_reduction *r = &j->reduction[reduction];
    const job_field *field = &j->field[r->field];
    const int64_t origin = tiling_first(&j->tiles, b->first);
    const int64_t end = tiling_first(&j->tiles, tile + 1);
    void *accumulator = block_accumulator(b, reduction, tile);
    reduction_init(r->work, accumulator);
    for (int64_t item = tiling_first(&j->tiles, tile); item < end;) {
        const int64_t stop = origin + failed_items_next(b->failed, item - origin, end - origin);
        if (stop > item) {
            reduction_add_field(r->work, accumulator, field->type, block_bytes(b, r->field, item),
                                field->shape.count, item, stop - item);
        }
        item = stop + 1;
    }
}

static void reduce_fields(const block *b, int64_t tile)
{
    const job *j = b->flow->job;
    for (int i = 0; i < j->reductions; i++) {
        if (j->reduction[i].field >= 0) {
            reduce_field(b, i, tile);
        }
    }
}

/* A whole tile in one span. */
static bool compute_tile(const block *b, int worker, int64_t tile, span_failures *failures)
{
    const tiling *t = &b->flow->job->tiles;
    empty_accumulators(b, tile);
    return compute_items(b, worker, tiling_first(t, tile), tiling_items(t, tile, 1), failures);
}

/* Of a tile with items to retry, from `retry` on, everything else is in the file already, unless
 * the file has been damaged. What the kernel reduces is not, since items come in their order. */
static bool retry_tile(const block *b, int worker, int64_t tile, int64_t retry,
                       span_failures *failures)
{
    const flow *w = b->flow;
    const int64_t end = tiling_first(&w->job->tiles, tile + 1);
    if (job_kernel_reduces(w->job) || !fetch_tile(b, tile, w->retry[retry].checksum)) {
        return compute_tile(b, worker, tile, failures);
    }
    for (int64_t i = retry; i < w->retry_count && w->retry[i].item < end; i++) {
        if (!compute_items(b, worker, w->retry[i].item, 1, failures)) {
            return false;
        }
    }
    return true;
}

/* Calls the kernel span by span; how many tiles were computed before the run stopped. */
static int64_t compute_spans(const block *b, int worker, int64_t tile, int64_t tiles,
                             span_failures *failures)
{
    const flow *w = b->flow;
    const tiling *t = &w->job->tiles;
    const bool tile_alone = job_kernel_reduces(w->job);
    const bool long_spans = !tile_alone && isolation_takes_long_spans(w, b->careful);
    const int64_t most = long_spans ? tiles : w->span_tiles;
    weft_span span = begin_span(b, worker, failures);
    span.first = tiling_first(t, tile);
    int64_t done = 0;
    while (done < tiles) {
        const int64_t left = tiles - done;
        const int64_t more = left < most ? left : most;
        span.first += span.count;
        span.count = tiling_first(t, tile + done + more) - span.first;
        if (done > 0 && flow_stopping(w)) {
            break;
        }
        empty_accumulators(b, tile + done);
        if (!call_kernel(&span)) {
            break;
        }
        done += more;
    }
    return is_misused(w, failures) ? 0 : done;
}

/* Tiles with something to retry are computed one by one, others as spans. */
static int64_t compute_tiles(block *b, int worker, int64_t tile, int64_t tiles,
                             span_failures *failures)
{
    const flow *w = b->flow;
    const tiling *t = &w->job->tiles;
    if (w->retry_count == 0) {
        return compute_spans(b, worker, tile, tiles, failures);
    }
    for (int64_t i = tile; i < tile + tiles; i++) {
        const int64_t first = tiling_first(t, i);
        const int64_t items = tiling_items(t, i, 1);
        const int64_t retry = find_retry(w, first);
        const bool some = retry < w->retry_count && w->retry[retry].item < first + items;
        if (!(some ? retry_tile(b, worker, i, retry, failures)
                   : compute_tile(b, worker, i, failures))) {
            return i - tile;
        }
    }
    return tiles;
}

/* Notes in a tile's record how many of its items failed, and how badly. */
static void record_failures(const block *b, tile_record *record, int64_t first, int64_t items)
{
    const int64_t from = first - tiling_first(&b->flow->job->tiles, b->first);
    bool quarantined = false;
    const int64_t failed = failed_items_count(b->failed, from, from + items, &quarantined);
    if (failed > 0) {
        record->failed = (uint32_t)failed;
        record->state = quarantined ? TILE_QUARANTINED : TILE_DONE_WITH_FAILURES;
    }
}

/* Records of tiles that took ns together; the time is shared out by items. Whole tiles of one field
 * in which nothing has failed are alike. */
static void record_tiles(block *b, int worker, int64_t tile, int64_t tiles, int64_t start_ns,
                         int64_t ns, bool some_failed)
{
    const flow *w = b->flow;
    const tiling *t = &w->job->tiles;
    const int64_t items = tiling_items(t, tile, tiles);
    const double item_s = 1e-9 * (double)ns / (double)items;
    tile_record *records = &b->records[tile - b->first];
    const tile_record common = {.state = TILE_DONE,
                                .attempts = 1,
                                .rank = w->rank,
                                .worker = worker,
                                .run = w->run,
                                .start = w->origin_s + 1e-9 * (double)(start_ns - w->origin_ns),
                                .seconds = item_s * (double)t->grain};
    int64_t alike = 0;
    if (w->job->fields == 1 && w->job->reductions == 0 && !some_failed) {
        alike = items / t->grain;
        tile_records_make(records, &common, tile, alike, block_bytes(b, 0, tiling_first(t, tile)),
                          (size_t)job_field_bytes(w->job, 0, t->grain));
    }
    for (int64_t i = alike; i < tiles; i++) {
        const int64_t first = tiling_first(t, tile + i);
        const int64_t of_tile = tiling_items(t, tile + i, 1);
        records[i] = common;
        if (some_failed) {
            record_failures(b, &records[i], first, of_tile);
        }
        records[i].seconds = item_s * (double)of_tile;
        reduce_fields(b, tile + i);
        records[i].checksum = tile_checksum(b, tile + i);
        tile_record_seal(&records[i], tile + i);
    }
}

/* Tiles of the block have been computed, and took ns together. */
static void note_done(block *b, int64_t first, int64_t tiles, int64_t ns)
{
    memset(b->done + first, true, (size_t)tiles);
    block_lock(b);
    news_add(&b->news, tiles, 1e-9 * (double)ns / (double)tiles);
    block_unlock(b);
}

/* Rows of failures that are still of use: the table in the file does not hold more. */
static int64_t useful_rows(const flow *w)
{
    const int64_t room = w->store != NULL ? store_layout(w->store)->failure_rows : INT64_MAX;
    return room - atomic_load_explicit(&w->rows_given, memory_order_relaxed);
}

/* Room for more rows of failures; how many of these there is memory for. */
static int64_t reserve_rows(block *b, int64_t more)
{
    (void)ARRAY_RESERVE(b->failures, b->failure_room, b->failure_count + more);
    const int64_t left = b->failure_room - b->failure_count;
    return more < left ? more : left;
}

/* Adds what there is to say of a span's failures, in items before `end`, to what its block has. */
static void keep_rows(block *b, const span_failures *failures, int64_t end)
{
    block_lock(b);
    const int64_t before = b->failure_count;
    const int64_t rows = reserve_rows(b, failures->count);
    for (int64_t i = 0; i < rows; i++) {
        if (failures->rows[i].item < end) {
            b->failures[b->failure_count++] = failures->rows[i];
        }
    }
    (void)atomic_fetch_add_explicit(&b->flow->rows_given, b->failure_count - before,
                                    memory_order_relaxed);
    if (failures->broken != NULL) {
        b->error = *failures->broken;
    }
    block_unlock(b);
}

/* Fills the items that have failed, of those that have been computed. */
static void fill_failed(const block *b, int64_t first, int64_t items)
{
    const int64_t origin = tiling_first(&b->flow->job->tiles, b->first);
    const int64_t end = first + items - origin;
    int64_t i = failed_items_next(b->failed, first - origin, end);
    while (i < end) {
        const int64_t good = failed_items_next_good(b->failed, i, end);
        fill_items(b, origin + i, good - i);
        i = failed_items_next(b->failed, good, end);
    }
}

int64_t block_compute(block *b, int worker, int64_t first, int64_t tiles, int64_t start_ns)
{
    const tiling *t = &b->flow->job->tiles;
    const int64_t tile = b->first + first;
    const int64_t item = tiling_first(t, tile);
    const int64_t origin = tiling_first(t, b->first);
    if (!block_equip(b)) {
        return clock_now_ns();
    }
    const int64_t rows = useful_rows(b->flow);
    span_failures failures = {
        .items = b->failed, .origin = origin, .most = rows, .full = rows <= 0};
    const int64_t computed = compute_tiles(b, worker, tile, tiles, &failures);
    const int64_t end_ns = clock_now_ns();
    const int64_t items = computed > 0 ? tiling_items(t, tile, computed) : 0;
    if (computed > 0) {
        fill_failed(b, item, failures.failed > 0 ? items : 0);
        clear_padding(b, item, items);
        record_tiles(b, worker, tile, computed, start_ns, end_ns - start_ns, failures.failed > 0);
        note_done(b, first, computed, end_ns - start_ns);
    }
    if (failures.failed > 0) {
        failed_items_clear(b->failed, item - origin, item - origin + tiling_items(t, tile, tiles));
    }
    if ((computed > 0 && failures.count > 0) || failures.broken != NULL) {
        keep_rows(b, &failures, item + items);
    }
    free(failures.rows);
    return end_ns;
}
