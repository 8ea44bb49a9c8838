/* SPDX-License-Identifier: BSD-3-Clause */
/* Tests what rank 0 records of a run, in the file of the store's sample job: no rank, no team. */
#include "store/sample_result.h"

#include "base/clock.h"
#include "engine/coord/run_record.h"
#include "host/usage.h"

enum { RANKS = 2 };

static int threads[RANKS] = {2, 2};

typedef struct scene {
    job *job;
    store *store;
    dispatch *dispatch;
    efforts *efforts;
    run_record *record;
    placement placement;
    run_options options;
} scene;

/* A run on the file, which is made if there is none. */
static void begin_job(scene *s, job *j, const char *name, bool retry)
{
    error e = {.status = WEFT_OK};
    *s = (scene){.placement = {.ranks = RANKS,
                               .hosts = 1,
                               .total_workers = 4,
                               .cores = 4,
                               .threads = threads},
                 .options = {.command = "a b", .path = sample_path(name), .retry_failed = retry}};
    s->job = j;
    assert_int_equal(
        open_alone(sample_path(name), s->job, (store_policy){.fresh = false}, &s->store, &e),
        WEFT_OK);
    const dispatch_setup deal = {.tiles = s->job->tiles.tiles, .ranks = RANKS, .pure = true};
    assert_int_equal(dispatch_create(&deal, &s->dispatch, &e), WEFT_OK);
    assert_int_equal(efforts_create(RANKS, threads, &s->efforts, &e), WEFT_OK);
    const run_record_setup setup = {.job = s->job,
                                    .store = s->store,
                                    .placement = &s->placement,
                                    .dispatch = s->dispatch,
                                    .efforts = s->efforts,
                                    .options = &s->options};
    assert_int_equal(run_record_open(&setup, &s->record, &e), WEFT_OK);
    assert_int_equal(dispatch_start(s->dispatch, &e), WEFT_OK);
}

static void begin(scene *s, const char *name, bool retry)
{
    begin_job(s, sample_job(SAMPLE_ROWS, SAMPLE_COLUMNS, 4), name, retry);
}

static void end(scene *s, weft_status why)
{
    error e = {.status = WEFT_OK};
    assert_int_equal(run_record_end(s->record, why, &e), WEFT_OK);
    assert_int_equal(store_settle(s->store, &e), WEFT_OK);
    run_record_close(s->record);
    run_record_close(NULL);
    efforts_destroy(s->efforts);
    dispatch_destroy(s->dispatch);
    store_close(s->store);
    job_destroy(s->job);
}

/* A report of `tiles` tiles, each of which has `failed` failed items. */
static weft_status report(scene *s, int64_t first, int64_t tiles, uint32_t failed, size_t more)
{
    error e = {.status = WEFT_OK};
    const size_t bytes = sizeof(message_report) + (size_t)tiles * sizeof(tile_record);
    message_report *head = malloc(bytes);
    assert_non_null(head);
    *head = (message_report){.kind = MESSAGE_REPORT,
                             .first = first,
                             .tiles = tiles,
                             .effort = {.busy_ns = 3000000000, .worst_ns = 2000000000}};
    tile_record *record = (tile_record *)(head + 1);
    for (int64_t i = 0; i < tiles; i++) {
        record[i] = (tile_record){.state = failed > 0 ? TILE_DONE_WITH_FAILURES : TILE_DONE,
                                  .attempts = 1,
                                  .failed = failed,
                                  .run = tile_table_run(store_ledger(s->store)),
                                  .checksum = 7};
        tile_record_seal(&record[i], first + i);
    }
    efforts_hear(s->efforts, 1, head, dispatch_undone(s->dispatch), clock_now_ns());
    const weft_status status = run_record_take(s->record, head, bytes + more, NULL, &e);
    free(head);
    return status;
}

static progress_summary sum_up(const scene *s)
{
    progress_summary summary = {.status = WEFT_OK};
    error e = {.status = WEFT_OK};
    assert_int_equal(run_record_update(s->record, &e), WEFT_OK);
    run_record_sum_up(s->record, &summary);
    return summary;
}

/* Each tile counts once, whoever reports it again. */
static void test_tiles_count_once(void **state)
{
    (void)state;
    scene s;
    begin(&s, "once.h5", false);
    assert_int_equal(run_record_done(s.record), 0);
    assert_int_equal(report(&s, 0, 3, 0, 0), WEFT_OK);
    assert_int_equal(run_record_done(s.record), tiling_items(&s.job->tiles, 0, 3));
    assert_int_equal(report(&s, 1, 3, 0, 0), WEFT_OK);
    assert_int_equal(run_record_done(s.record), tiling_items(&s.job->tiles, 0, 4));
    const progress_summary summary = sum_up(&s);
    assert_int_equal(summary.duplicates, tiling_items(&s.job->tiles, 1, 2));
    assert_int_equal(summary.done, run_record_done(s.record));
    /* Of a rank the newest effort counts. */
    assert_true(summary.busy_s > 2.9 && summary.busy_s < 3.1);
    assert_true(summary.worst_s > 1.9 && summary.worst_s < 2.1);
    end(&s, WEFT_STOPPED);
}

/* What a report costs grows with its tiles, also where all of them were reported before: with a
 * look at all that follow for each of them this one took seconds of rank 0's time. */
static void test_duplicates_cost_what_tiles_do(void **state)
{
    (void)state;
    enum { TILES = 50000 };
    scene s;
    begin_job(&s, sample_job(1, TILES, 1), "duplicates.h5", false);
    assert_int_equal(s.job->tiles.tiles, TILES);
    const int64_t start_ns = usage_cpu_ns();
    assert_int_equal(report(&s, 0, TILES, 0, 0), WEFT_OK);
    const int64_t first_ns = usage_cpu_ns() - start_ns;
    assert_int_equal(report(&s, 0, TILES, 0, 0), WEFT_OK);
    const int64_t again_ns = usage_cpu_ns() - start_ns - first_ns;
    assert_int_equal(run_record_done(s.record), TILES);
    assert_int_equal(sum_up(&s).duplicates, TILES);
    assert_true(again_ns < 10 * first_ns + 20000000);
    end(&s, WEFT_STOPPED);
}

static void test_a_report_of_the_wrong_size(void **state)
{
    (void)state;
    scene s;
    begin(&s, "size.h5", false);
    assert_int_equal(report(&s, 0, 1, 0, 8), WEFT_ERR_INTERNAL);
    assert_int_equal(run_record_done(s.record), 0);
    end(&s, WEFT_STOPPED);
}

/* The next run goes on where this one was, and tries again what failed only if it is to. */
static void test_the_next_run(void **state)
{
    (void)state;
    scene s;
    begin(&s, "next.h5", false);
    const int64_t tiles = s.job->tiles.tiles;
    assert_int_equal(report(&s, 0, 2, 0, 0), WEFT_OK);
    assert_int_equal(report(&s, 2, 1, 1, 0), WEFT_OK);
    assert_int_equal(run_record_failed(s.record), 1);
    end(&s, WEFT_STOPPED);
    begin(&s, "next.h5", false);
    assert_int_equal(run_record_done(s.record), tiling_items(&s.job->tiles, 0, 3));
    assert_int_equal(run_record_failed(s.record), 1);
    assert_int_equal(dispatch_undone(s.dispatch), tiles - 3);
    end(&s, WEFT_STOPPED);
    begin(&s, "next.h5", true);
    assert_int_equal(run_record_done(s.record), tiling_items(&s.job->tiles, 0, 2));
    assert_int_equal(run_record_failed(s.record), 0);
    assert_int_equal(dispatch_undone(s.dispatch), tiles - 2);
    end(&s, WEFT_STOPPED);
}

/* What a run had leased when it died is handed out as careful, and what it had done is not. */
static void test_leases_of_a_run_that_died(void **state)
{
    (void)state;
    error e = {.status = WEFT_OK};
    scene s;
    begin(&s, "died.h5", false);
    assert_int_equal(lease_table_set(store_leases(s.store), 0, 3, true, &e), WEFT_OK);
    assert_int_equal(report(&s, 0, 1, 0, 0), WEFT_OK);
    dispatch_set_careful(s.dispatch, 2);
    end(&s, WEFT_STOPPED);
    begin(&s, "died.h5", false);
    /* At a good end only the careful ones stay leased. */
    assert_false(dispatch_next_careful(s.dispatch, 0, 1) == 0 ||
                 dispatch_next_careful(s.dispatch, 1, 2) == 1);
    assert_true(dispatch_next_careful(s.dispatch, 2, 3) == 2);
    end(&s, WEFT_STOPPED);
}

static void test_lost_ranks(void **state)
{
    (void)state;
    scene s;
    begin(&s, "lost.h5", false);
    run_record_lose(s.record, 1, 2);
    run_record_lose(s.record, 0, 1 << 20);
    const progress_summary summary = sum_up(&s);
    assert_int_equal(summary.lost, 2);
    assert_int_equal(summary.lost_items, 2 * s.job->tiles.grain + s.job->items.count);
    end(&s, WEFT_STOPPED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_tiles_count_once),
        cmocka_unit_test(test_duplicates_cost_what_tiles_do),
        cmocka_unit_test(test_a_report_of_the_wrong_size),
        cmocka_unit_test(test_the_next_run),
        cmocka_unit_test(test_leases_of_a_run_that_died),
        cmocka_unit_test(test_lost_ranks),
    };
    return cmocka_run_group_tests(tests, sample_make_folder, sample_remove_folder);
}
