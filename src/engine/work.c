/* SPDX-License-Identifier: BSD-3-Clause */
/* A rank's share of the work: blocks of tiles, computed span by span into a buffer, then written to
 * their place in the store. */
#include "engine/work.h"

#include "base/clock.h"
#include "base/signals.h"
#include "engine/call.h"
#include "engine/misuse.h"
#include "engine/span.h"
#include "store/checksum.h"

#include <stdlib.h>
#include <string.h>

enum { PAGE_BYTES = 4096 };

bool work_stopping(const work *w)
{
    return atomic_load_explicit(&w->stopping, memory_order_relaxed) || signals_seen() != 0;
}

/* The agent makes blocks, but touches neither the bytes nor the records of a new one: the system
 * puts a page on the NUMA node of the worker that is first to write to it. That lasts as long as a
 * rank keeps to one node, wherever its blocks go afterwards. In a rank that spans nodes a block is
 * everybody's anyway; those used last come first again, as they are still in some cache, and of
 * what leaves it a part goes to the other node. A rank per node has none of that. */
weft_status block_create(work *w, int64_t room, block **out, error *e)
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
        return error_set(e, WEFT_ERR_MEMORY, "out of memory for a buffer of %lld bytes",
                         (long long)bytes);
    }
    b->work = w;
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

void block_begin(block *b, piece p)
{
    clear_records(b);
    b->first = p.first;
    b->tiles = p.tiles;
    b->careful = p.careful != 0;
    b->kept = p.tiles;
    b->failure_count = 0;
    error_clear(&b->error);
}

/* The bytes of a field at an item of the block. */
static unsigned char *bytes_at(const block *b, int field, int64_t item)
{
    const job *j = b->work->job;
    const int64_t before = item - tiling_first(&j->tiles, b->first);
    return b->bytes + b->field_start[field] + job_field_bytes(j, field, before);
}

static void fill_item(const block *b, int64_t item)
{
    const job *j = b->work->job;
    for (int i = 0; i < j->fields; i++) {
        const job_field *field = &j->field[i];
        const size_t bytes = weft_type_bytes(field->type);
        unsigned char *to = bytes_at(b, i, item);
        for (int64_t element = 0; element < field->shape.count; element++) {
            memcpy(to + (size_t)element * bytes, field->fill, bytes);
        }
    }
}

/* Bytes that carry no value are the same everywhere: zero. */
static void clear_padding(const block *b, int64_t first, int64_t items)
{
    const job *j = b->work->job;
    for (int i = 0; i < j->fields; i++) {
        const size_t padding = type_padding(j->field[i].type);
        if (padding == 0) {
            continue;
        }
        const size_t bytes = weft_type_bytes(j->field[i].type);
        unsigned char *to = bytes_at(b, i, first);
        for (int64_t element = 0; element < items * j->field[i].shape.count; element++) {
            memset(to + ((size_t)element + 1) * bytes - padding, 0, padding);
        }
    }
}

/* Has a run of items computed; false if they are not. */
static bool compute_items(const block *b, int worker, int64_t first, int64_t count,
                          span_failures *failures)
{
    const weft_span span = {.work = b->work,
                            .bytes = b->bytes,
                            .field_start = b->field_start,
                            .origin = tiling_first(&b->work->job->tiles, b->first),
                            .first = first,
                            .count = count,
                            .worker = worker,
                            .careful = b->careful,
                            .failures = failures};
    const bool computed = call_kernel(&span);
    const error *misused = misuse_seen(b->work->misuse);
    if (misused != NULL) {
        failures->broken = misused;
    }
    return computed && misused == NULL;
}

/* The first of the items to retry that is not below an item. */
static int64_t find_retry(const work *w, int64_t item)
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

static uint64_t tile_checksum(const block *b, int64_t first, int64_t items)
{
    const job *j = b->work->job;
    if (j->fields == 1) {
        return checksum_run(bytes_at(b, 0, first), (size_t)job_field_bytes(j, 0, items));
    }
    const void *bytes[WEFT_MAX_FIELDS];
    size_t counts[WEFT_MAX_FIELDS];
    for (int i = 0; i < j->fields; i++) {
        bytes[i] = bytes_at(b, i, first);
        counts[i] = (size_t)job_field_bytes(j, i, items);
    }
    return checksum_runs(j->fields, bytes, counts);
}

/* Fetches a tile from the file; false if what is there is not what was recorded. */
static bool fetch_tile(const block *b, int64_t first, int64_t items, uint64_t checksum)
{
    const work *w = b->work;
    error e = {.status = WEFT_OK};
    for (int i = 0; i < w->job->fields && e.status == WEFT_OK; i++) {
        (void)store_read(w->store, i, first, items, bytes_at(b, i, first), &e);
    }
    return e.status == WEFT_OK && tile_checksum(b, first, items) == checksum;
}

/* Of a tile with items to retry, from `retry` on, everything else is in the file already, unless
 * the file has been damaged. */
static bool retry_tile(const block *b, int worker, int64_t first, int64_t items, int64_t retry,
                       span_failures *failures)
{
    const work *w = b->work;
    if (!fetch_tile(b, first, items, w->retry[retry].checksum)) {
        return compute_items(b, worker, first, items, failures);
    }
    for (int64_t i = retry; i < w->retry_count && w->retry[i].item < first + items; i++) {
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
    const work *w = b->work;
    const tiling *t = &w->job->tiles;
    int64_t done = 0;
    while (done < tiles) {
        const int64_t left = tiles - done;
        const int64_t span = left < w->span_tiles ? left : w->span_tiles;
        if ((done > 0 && work_stopping(w)) ||
            !compute_items(b, worker, tiling_first(t, tile + done),
                           tiling_items(t, tile + done, span), failures)) {
            break;
        }
        done += span;
    }
    return done;
}

/* Tiles with something to retry are computed one by one, others as spans. */
static int64_t compute_tiles(block *b, int worker, int64_t tile, int64_t tiles,
                             span_failures *failures)
{
    const work *w = b->work;
    const tiling *t = &w->job->tiles;
    if (w->retry_count == 0) {
        return compute_spans(b, worker, tile, tiles, failures);
    }
    for (int64_t i = tile; i < tile + tiles; i++) {
        const int64_t first = tiling_first(t, i);
        const int64_t items = tiling_items(t, i, 1);
        const int64_t retry = find_retry(w, first);
        const bool some = retry < w->retry_count && w->retry[retry].item < first + items;
        if (!(some ? retry_tile(b, worker, first, items, retry, failures)
                   : compute_items(b, worker, first, items, failures))) {
            return i - tile;
        }
    }
    return tiles;
}

/* Notes in a tile's record how many of its items failed, and how badly. */
static void record_failures(const block *b, tile_record *record, int64_t first, int64_t items)
{
    const int64_t from = first - tiling_first(&b->work->job->tiles, b->first);
    bool quarantined = false;
    const int64_t failed = failed_items_count(b->failed, from, from + items, &quarantined);
    if (failed > 0) {
        record->failed = (uint32_t)failed;
        record->state = quarantined ? TILE_QUARANTINED : TILE_DONE_WITH_FAILURES;
    }
}

/* Records of tiles that took ns together; the time is shared out by items. */
static void record_tiles(block *b, int worker, int64_t tile, int64_t tiles, int64_t start_ns,
                         int64_t ns, bool some_failed)
{
    const work *w = b->work;
    const tiling *t = &w->job->tiles;
    const double item_s = 1e-9 * (double)ns / (double)tiling_items(t, tile, tiles);
    const tile_record common = {.state = TILE_DONE,
                                .attempts = 1,
                                .rank = w->rank,
                                .worker = worker,
                                .run = w->run,
                                .start = w->origin_s + 1e-9 * (double)(start_ns - w->origin_ns)};
    for (int64_t i = tile; i < tile + tiles; i++) {
        const int64_t first = tiling_first(t, i);
        const int64_t items = tiling_items(t, i, 1);
        tile_record *record = &b->records[i - b->first];
        *record = common;
        if (some_failed) {
            record_failures(b, record, first, items);
        }
        record->seconds = item_s * (double)items;
        record->checksum = tile_checksum(b, first, items);
        tile_record_seal(record, i);
    }
}

/* Rows of failures that are still of use: the table in the file does not hold more. */
static int64_t useful_rows(const work *w)
{
    const int64_t room = w->store != NULL ? store_layout(w->store)->failure_rows : INT64_MAX;
    return room - atomic_load_explicit(&w->rows_given, memory_order_relaxed);
}

/* Room for more rows of failures; how many of these there is memory for. */
static int64_t reserve_rows(block *b, int64_t more)
{
    if (b->failure_count + more > b->failure_room) {
        const int64_t room = 2 * (b->failure_count + more);
        failure_row *larger = realloc(b->failures, (size_t)room * sizeof *larger);
        if (larger != NULL) {
            b->failures = larger;
            b->failure_room = room;
        }
    }
    const int64_t left = b->failure_room - b->failure_count;
    return more < left ? more : left;
}

/* Adds what there is to say of a span's failures, in items before `end`, to what its block has. The
 * lock is held for a copy at most, so a spinning one will do. */
static void keep_rows(block *b, const span_failures *failures, int64_t end)
{
    while (atomic_flag_test_and_set_explicit(&b->failures_taken, memory_order_acquire)) {
    }
    const int64_t before = b->failure_count;
    const int64_t rows = reserve_rows(b, failures->count);
    for (int64_t i = 0; i < rows; i++) {
        if (failures->rows[i].item < end) {
            b->failures[b->failure_count++] = failures->rows[i];
        }
    }
    (void)atomic_fetch_add_explicit(&b->work->rows_given, b->failure_count - before,
                                    memory_order_relaxed);
    if (failures->broken != NULL) {
        b->error = *failures->broken;
    }
    atomic_flag_clear_explicit(&b->failures_taken, memory_order_release);
}

/* Fills the items that have failed, of those that have been computed. */
static void fill_failed(const block *b, int64_t first, int64_t items)
{
    const int64_t origin = tiling_first(&b->work->job->tiles, b->first);
    const int64_t end = first + items - origin;
    for (int64_t i = failed_items_next(b->failed, first - origin, end); i < end;
         i = failed_items_next(b->failed, i + 1, end)) {
        fill_item(b, origin + i);
    }
}

int64_t block_compute(block *b, int worker, int64_t first, int64_t tiles, int64_t start_ns)
{
    const tiling *t = &b->work->job->tiles;
    const int64_t tile = b->first + first;
    const int64_t item = tiling_first(t, tile);
    const int64_t origin = tiling_first(t, b->first);
    const int64_t rows = useful_rows(b->work);
    span_failures failures = {
        .items = b->failed, .origin = origin, .most = rows, .full = rows <= 0};
    const int64_t computed = compute_tiles(b, worker, tile, tiles, &failures);
    const int64_t end_ns = clock_now_ns();
    const int64_t items = computed > 0 ? tiling_items(t, tile, computed) : 0;
    if (computed > 0) {
        fill_failed(b, item, failures.failed > 0 ? items : 0);
        clear_padding(b, item, items);
        record_tiles(b, worker, tile, computed, start_ns, end_ns - start_ns, failures.failed > 0);
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

static bool may_be_lost(const work *w)
{
    const int64_t until_ns = atomic_load(&w->mine_until_ns);
    return !w->pure && until_ns != 0 && clock_now_ns() > until_ns;
}

static weft_status write_run(block *b, int64_t first, int64_t tiles)
{
    const work *w = b->work;
    const tiling *t = &w->job->tiles;
    const int64_t item = tiling_first(t, first);
    weft_status status = WEFT_OK;
    for (int i = 0; i < w->job->fields && status == WEFT_OK; i++) {
        status = store_write(w->store, i, item, tiling_items(t, first, tiles), bytes_at(b, i, item),
                             &b->error);
    }
    return status;
}

void block_write(block *b)
{
    weft_status status = WEFT_OK;
    if (may_be_lost(b->work)) {
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
