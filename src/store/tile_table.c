/* SPDX-License-Identifier: BSD-3-Clause */
/* Rank 0's books: the tile records, the failures and the runs, in memory and on disk. */
#define _GNU_SOURCE 1
#include "store/tile_table.h"

#include "base/thread.h"
#include "store/io/fault.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

struct tile_table {
    backlog *backlog; /* the store's */
    const char *path;
    const job *job;
    metadata_layout layout;
    tile_record *records;
    int64_t damaged;
    failure_row *failures;
    int64_t failures_used;
    /* Every row is in one list: of those that are free, or of a bucket of tiles. */
    int64_t *next_row;
    int64_t free_row;
    int64_t *bucket;
    int64_t buckets; /* a power of two */
    int run;
    bool idle_before;
};

enum { NO_ROW = -1 };

/* Where the rows of a tile are; Fibonacci's hashing spreads neighbours. */
static int64_t *bucket_of(const tile_table *l, int64_t item)
{
    const uint64_t tile = (uint64_t)(item / l->job->tiles.grain);
    const uint64_t spread = tile * UINT64_C(0x9e3779b97f4a7c15);
    return &l->bucket[(spread >> 32) & (uint64_t)(l->buckets - 1)];
}

static void link_row(tile_table *l, int64_t *list, int64_t row)
{
    l->next_row[row] = *list;
    *list = row;
}

static weft_status write_run(tile_table *l, int number, const run_row *row, error *e)
{
    const int64_t offset = l->layout.runs_offset + number * (int64_t)sizeof *row;
    return backlog_write(l->backlog, offset, row, sizeof *row, e);
}

/* The first free row comes first. */
static void list_rows(tile_table *l)
{
    l->free_row = NO_ROW;
    for (int64_t i = 0; i < l->buckets; i++) {
        l->bucket[i] = NO_ROW;
    }
    for (int64_t row = l->layout.failure_rows - 1; row >= 0; row--) {
        const failure_row *failure = &l->failures[row];
        link_row(l, failure->code == 0 ? &l->free_row : bucket_of(l, failure->item), row);
    }
}

/* What the tables say: damaged records become empty ones, and the ends of the tables are found. */
static void take_stock(tile_table *l)
{
    for (int64_t tile = 0; tile < l->job->tiles.tiles; tile++) {
        if (!tile_record_sound(&l->records[tile], tile)) {
            memset(&l->records[tile], 0, sizeof l->records[tile]);
            l->damaged++;
        }
    }
    for (int64_t row = 0; row < l->layout.failure_rows; row++) {
        if (l->failures[row].code != 0) {
            l->failures_used = row + 1;
        }
    }
    list_rows(l);
}

/* A run that was killed could not close its row; the tile records know what it had done. */
static weft_status close_killed_run(tile_table *l, tables *t, error *e)
{
    const bool killed = tables_settle_runs(t, &l->job->tiles, false);
    const run_row *last = t->runs > 0 ? &t->run[t->runs - 1] : NULL;
    l->run = last == NULL || t->runs < l->layout.run_rows ? t->runs : t->runs - 1;
    l->idle_before =
        last != NULL && last->items == 0 && run_row_outcome(last) == WEFT_OUTCOME_STOPPED;
    return killed ? write_run(l, t->runs - 1, last, e) : WEFT_OK;
}

static size_t records_bytes(const tile_table *l)
{
    return ((size_t)l->job->tiles.tiles + 1) * sizeof *l->records;
}

/* Zeroed, and in large pages where the system has them: every record is touched once, and with
 * small pages that would cost more than all else that is done to it. */
static bool allocate_records(tile_table *l)
{
    const size_t bytes = records_bytes(l);
    const int protection = PROT_READ | PROT_WRITE;
    /* cppcheck-suppress invalidFunctionArg ; no file belongs to anonymous memory */
    void *memory = mmap(NULL, bytes, protection, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED) {
        return false;
    }
    (void)madvise(memory, bytes, MADV_HUGEPAGE);
    l->records = memory;
    return true;
}

static bool allocate_failures(tile_table *l)
{
    const size_t rows = (size_t)l->layout.failure_rows + 1;
    l->buckets = 1;
    while (l->buckets < l->layout.failure_rows) {
        l->buckets *= 2;
    }
    l->failures = calloc(rows, sizeof *l->failures);
    l->next_row = calloc(rows, sizeof *l->next_row);
    l->bucket = calloc((size_t)l->buckets, sizeof *l->bucket);
    return l->failures != NULL && l->next_row != NULL && l->bucket != NULL;
}

/* Takes over what earlier runs have left. */
static weft_status load(tile_table *l, error *e)
{
    tables t = {.tile = l->records,
                .failure = l->failures,
                .run = calloc((size_t)l->layout.run_rows + 1, sizeof *t.run)};
    const int fd = open(l->path, O_RDONLY | O_CLOEXEC);
    weft_status status = WEFT_OK;
    if (t.run == NULL) {
        status = error_memory(e, "the runs of %s", l->path);
    } else if (fd < 0) {
        const int number = errno;
        status = fault_set(e, number, l->path, "cannot open %s for reading", l->path);
    } else {
        status = tables_read(fd, l->path, &l->layout, &l->job->tiles, &t, e);
    }
    if (status == WEFT_OK) {
        take_stock(l);
        status = close_killed_run(l, &t, e);
    }
    if (fd >= 0) {
        (void)close(fd);
    }
    free(t.run);
    return status;
}

weft_status tile_table_open(backlog *b, const char *path, bool created, const job *j,
                            const metadata_layout *layout, tile_table **out, error *e)
{
    tile_table *l = calloc(1, sizeof *l);
    if (l == NULL) {
        return error_memory(e, "the tables of %s", path);
    }
    *l = (tile_table){.backlog = b, .path = path, .job = j, .layout = *layout};
    if (!allocate_failures(l) || !allocate_records(l)) {
        tile_table_close(l);
        return error_memory(e, "the tile records of %s", path);
    }
    list_rows(l);
    const weft_status status = created ? WEFT_OK : load(l, e);
    if (status != WEFT_OK) {
        tile_table_close(l);
        return status;
    }
    *out = l;
    return WEFT_OK;
}

void tile_table_close(tile_table *l)
{
    if (l != NULL) {
        if (l->records != NULL) {
            (void)munmap(l->records, records_bytes(l));
        }
        free(l->bucket);
        free(l->next_row);
        free(l->failures);
        free(l);
    }
}

int64_t tile_table_damaged(const tile_table *l)
{
    return l->damaged;
}

const tile_record *tile_table_record(const tile_table *l, int64_t tile)
{
    return &l->records[tile];
}

static weft_status write_failure(tile_table *l, int64_t row, error *e)
{
    const failure_row *failure = &l->failures[row];
    const int64_t offset = l->layout.failures_offset + row * (int64_t)sizeof *failure;
    return backlog_write(l->backlog, offset, failure, sizeof *failure, e);
}

/* Frees the rows of a tile. */
static weft_status clear_failures(tile_table *l, int64_t tile, error *e)
{
    const int64_t first = tiling_first(&l->job->tiles, tile);
    const int64_t end = first + tiling_items(&l->job->tiles, tile, 1);
    weft_status status = WEFT_OK;
    int64_t *link = bucket_of(l, first);
    while (*link != NO_ROW && status == WEFT_OK) {
        const int64_t row = *link;
        if (l->failures[row].item < first || l->failures[row].item >= end) {
            link = &l->next_row[row];
            continue;
        }
        *link = l->next_row[row];
        link_row(l, &l->free_row, row);
        memset(&l->failures[row], 0, sizeof l->failures[row]);
        status = write_failure(l, row, e);
    }
    return status;
}

static weft_status write_records(tile_table *l, int64_t first, int64_t tiles, error *e)
{
    const int64_t offset = l->layout.tiles_offset + first * (int64_t)sizeof *l->records;
    return backlog_write(l->backlog, offset, &l->records[first], (size_t)tiles * sizeof *l->records,
                         e);
}

weft_status tile_table_reopen(tile_table *l, int64_t tile, error *e)
{
    l->records[tile].state = TILE_EMPTY;
    tile_record_seal(&l->records[tile], tile);
    return write_records(l, tile, 1, e);
}

weft_status tile_table_put(tile_table *l, int64_t first, int64_t tiles, const tile_record records[],
                           error *e)
{
    assert(thread_is_main());
    weft_status status = WEFT_OK;
    for (int64_t i = 0; i < tiles && status == WEFT_OK; i++) {
        tile_record *mine = &l->records[first + i];
        const tile_record before = *mine;
        *mine = records[i];
        if (before.attempts > 0) {
            mine->attempts = (uint16_t)(before.attempts + (before.attempts < UINT16_MAX));
            tile_record_seal(mine, first + i);
        }
        if (before.failed > 0) {
            status = clear_failures(l, first + i, e);
        }
    }
    if (status == WEFT_OK) {
        status = write_records(l, first, tiles, e);
    }
    return status;
}

weft_status tile_table_add_failure(tile_table *l, const failure_row *failure, error *e)
{
    assert(thread_is_main());
    const int64_t row = l->free_row;
    if (row == NO_ROW) {
        return WEFT_OK;
    }
    l->free_row = l->next_row[row];
    l->failures[row] = *failure;
    link_row(l, bucket_of(l, failure->item), row);
    if (row >= l->failures_used) {
        l->failures_used = row + 1;
    }
    return write_failure(l, row, e);
}

const failure_row *tile_table_failures(const tile_table *l, int64_t *rows)
{
    *rows = l->failures_used;
    return l->failures;
}

int tile_table_run(const tile_table *l)
{
    return l->run;
}

bool tile_table_idle_before(const tile_table *l)
{
    return l->idle_before;
}

weft_status tile_table_put_run(tile_table *l, const run_row *row, error *e)
{
    assert(thread_is_main());
    return write_run(l, l->run, row, e);
}
