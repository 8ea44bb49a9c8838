/* SPDX-License-Identifier: BSD-3-Clause */
/* The rows of the tables of tiles, failures and runs, as they lie on disk. */
#include "store/format/record.h"

#include "store/format/checksum.h"
#include "store/format/xxh3.h"
#include "store/io/bytes.h"

#include <stddef.h>
#include <string.h>

/* Longer tiles are left to the vectors of this processor. */
enum { FEW_BYTES = 240 };

enum { ROWS_AT_ONCE = 32 };

/* As many runs of a file are under way at most. */
enum { RUNS_AT_A_TIME = 2 };

static uint64_t check_of(const tile_record *record, int64_t tile)
{
    return XXH3_64bits_withSeed(record, offsetof(tile_record, check), (uint64_t)tile + 1);
}

void tile_record_seal(tile_record *record, int64_t tile)
{
    record->check = check_of(record, tile);
}

void tile_records_make(tile_record records[], const tile_record *common, int64_t first,
                       int64_t tiles, const void *bytes, size_t tile_bytes)
{
    const char *from = bytes;
    for (int64_t i = 0; i < tiles; i++) {
        records[i] = *common;
        const void *tile = from + (size_t)i * tile_bytes;
        records[i].checksum = tile_bytes > FEW_BYTES ? checksum_runs(1, &tile, &tile_bytes)
                                                     : XXH3_64bits(tile, tile_bytes);
        tile_record_seal(&records[i], first + i);
    }
}

bool tile_record_sound(const tile_record *record, int64_t tile)
{
    static const unsigned char empty[sizeof *record];
    const unsigned char *bytes = (const unsigned char *)record;
    return (record->state == TILE_EMPTY && memcmp(bytes, empty, sizeof empty) == 0) ||
           record->check == check_of(record, tile);
}

const char *weft_outcome_text(weft_outcome outcome)
{
    static const char *const texts[] = {
#define OUTCOME_TEXT(name, text) text,
        WEFT_OUTCOME_MAP(OUTCOME_TEXT)
#undef OUTCOME_TEXT
    };
    return texts[(unsigned)outcome < WEFT_OUTCOME_COUNT ? outcome : WEFT_OUTCOME_UNKNOWN];
}

weft_outcome run_row_outcome(const run_row *row)
{
    static const size_t bytes = sizeof row->outcome;
    for (int i = 0; i < WEFT_OUTCOME_COUNT; i++) {
        if (strncmp(row->outcome, weft_outcome_text((weft_outcome)i), bytes) == 0) {
            return (weft_outcome)i;
        }
    }
    return WEFT_OUTCOME_UNKNOWN;
}

void run_row_set_outcome(run_row *row, weft_outcome outcome)
{
    const char *text = weft_outcome_text(outcome);
    memset(row->outcome, 0, sizeof row->outcome);
    memcpy(row->outcome, text, strnlen(text, sizeof row->outcome));
}

weft_outcome outcome_of(weft_status why)
{
    switch (weft_status_exit(why)) {
    case 0:
        return WEFT_OUTCOME_COMPLETE;
    case 3:
        return WEFT_OUTCOME_FAILED_ITEMS;
    case 75:
        return WEFT_OUTCOME_STOPPED;
    default:
        return WEFT_OUTCOME_ERROR;
    }
}

weft_status failures_read(int fd, const char *path, const metadata_layout *layout,
                          failure_row failures[], error *e)
{
    return bytes_read(fd, path, failures, (size_t)layout->failure_rows * sizeof *failures,
                      layout->failures_offset, e);
}

/* They are written from the first one on, and few of them ever are. */
static weft_status read_runs(int fd, const char *path, const metadata_layout *layout, tables *t,
                             error *e)
{
    weft_status status = WEFT_OK;
    int64_t read = 0;
    t->runs = 0;
    while (status == WEFT_OK && t->runs == read && read < layout->run_rows) {
        const int64_t left = layout->run_rows - read;
        const int64_t more = left < ROWS_AT_ONCE ? left : ROWS_AT_ONCE;
        status = bytes_read(fd, path, t->run + read, (size_t)more * sizeof *t->run,
                            layout->runs_offset + read * (int64_t)sizeof *t->run, e);
        read += more;
        while (status == WEFT_OK && t->runs < read && t->run[t->runs].start > 0) {
            t->runs++;
        }
    }
    t->full = t->runs == layout->run_rows;
    return status;
}

weft_status tables_read(int fd, const char *path, const metadata_layout *layout,
                        const tiling *tiles, tables *t, error *e)
{
    weft_status status = WEFT_OK;
    if (t->tile != NULL) {
        status = bytes_read(fd, path, t->tile, (size_t)tiles->tiles * sizeof *t->tile,
                            layout->tiles_offset, e);
    }
    if (status == WEFT_OK && t->failure != NULL) {
        status = failures_read(fd, path, layout, t->failure, e);
    }
    return status == WEFT_OK ? read_runs(fd, path, layout, t, e) : status;
}

recount recount_begin(run_row *row, int32_t run)
{
    const recount r = {.row = row, .run = run, .busy_before = row->busy};
    row->items = 0;
    row->failed = 0;
    row->busy = 0;
    return r;
}

void recount_add(recount *r, const tiling *tiles, int64_t tile, const tile_record *record)
{
    if (record->run == r->run && tile_record_done(record)) {
        const double end = record->start + record->seconds;
        r->row->items += tiling_items(tiles, tile, 1);
        r->row->failed += record->failed;
        r->row->busy += record->seconds;
        r->row->end = end > r->row->end ? end : r->row->end;
    }
}

void recount_end(const recount *r)
{
    const double share = r->busy_before > 0 ? r->row->busy / r->busy_before : 0;
    r->row->cpu *= share;
    r->row->wait *= share;
}

static void recount_all(const tables *t, const tiling *tiles, int run)
{
    recount r = recount_begin(&t->run[run], run);
    for (int64_t tile = 0; tile < tiles->tiles; tile++) {
        if (tile_record_sound(&t->tile[tile], tile)) {
            recount_add(&r, tiles, tile, &t->tile[tile]);
        }
    }
    recount_end(&r);
}

int tables_last_run(const tables *t, int64_t map)
{
    int last = t->runs - 1;
    while (last >= 0 && t->run[last].map != map) {
        last--;
    }
    return last;
}

/* The row of the run that began first. */
static int oldest_run(const tables *t)
{
    int oldest = 0;
    for (int i = 1; i < t->runs; i++) {
        oldest = t->run[i].start < t->run[oldest].start ? i : oldest;
    }
    return oldest;
}

int tables_new_run(const tables *t, int64_t map)
{
    const int last = t->full ? tables_last_run(t, map) : t->runs;
    return last >= 0 ? last : oldest_run(t);
}

/* As long as there is room they are in order, whatever clocks say. */
static bool is_newer(const tables *t, int row, int than)
{
    return t->full ? t->run[row].start > t->run[than].start : row > than;
}

bool tables_may_run(const tables *t, int row)
{
    int newer = 0;
    if (run_row_outcome(&t->run[row]) != WEFT_OUTCOME_RUNNING) {
        return false;
    }
    for (int i = 0; i < t->runs; i++) {
        newer += is_newer(t, i, row) && run_row_outcome(&t->run[i]) == WEFT_OUTCOME_RUNNING;
    }
    return newer < RUNS_AT_A_TIME;
}

bool tables_any_may_run(const tables *t)
{
    int row = 0;
    while (row < t->runs && !tables_may_run(t, row)) {
        row++;
    }
    return row < t->runs;
}

bool tables_settle_runs(tables *t, int64_t map, const tiling *tiles, bool in_use)
{
    const int last = tables_last_run(t, map);
    bool changed = false;
    for (int i = 0; i <= last; i++) {
        run_row *row = &t->run[i];
        if (row->map != map) {
            continue;
        }
        changed = run_row_outcome(row) == WEFT_OUTCOME_RUNNING;
        if (changed && i == last && t->tile != NULL) {
            recount_all(t, tiles, i);
        }
        if (changed && !(i == last && in_use && tables_may_run(t, i))) {
            run_row_set_outcome(row, WEFT_OUTCOME_KILLED);
            row->computing_now = row->disk_now = row->work_now = row->elsewhere_now = 0;
        }
    }
    return changed;
}
