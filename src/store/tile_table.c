/* SPDX-License-Identifier: BSD-3-Clause */
/* The tables of a map on rank 0: tile records, failures and runs. */
#define _GNU_SOURCE 1
#include "store/tile_table.h"

#include "base/array.h"
#include "base/pages.h"
#include "base/pool.h"
#include "base/thread.h"
#include "store/io/bytes.h"

#include <assert.h>
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
    unsigned char *memory; /* of the next two */
    uint32_t *sum;         /* per tile: the low bits of its checksum */
    unsigned char *state;  /* per tile: a tile_state, with HAS_ROWS if it is not done and an
                              earlier failure has a row, and HAS_PAST if it is among … */
    tile_past *past;       /* … these, in ascending order */
    int64_t past_count;
    int64_t past_room;
    int64_t done; /* tiles, when the file was opened */
    int64_t failed;
    int64_t damaged;
    bool created;
    failure_row *failures; /* and in the same piece of memory next_row and bucket */
    int64_t failures_used; /* the rows behind have never been used: so as not to touch them … */
    /* … a link to a row is its number and one, or nothing. Every other row is in one list: of those
     * that are free again, or of a bucket of tiles. */
    int64_t *next_row;
    int64_t free_row;
    int64_t *bucket;
    int64_t buckets; /* a power of two */
    int run;
    bool idle_before;
};

enum { NO_LINK = 0, HAS_ROWS = 0x40, HAS_PAST = 0x80, READ_RECORDS = 4096 };

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
    *list = row + 1;
}

static weft_status write_run(tile_table *l, int number, const run_row *row, error *e)
{
    const int64_t offset = l->layout.runs_offset + number * (int64_t)sizeof *row;
    return backlog_write(l->backlog, offset, row, sizeof *row, e);
}

static weft_status write_failures(tile_table *l, const failure_row *first, const failure_row *end,
                                  error *e)
{
    if (first == end) {
        return WEFT_OK;
    }
    const int64_t before = (first - l->failures) * (int64_t)sizeof *first;
    return backlog_write(l->backlog, l->layout.failures_offset + before, first,
                         (size_t)(end - first) * sizeof *first, e);
}

static weft_status free_row(tile_table *l, int64_t row, error *e)
{
    link_row(l, &l->free_row, row);
    memset(&l->failures[row], 0, sizeof l->failures[row]);
    return write_failures(l, &l->failures[row], &l->failures[row + 1], e);
}

/* Puts a row that is in use into the list of its tile. Where the tile is not done, its record was
 * damaged or says so, the row is freed once it is. Nobody else would ever free the row of a tile
 * without failed items, or of an item that does not exist. */
static weft_status list_row(tile_table *l, int64_t row, error *e)
{
    const tiling *t = &l->job->tiles;
    const int64_t item = l->failures[row].item;
    if (item < 0 || item >= t->count || tile_table_state(l, item / t->grain) == TILE_DONE) {
        return free_row(l, row, e);
    }
    const int64_t tile = item / t->grain;
    l->state[tile] |= tile_table_state(l, tile) == TILE_EMPTY ? HAS_ROWS : 0;
    link_row(l, bucket_of(l, item), row);
    return WEFT_OK;
}

/* The first free row comes first. */
static weft_status list_rows(tile_table *l, error *e)
{
    weft_status status = WEFT_OK;
    for (int64_t row = l->failures_used - 1; row >= 0 && status == WEFT_OK; row--) {
        if (l->failures[row].code == 0) {
            link_row(l, &l->free_row, row);
        } else {
            status = list_row(l, row, e);
        }
    }
    return status;
}

static void find_end_of_failures(tile_table *l)
{
    for (int64_t row = 0; row < l->layout.failure_rows; row++) {
        if (l->failures[row].code != 0) {
            l->failures_used = row + 1;
        }
    }
}

/* What a sound record says is remembered; false if there is no memory for it. */
static bool note_record(tile_table *l, int64_t tile, const tile_record *record)
{
    l->sum[tile] = (uint32_t)record->checksum;
    l->state[tile] = record->state;
    l->done += tile_record_done(record);
    if (record->attempts == 0 || (tile_record_done(record) && record->failed == 0)) {
        return true;
    }
    if (!ARRAY_RESERVE(l->past, l->past_room, l->past_count + 1)) {
        return false;
    }
    l->past[l->past_count++] = (tile_past){.tile = tile,
                                           .checksum = record->checksum,
                                           .failed = record->failed,
                                           .attempts = record->attempts,
                                           .state = record->state};
    l->failed += tile_record_done(record) ? record->failed : 0;
    l->state[tile] |= HAS_PAST;
    return true;
}

/* Damaged records are empty ones. */
static weft_status note_records(tile_table *l, int64_t first, int64_t tiles,
                                const tile_record records[], recount *killed, error *e)
{
    for (int64_t i = 0; i < tiles; i++) {
        if (!tile_record_sound(&records[i], first + i)) {
            l->damaged++;
            continue;
        }
        if (!note_record(l, first + i, &records[i])) {
            return error_memory(e, "the failed items of %s", l->path);
        }
        if (killed->row != NULL) {
            recount_add(killed, &l->job->tiles, first + i, &records[i]);
        }
    }
    return WEFT_OK;
}

/* Looks at all tile records, a part of them at a time. */
static weft_status scan_records(tile_table *l, int fd, recount *killed, error *e)
{
    const int64_t all = l->job->tiles.tiles;
    tile_record *records = malloc(READ_RECORDS * sizeof *records);
    weft_status status =
        records != NULL ? WEFT_OK : error_memory(e, "the tile records of %s", l->path);
    for (int64_t first = 0; first < all && status == WEFT_OK; first += READ_RECORDS) {
        const int64_t tiles = all - first < READ_RECORDS ? all - first : READ_RECORDS;
        status = bytes_read(fd, l->path, records, (size_t)tiles * sizeof *records,
                            l->layout.tiles_offset + first * (int64_t)sizeof *records, e);
        if (status == WEFT_OK) {
            status = note_records(l, first, tiles, records, killed, e);
        }
    }
    free(records);
    return status;
}

/* Whether no tile has failed items. Once a run has ended so, there is no row of failures. */
static bool all_good(const tile_table *l)
{
    return l->done == l->job->tiles.tiles && l->past_count == 0;
}

static weft_status load_failures(tile_table *l, int fd, error *e)
{
    weft_status status = failures_read(fd, l->path, &l->layout, l->failures, e);
    if (status == WEFT_OK) {
        find_end_of_failures(l);
        status = list_rows(l, e);
    }
    return status;
}

/* Takes stock of what earlier runs have done. A run that was killed could not close its row; the
 * tile records know what it had done. */
static weft_status take_stock(tile_table *l, int fd, tables *t, error *e)
{
    const int number = tables_last_run(t, l->layout.map);
    run_row *last = number >= 0 ? &t->run[number] : NULL;
    recount killed = {.row = NULL};
    if (last != NULL && run_row_outcome(last) == WEFT_OUTCOME_RUNNING) {
        killed = recount_begin(last, number);
    }
    weft_status status = scan_records(l, fd, &killed, e);
    const bool complete = last != NULL && run_row_outcome(last) == WEFT_OUTCOME_COMPLETE;
    if (status == WEFT_OK && !(complete && all_good(l))) {
        status = load_failures(l, fd, e);
    }
    if (status != WEFT_OK) {
        return status;
    }
    if (killed.row != NULL) {
        recount_end(&killed);
    }
    const bool changed = tables_settle_runs(t, l->layout.map, &l->job->tiles, false);
    l->idle_before =
        last != NULL && last->items == 0 && run_row_outcome(last) == WEFT_OUTCOME_STOPPED;
    return changed ? write_run(l, number, last, e) : WEFT_OK;
}

static size_t memory_bytes(const tile_table *l)
{
    return ((size_t)l->job->tiles.tiles + 1) * (sizeof *l->sum + sizeof *l->state);
}

/* Zeroed; NULL: out of memory. */
static void *map(size_t bytes)
{
    const int protection = PROT_READ | PROT_WRITE;
    /* cppcheck-suppress invalidFunctionArg ; no file belongs to anonymous memory */
    void *memory = mmap(NULL, bytes, protection, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    /* cppcheck-suppress memleak ; the caller has it */
    return memory == MAP_FAILED ? NULL : memory;
}

static bool allocate_tiles(tile_table *l)
{
    void *memory = pages_create(memory_bytes(l));
    if (memory == NULL) {
        return false;
    }
    l->memory = memory;
    l->sum = memory;
    l->state = l->memory + ((size_t)l->job->tiles.tiles + 1) * sizeof *l->sum;
    return true;
}

static size_t failures_bytes(const tile_table *l)
{
    const size_t rows = (size_t)l->layout.failure_rows + 1;
    return rows * (sizeof *l->failures + sizeof *l->next_row) +
           (size_t)l->buckets * sizeof *l->bucket;
}

/* Few maps fail: what is not used costs addresses. */
static bool allocate_failures(tile_table *l)
{
    const size_t rows = (size_t)l->layout.failure_rows + 1;
    l->buckets = 1;
    while (l->buckets < l->layout.failure_rows) {
        l->buckets *= 2;
    }
    l->failures = map(failures_bytes(l));
    if (l->failures == NULL) {
        return false;
    }
    l->next_row = (int64_t *)(void *)(l->failures + rows);
    l->bucket = l->next_row + rows;
    return true;
}

/* Takes over what earlier runs have left. */
static weft_status load(tile_table *l, error *e)
{
    tables t = {.run = calloc((size_t)l->layout.run_rows + 1, sizeof *t.run)};
    int fd = -1;
    weft_status status =
        t.run == NULL ? error_memory(e, "the runs of %s", l->path) : bytes_open(l->path, &fd, e);
    if (status == WEFT_OK) {
        status = tables_read(fd, l->path, &l->layout, &l->job->tiles, &t, e);
    }
    l->run = tables_new_run(&t, l->layout.map);
    if (status == WEFT_OK && !l->created) {
        status = take_stock(l, fd, &t, e);
    }
    if (fd >= 0) {
        (void)close(fd);
    }
    free(t.run);
    return status;
}

weft_status tile_table_open(backlog *b, const char *path, tile_table_news created, const job *j,
                            const metadata_layout *layout, tile_table **out, error *e)
{
    tile_table *l = calloc(1, sizeof *l);
    if (l == NULL) {
        return error_memory(e, "the tables of %s", path);
    }
    *l = (tile_table){
        .backlog = b, .path = path, .job = j, .layout = *layout, .created = created != NEWS_NONE};
    if (!allocate_failures(l) || !allocate_tiles(l)) {
        tile_table_close(l);
        return error_memory(e, "the tables of %s", path);
    }
    const weft_status status = created == NEWS_FILE ? WEFT_OK : load(l, e);
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
        pages_destroy(l->memory, memory_bytes(l));
        free(l->past);
        if (l->failures != NULL) {
            (void)munmap(l->failures, failures_bytes(l));
        }
        free(l);
    }
}

int64_t tile_table_damaged(const tile_table *l)
{
    return l->damaged;
}

bool tile_table_created(const tile_table *l)
{
    return l->created;
}

bool tile_table_complete(const tile_table *l)
{
    return !l->created && l->done == l->job->tiles.tiles;
}

tile_state tile_table_state(const tile_table *l, int64_t tile)
{
    return (tile_state)(l->state[tile] & ~(HAS_ROWS | HAS_PAST));
}

bool tile_table_same(const tile_table *l, int64_t tile, const tile_record *record)
{
    return l->sum[tile] == (uint32_t)record->checksum;
}

int64_t tile_table_failed(const tile_table *l)
{
    return l->failed;
}

static int compare_tiles(const void *tile, const void *past)
{
    const int64_t a = *(const int64_t *)tile;
    const int64_t b = ((const tile_past *)past)->tile;
    return (a > b) - (a < b);
}

const tile_past *tile_table_past(const tile_table *l, int64_t tile)
{
    return (l->state[tile] & HAS_PAST) == 0
               ? NULL
               : bsearch(&tile, l->past, (size_t)l->past_count, sizeof *l->past, compare_tiles);
}

/* Frees the rows of a tile. */
static weft_status clear_failures(tile_table *l, int64_t tile, error *e)
{
    const int64_t first = tiling_first(&l->job->tiles, tile);
    const int64_t end = first + tiling_items(&l->job->tiles, tile, 1);
    weft_status status = WEFT_OK;
    int64_t *link = bucket_of(l, first);
    while (*link != NO_LINK && status == WEFT_OK) {
        const int64_t row = *link - 1;
        if (l->failures[row].item < first || l->failures[row].item >= end) {
            link = &l->next_row[row];
            continue;
        }
        *link = l->next_row[row];
        status = free_row(l, row, e);
    }
    return status;
}

static weft_status write_records(tile_table *l, int64_t first, int64_t tiles,
                                 const tile_record records[], void *piece, error *e)
{
    const int64_t offset = l->layout.tiles_offset + first * (int64_t)sizeof *records;
    const size_t bytes = (size_t)tiles * sizeof *records;
    if (piece == NULL) {
        return backlog_write(l->backlog, offset, records, bytes, e);
    }
    pool_share(piece);
    const weft_status status =
        backlog_write_kept(l->backlog, offset, records, bytes, pool_give, piece, e);
    if (status != WEFT_OK) {
        pool_give(piece);
    }
    return status;
}

weft_status tile_table_reopen_failed(tile_table *l, error *e)
{
    weft_status status = WEFT_OK;
    for (int64_t i = 0; i < l->past_count && status == WEFT_OK; i++) {
        const tile_past *past = &l->past[i];
        if (past->state != TILE_EMPTY) {
            tile_record record = {.state = TILE_EMPTY,
                                  .attempts = past->attempts,
                                  .failed = past->failed,
                                  .checksum = past->checksum};
            tile_record_seal(&record, past->tile);
            l->state[past->tile] = TILE_EMPTY | HAS_PAST;
            status = write_records(l, past->tile, 1, &record, NULL, e);
        }
    }
    return status;
}

/* A tile that was computed before: its earlier failures go, and only then its record comes, which
 * counts the attempts. The other way round a run that is killed in between leaves rows for ever. */
static weft_status replace(tile_table *l, int64_t tile, const tile_record *record, error *e)
{
    const tile_past *past = tile_table_past(l, tile);
    tile_record counted = *record;
    if (past != NULL) {
        counted.attempts = (uint16_t)(past->attempts + (past->attempts < UINT16_MAX));
        tile_record_seal(&counted, tile);
    }
    const weft_status status = clear_failures(l, tile, e);
    return status == WEFT_OK ? write_records(l, tile, 1, &counted, NULL, e) : status;
}

/* How many tiles come before one that may have rows of failures. */
static int64_t count_clean(const unsigned char state[], int64_t tiles)
{
    int64_t count = 0;
    while (count < tiles && state[count] <= TILE_DONE) {
        count++;
    }
    return count;
}

weft_status tile_table_put(tile_table *l, int64_t first, int64_t tiles, const tile_record records[],
                           void *piece, error *e)
{
    assert(thread_drives());
    weft_status status = WEFT_OK;
    unsigned char *state = l->state + first;
    uint32_t *sum = l->sum + first;
    for (int64_t i = 0; i < tiles && status == WEFT_OK;) {
        const int64_t clean = count_clean(state + i, tiles - i);
        status = clean > 0 ? write_records(l, first + i, clean, records + i, piece, e)
                           : replace(l, first + i, &records[i], e);
        i += clean > 0 ? clean : 1;
    }
    for (int64_t i = 0; i < tiles; i++) {
        state[i] = (unsigned char)(records[i].state | (state[i] & HAS_PAST));
        sum[i] = (uint32_t)records[i].checksum;
    }
    return status;
}

/* A row that is not in use; NULL: the table is full. */
static failure_row *take_row(tile_table *l)
{
    int64_t row = l->failures_used;
    if (l->free_row != NO_LINK) {
        row = l->free_row - 1;
        l->free_row = l->next_row[row];
    } else if (row == l->layout.failure_rows) {
        return NULL;
    } else {
        l->failures_used++;
    }
    return &l->failures[row];
}

weft_status tile_table_add_failures(tile_table *l, const failure_row rows[], int64_t count,
                                    error *e)
{
    assert(thread_drives());
    weft_status status = WEFT_OK;
    failure_row *first = NULL; /* of those that lie one behind the other, … */
    failure_row *end = NULL;   /* … up to this one, and are still to be written */
    for (int64_t i = 0; i < count && status == WEFT_OK; i++) {
        failure_row *row = take_row(l);
        if (row == NULL) {
            break;
        }
        if (row != end) {
            status = write_failures(l, first, end, e);
            first = row;
        }
        *row = rows[i];
        link_row(l, bucket_of(l, row->item), row - l->failures);
        end = row + 1;
    }
    return status == WEFT_OK ? write_failures(l, first, end, e) : status;
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
    assert(thread_drives());
    run_row mine = *row;
    mine.map = (uint8_t)l->layout.map;
    return write_run(l, l->run, &mine, e);
}
