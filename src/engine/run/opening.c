/* SPDX-License-Identifier: BSD-3-Clause */
/* The opening of a run's result: rank 0 opens or makes the file, and tells the others of it. */
#include "engine/run/opening.h"

#include "base/clock.h"
#include "base/log.h"
#include "engine/coord/progress.h"
#include "engine/run/run.h"
#include "space/divide.h"
#include "store/format/record.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

static int compare_items(const void *a, const void *b)
{
    const int64_t x = ((const retry_item *)a)->item;
    const int64_t y = ((const retry_item *)b)->item;
    return (x > y) - (x < y);
}

/* Rank 0: the items to retry, of those tiles whose failures are all in the table. Of other tiles
 * everything is computed again. Of tiles that count as done only if `all` is to be retried; others
 * with failures are what an earlier run has begun to retry. */
static weft_status list_retries(tile_table *l, const tiling *tiles, bool all, retry_item **items,
                                int64_t *count, error *e)
{
    int64_t rows = 0;
    const failure_row *row = tile_table_failures(l, &rows);
    retry_item *list = malloc((size_t)(rows + 1) * sizeof *list);
    if (list == NULL) {
        return error_memory(e, "%lld failed items", (long long)rows);
    }
    int64_t used = 0;
    for (int64_t i = 0; i < rows; i++) {
        const int64_t item = row[i].item;
        if (row[i].code != 0 && item >= 0 && item < tiles->count) {
            const tile_past *past = tile_table_past(l, item / tiles->grain);
            if (past != NULL && (all || past->state == TILE_EMPTY)) {
                list[used++] = (retry_item){.item = item, .checksum = past->checksum};
            }
        }
    }
    qsort(list, (size_t)used, sizeof *list, compare_items);
    int64_t kept = 0;
    for (int64_t i = 0; i < used;) {
        const int64_t tile = list[i].item / tiles->grain;
        int64_t n = 0;
        while (i + n < used && list[i + n].item / tiles->grain == tile) {
            n++;
        }
        if (n == tile_table_past(l, tile)->failed) {
            memmove(list + kept, list + i, (size_t)n * sizeof *list);
            kept += n;
        }
        i += n;
    }
    *items = list;
    *count = kept;
    return WEFT_OK;
}

static void warn_of_many_tiles(const job *j)
{
    const int64_t tiles = j->tiles.tiles;
    if (tiles > TILING_MOST_TILES) {
        log_print(LOG_WARNING,
                  "--grain %" PRId64 " makes %" PRId64 " tiles: their records alone take %.1f GB "
                  "of the file; without --grain, or with %" PRId64
                  " and more, there are a million at most",
                  j->tiles.grain, tiles, 1e-9 * (double)sizeof(tile_record) * (double)tiles,
                  divide_up(j->tiles.count, TILING_MOST_TILES));
    }
}

/* Opens the file on rank 0, unless it is open, and the map in it. */
static weft_status open_map(job *j, const run_options *options, store **s, error *e)
{
    const store_policy policy = {.fresh = options->fresh,
                                 .later = options->later,
                                 .sync = options->sync_s > 0,
                                 .adopt_grain = options->grain == 0};
    weft_status status = WEFT_OK;
    if (options->file->open == NULL) {
        status = store_file_open(options->path, options->maps, options->jobs, policy,
                                 &options->file->open, e);
    }
    return status == WEFT_OK ? store_open(options->file->open, j, policy, s, e) : status;
}

/* Rank 0 says that there is nothing to do, as the coordinator would. */
static void tell_complete(const job *j, const run_options *options, int64_t failed)
{
    progress p;
    const progress_summary summary = {.status = failed > 0 ? WEFT_ITEMS_FAILED : WEFT_OK,
                                      .done = j->items.count,
                                      .failed = failed};
    progress_begin(&p, options, j->name, j->items.count, j->items.count);
    progress_end(&p, &summary, clock_now_ns());
}

/* Tiles are about to change: on disk, too, no value is there before they do. */
static weft_status forget_values(store *s, const job *j, bool sync, error *e)
{
    if (j->reductions == 0) {
        return WEFT_OK;
    }
    const weft_status status = store_forget_values(s, e);
    return status == WEFT_OK && sync ? store_sync(s, e) : status;
}

/* Opens the result on rank 0. */
static weft_status open_first(job *j, const run_options *options, store **s, opening *o,
                              retry_item **retry, error *e)
{
    weft_status status = open_map(j, options, s, e);
    if (status != WEFT_OK) {
        return status;
    }
    const tile_table *tiles = store_ledger(*s);
    const int64_t failed = tile_table_failed(tiles);
    o->layout = *store_layout(*s);
    o->grain = j->tiles.grain;
    o->run = tile_table_run(tiles);
    o->failed = failed;
    o->complete = tile_table_complete(tiles) && (failed == 0 || !options->retry_failed);
    if (options->deadline_ns != 0) {
        const int64_t left_ns = options->deadline_ns - clock_now_ns();
        o->left_ns = left_ns > 1 ? left_ns : 1;
    }
    if (o->complete) {
        tell_complete(j, options, failed);
        return WEFT_OK;
    }
    if (!tile_table_created(tiles)) {
        status = forget_values(*s, j, options->sync_s > 0, e);
    }
    return status != WEFT_OK ? status
                             : list_retries(store_ledger(*s), &j->tiles, options->retry_failed,
                                            retry, &o->retry_count, e);
}

weft_status opening_on_other(job *j, const run_options *options, const opening *o, store **s,
                             retry_item **retry, error *e)
{
    weft_status status = job_settle(j, j->seed, o->grain, e);
    if (status == WEFT_OK) {
        status = store_attach(options->path, j, &o->layout, s, e);
    }
    if (status == WEFT_OK) {
        *retry = calloc((size_t)o->retry_count + 1, sizeof **retry);
        if (*retry == NULL) {
            status = error_memory(e, "%lld failed items", (long long)o->retry_count);
        }
    }
    return status;
}

weft_status opening_on_first(comm *c, job *j, const run_options *options, store **s, opening *o,
                             retry_item **retry, error *e)
{
    error failure = {.status = WEFT_OK};
    memset(o, 0, sizeof *o);
    if (comm_rank(c) == 0) {
        warn_of_many_tiles(j);
        o->status = open_first(j, options, s, o, retry, e);
    }
    if (o->status != WEFT_OK && !options->file->made) {
        run_close_file(options->file);
    }
    const weft_status own = o->status;
    const weft_status status = comm_broadcast(c, 0, o, sizeof *o, &failure);
    if (status != WEFT_OK && own == WEFT_OK) {
        *e = failure;
        return status;
    }
    return o->status == WEFT_OK ? WEFT_OK : comm_agree(c, own, e);
}
