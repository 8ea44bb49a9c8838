/* SPDX-License-Identifier: BSD-3-Clause */
/* What rank 0 records of a run: tiles, failures, and the run's own row. */
#include "engine/coord/run_record.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/thread.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct run_record {
    run_record_setup setup;
    tile_table *tile_table;
    lease_table *leases;
    int64_t left;       /* items that were leased when an earlier run died, … */
    int64_t first_left; /* … from this one on */
    int64_t done;
    int64_t failed;
    int64_t begun_ns;
    run_row row;
    bool warned_impure;
};

/* What is in quarantine may kill when it is tried again, and is leased before its record says that
 * it is to do. What merely failed may not, whoever had it last. */
static weft_status lease_retries(run_record *b, error *e)
{
    weft_status status = WEFT_OK;
    for (int64_t tile = 0; tile < b->setup.job->tiles.tiles && status == WEFT_OK; tile++) {
        const tile_state state = tile_table_state(b->tile_table, tile);
        if (state > TILE_DONE) {
            status = lease_table_set(b->leases, tile, 1, state == TILE_QUARANTINED, e);
        }
    }
    return status == WEFT_OK ? lease_table_wait(b->leases, e) : status;
}

/* A tile that was leased when an earlier run died. */
static void note_left(run_record *b, int64_t tile)
{
    const tiling *tiles = &b->setup.job->tiles;
    b->first_left = b->left == 0 ? tiling_first(tiles, tile) : b->first_left;
    b->left += tiling_items(tiles, tile, 1);
}

/* Takes over what earlier runs have done, and have died of. Tiles with items to retry are not done
 * from here on, also on disk, since their bytes will be replaced before their records can be. */
static weft_status take_over(run_record *b, error *e)
{
    const tiling *tiles = &b->setup.job->tiles;
    const bool retry = b->setup.options->retry_failed;
    bool reopened = false;
    if (tile_table_created(b->tile_table)) {
        return WEFT_OK;
    }
    for (int64_t tile = 0; tile < tiles->tiles; tile++) {
        const tile_state state = tile_table_state(b->tile_table, tile);
        const bool again = retry && state > TILE_DONE;
        if (state != TILE_EMPTY && !again) {
            dispatch_set_done(b->setup.dispatch, tile);
            b->done += tiling_items(tiles, tile, 1);
            continue;
        }
        if (lease_table_holds(b->leases, tile)) {
            dispatch_set_careful(b->setup.dispatch, tile);
            if (!again) {
                note_left(b, tile);
            }
        }
        reopened = reopened || again;
    }
    b->failed = retry ? 0 : tile_table_failed(b->tile_table);
    if (!reopened) {
        return WEFT_OK;
    }
    const weft_status status = tile_table_reopen_failed(b->tile_table, e);
    store_flush(b->setup.store, b->setup.options->sync_s > 0);
    return status == WEFT_OK ? store_settle(b->setup.store, e) : status;
}

/* The time of day, as far as it has got since the run began: who sets the clock meanwhile does not
 * make the run longer, or shorter. */
static double time_s(const run_record *b, int64_t now_ns)
{
    return b->row.start + 1e-9 * (double)(now_ns - b->begun_ns);
}

static weft_status open_row(run_record *b, error *e)
{
    const placement *p = b->setup.placement;
    const char *name = technique_name(b->setup.options->technique);
    run_row *row = &b->row;
    b->begun_ns = clock_now_ns();
    efforts_begin(b->setup.efforts, b->begun_ns);
    row->start = clock_wall_s();
    row->end = row->start;
    row->ranks = p->ranks;
    row->workers = p->total_workers;
    row->hosts = p->hosts;
    row->cores = p->cores;
    run_row_set_outcome(row, WEFT_OUTCOME_RUNNING);
    memcpy(row->technique, name, strnlen(name, sizeof row->technique));
    (void)snprintf(row->host_names, sizeof row->host_names, "%s", p->host_names);
    (void)snprintf(row->command, sizeof row->command, "%s", b->setup.options->command);
    const weft_status status = tile_table_put_run(b->tile_table, row, e);
    /* What cannot be written is an error at the start, not one of the run. */
    return status == WEFT_OK ? store_settle(b->setup.store, e) : status;
}

weft_status run_record_open(const run_record_setup *setup, run_record **out, error *e)
{
    run_record *b = calloc(1, sizeof *b);
    if (b == NULL) {
        return error_memory(e, "the record of a run");
    }
    b->setup = *setup;
    b->tile_table = store_ledger(setup->store);
    b->leases = store_leases(setup->store);
    weft_status status = setup->options->retry_failed ? lease_retries(b, e) : WEFT_OK;
    if (status == WEFT_OK) {
        status = take_over(b, e);
    }
    if (status == WEFT_OK) {
        status = open_row(b, e);
    }
    if (status != WEFT_OK) {
        run_record_close(b);
        return status;
    }
    if (b->done > 0) {
        log_print(LOG_INFO, "resuming %s: %" PRId64 " of %" PRId64 " items are done",
                  setup->options->path, b->done, setup->job->items.count);
    }
    if (b->left > 0) {
        log_print(LOG_WARNING,
                  "an earlier run died with items in progress (%" PRId64 ", from item %" PRId64
                  " on): they are computed in child processes, where a crash does no harm",
                  b->left, b->first_left);
    }
    if (tile_table_damaged(b->tile_table) > 0) {
        log_print(LOG_WARNING, "%" PRId64 " tile records were torn or damaged: computed again",
                  tile_table_damaged(b->tile_table));
    }
    *out = b;
    return WEFT_OK;
}

void run_record_close(run_record *b)
{
    free(b);
}

/* A tile that was computed before must have come out the same. */
static void check_duplicate(run_record *b, int64_t tile, const tile_record *record)
{
    b->row.duplicates += tiling_items(&b->setup.job->tiles, tile, 1);
    if (!tile_table_same(b->tile_table, tile, record) && !b->warned_impure) {
        b->warned_impure = true;
        log_print(LOG_WARNING,
                  "tile %" PRId64 " was computed twice, with different results: the kernel is not "
                  "pure; see weft_map_set_pure()",
                  tile);
    }
}

/* How many records come before one of a tile that is not done; *clean: none of them has failed
 * items. */
static int64_t count_done(const tile_record records[], int64_t tiles, bool *clean)
{
    int64_t count = 0;
    uint32_t failed = 0;
    while (count < tiles && tile_record_done(&records[count])) {
        failed |= records[count].failed;
        count++;
    }
    *clean = failed == 0;
    return count;
}

static int64_t count_failed(const tile_record records[], int64_t tiles)
{
    int64_t failed = 0;
    for (int64_t i = 0; i < tiles; i++) {
        failed += records[i].failed;
    }
    return failed;
}

/* Tiles that are done, `clean` if none has failed items: those that come first are recorded, up to
 * one that was reported before. How many these are. */
static weft_status record_run(run_record *b, int64_t first, int64_t tiles, bool clean,
                              const tile_record records[], void *piece, int64_t *run, error *e)
{
    const tiling *t = &b->setup.job->tiles;
    const int64_t fresh = dispatch_report_run(b->setup.dispatch, first, tiles);
    *run = fresh;
    if (fresh == 0) {
        return WEFT_OK;
    }
    const int64_t failed = clean ? 0 : count_failed(records, fresh);
    b->row.failed += failed;
    b->failed += failed;
    b->done += tiling_items(t, first, fresh);
    b->row.items += tiling_items(t, first, fresh);
    return tile_table_put(b->tile_table, first, fresh, records, piece, e);
}

/* What a report says of failed items, for as far as its tiles have been recorded. */
static weft_status record_failures(run_record *b, const message_report *report,
                                   const bool recorded[], error *e)
{
    const tile_record *records = (const tile_record *)(report + 1);
    const failure_row *failures = (const failure_row *)(records + report->tiles);
    const int64_t grain = b->setup.job->tiles.grain;
    weft_status status = WEFT_OK;
    int64_t first = 0; /* of a run of rows to add, … */
    for (int64_t i = 0; i <= report->failures && status == WEFT_OK; i++) {
        const int64_t tile = i < report->failures ? failures[i].item / grain - report->first : -1;
        if (tile < 0 || tile >= report->tiles || !recorded[tile]) { /* … which ends before this */
            status = tile_table_add_failures(b->tile_table, failures + first, i - first, e);
            first = i + 1;
        }
    }
    return status;
}

/* Tiles and failures of a report. */
static weft_status record_report(run_record *b, const message_report *report, void *piece,
                                 bool recorded[], error *e)
{
    const tile_record *records = (const tile_record *)(report + 1);
    weft_status status = WEFT_OK;
    int64_t end = 0; /* of the run of done tiles that this one is in */
    bool clean = true;
    for (int64_t i = 0; i < report->tiles && status == WEFT_OK;) {
        end = i < end ? end : i + count_done(records + i, report->tiles - i, &clean);
        int64_t run = 0;
        if (i < end) {
            status = record_run(b, report->first + i, end - i, clean, records + i, piece, &run, e);
            if (run == 0) {
                check_duplicate(b, report->first + i, &records[i]);
            }
        }
        if (recorded != NULL) {
            memset(recorded + i, true, (size_t)run);
        }
        i += run > 0 ? run : 1;
    }
    return status == WEFT_OK && recorded != NULL ? record_failures(b, report, recorded, e) : status;
}

weft_status run_record_take(run_record *b, const message_report *report, size_t count, void *piece,
                            error *e)
{
    assert(thread_drives());
    const size_t expected = sizeof *report + (size_t)report->tiles * sizeof(tile_record) +
                            (size_t)report->failures * sizeof(failure_row);
    if (count != expected) {
        return error_set(e, WEFT_ERR_INTERNAL, "a report of the wrong size");
    }
    bool *recorded = report->failures > 0 ? calloc((size_t)report->tiles + 1, 1) : NULL;
    if (report->failures > 0 && recorded == NULL) {
        return error_memory(e, "a report of failed items");
    }
    const weft_status status = record_report(b, report, piece, recorded, e);
    free(recorded);
    return status;
}

void run_record_lose(run_record *b, int rank, int64_t tiles)
{
    const tiling *t = &b->setup.job->tiles;
    b->row.lost++;
    b->row.lost_rank = rank;
    b->row.lost_at = time_s(b, clock_now_ns());
    b->row.lost_items += tiles * t->grain < t->count ? tiles * t->grain : t->count;
}

static void put_efforts(run_row *row, const efforts_sum *sum, weft_outcome outcome)
{
    const bool running = outcome == WEFT_OUTCOME_RUNNING;
    row->busy = sum->busy_s;
    row->cpu = sum->cpu_s;
    row->wait = sum->wait_s;
    row->computing = sum->state_s[WEFT_COMPUTING];
    row->disk = sum->state_s[WEFT_WAITING_FOR_DISK];
    row->work = sum->state_s[WEFT_WAITING_FOR_WORK];
    row->elsewhere = sum->state_s[WEFT_ELSEWHERE];
    row->computing_now = running ? sum->workers[WEFT_COMPUTING] : 0;
    row->disk_now = running ? sum->workers[WEFT_WAITING_FOR_DISK] : 0;
    row->work_now = running ? sum->workers[WEFT_WAITING_FOR_WORK] : 0;
    row->elsewhere_now = running ? sum->workers[WEFT_ELSEWHERE] : 0;
}

static weft_status put_row(run_record *b, weft_outcome outcome, error *e)
{
    const int64_t now_ns = clock_now_ns();
    const efforts_sum sum = efforts_sum_up(b->setup.efforts, now_ns);
    b->row.end = time_s(b, now_ns);
    put_efforts(&b->row, &sum, outcome);
    run_row_set_outcome(&b->row, outcome);
    return tile_table_put_run(b->tile_table, &b->row, e);
}

weft_status run_record_update(run_record *b, error *e)
{
    assert(thread_drives());
    return put_row(b, WEFT_OUTCOME_RUNNING, e);
}

/* A tile that has perhaps killed a process stays leased until it is done; all others are free. */
static weft_status free_leases(run_record *b, error *e)
{
    const int64_t tiles = b->setup.job->tiles.tiles;
    weft_status status = WEFT_OK;
    for (int64_t tile = 0; tile < tiles && status == WEFT_OK;) {
        int64_t end = dispatch_next_careful(b->setup.dispatch, tile, tiles);
        while (end < tiles && tile_table_state(b->tile_table, end) != TILE_EMPTY) {
            end = dispatch_next_careful(b->setup.dispatch, end + 1, tiles);
        }
        status = lease_table_set(b->leases, tile, end - tile, false, e);
        tile = end + 1;
    }
    return status;
}

/* A job that has itself started again as long as it is stopped may never get anywhere. */
static void warn_of_standstill(const run_record *b, weft_status why)
{
    if (why == WEFT_STOPPED && b->row.items == 0 && tile_table_idle_before(b->tile_table)) {
        log_print(LOG_WARNING, "neither this run nor the one before has computed anything: with as "
                               "much time this job never gets anywhere; give it more, or "
                               "smaller tiles (--grain, with --fresh)");
    }
}

weft_status run_record_end(run_record *b, weft_status why, error *e)
{
    assert(thread_drives());
    warn_of_standstill(b, why);
    weft_status status = put_row(b, outcome_of(why), e);
    if (status == WEFT_OK) {
        status = free_leases(b, e);
    }
    store_flush(b->setup.store, b->setup.options->sync_s > 0);
    return status;
}

int64_t run_record_done(const run_record *b)
{
    return b->done;
}

int64_t run_record_failed(const run_record *b)
{
    return b->failed;
}

void run_record_sum_up(const run_record *b, progress_summary *summary)
{
    const run_row *row = &b->row;
    summary->done = b->done;
    summary->failed = b->failed;
    summary->duplicates = b->row.duplicates;
    summary->lost = b->row.lost;
    summary->lost_items = b->row.lost_items;
    summary->busy_s = row->busy;
    summary->worst_s = efforts_sum_up(b->setup.efforts, b->begun_ns).worst_s;
    summary->wait_s = row->wait;
    summary->state_s[WEFT_COMPUTING] = row->computing;
    summary->state_s[WEFT_WAITING_FOR_DISK] = row->disk;
    summary->state_s[WEFT_WAITING_FOR_WORK] = row->work;
    summary->state_s[WEFT_ELSEWHERE] = row->elsewhere;
}
