/* SPDX-License-Identifier: BSD-3-Clause */
/* Tests predictions from files whose every time is known. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "plan/evidence.h"
#include "sched/technique.h"
#include "store/open.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <weft/plan.h>

enum { TILES = 400 };

static char path[300];

static int make_folder(void **state)
{
    (void)state;
    const char *base = getenv("TMPDIR");
    (void)snprintf(path, sizeof path, "%.200s/weft-plan-XXXXXX", base == NULL ? "." : base);
    if (mkdtemp(path) == NULL) {
        return -1;
    }
    strcat(path, "/plan.h5");
    return 0;
}

static int remove_folder(void **state)
{
    (void)state;
    (void)unlink(path);
    *strrchr(path, '/') = '\0';
    return rmdir(path);
}

/* Ten milliseconds, twice as long in the second half. */
static double seconds_of(int64_t tile)
{
    return tile < TILES / 2 ? 0.01 : 0.02;
}

/* A file in which the run has computed the tiles up to `done`, all `stretch` times slower. */
static void make_file(const run_row *row, int64_t done, double stretch)
{
    error e = {.status = WEFT_OK};
    const int64_t count = TILES;
    job *j = NULL;
    store *s = NULL;
    (void)unlink(path);
    assert_int_equal(job_create("plan", 1, &count, &j, &e), WEFT_OK);
    assert_int_equal(job_add_field(j, "a", WEFT_UINT8, 0, NULL, NULL, NULL, &e), WEFT_OK);
    assert_int_equal(job_settle(j, 0, 1, &e), WEFT_OK);
    assert_int_equal(open_alone(path, j, (store_policy){.fresh = false}, &s, &e), WEFT_OK);
    for (int64_t tile = 0; tile < done; tile++) {
        tile_record record = {.state = TILE_DONE,
                              .attempts = 1,
                              .worker = (int32_t)(tile % 2),
                              .seconds = stretch * seconds_of(tile)};
        tile_record_seal(&record, tile);
        assert_int_equal(tile_table_put(store_ledger(s), tile, 1, &record, NULL, &e), WEFT_OK);
    }
    assert_int_equal(tile_table_put_run(store_ledger(s), row, &e), WEFT_OK);
    store_close(s);
    job_destroy(j);
}

static run_row make_row(const char *outcome, int workers, double seconds)
{
    run_row row = {.start = 1.7e9,
                   .end = 1.7e9 + seconds,
                   .ranks = 1,
                   .workers = workers,
                   .hosts = 1,
                   .cores = 2,
                   .items = TILES,
                   .busy = seconds * workers,
                   .cpu = seconds * workers};
    (void)snprintf(row.outcome, sizeof row.outcome, "%s", outcome);
    return row;
}

static weft_plan *open_plan(void)
{
    weft_plan *p = NULL;
    assert_int_equal(weft_plan_open(path, NULL, &p), WEFT_OK);
    assert_string_equal(weft_plan_error_text(p), "");
    return p;
}

static weft_prediction predict(weft_plan *p, int ranks, int workers, double cores)
{
    const weft_layout layout = {.ranks = ranks, .workers = workers, .cores = cores};
    weft_prediction said;
    assert_int_equal(weft_plan_predict(p, &layout, &said), WEFT_OK);
    return said;
}

static void assert_close(double value, double expected, double share)
{
    if (!(fabs(value / expected - 1) <= share)) {
        fail_msg("%.6g is not within %.3g of %.6g", value, share, expected);
    }
}

static void test_complete(void **state)
{
    (void)state;
    const run_row row = make_row("complete", 2, 3.01);
    make_file(&row, TILES, 1);
    weft_plan *p = open_plan();
    const weft_plan_info *info = weft_plan_describe(p);
    assert_close(info->work_s, 6, 1e-9);
    assert_close(info->longest_s, 0.02, 1e-9);
    assert_int_equal(info->measured, TILES);
    assert_int_equal(info->missing, 0);
    assert_int_equal(info->ranks, 1);
    assert_int_equal(info->workers, 2);
    assert_int_equal(info->cores, 2);
    assert_int_equal(info->runs, 1);
    assert_close(info->cpu_share, 1, 1e-9);
    /* What it was made from, it says again. */
    assert_close(predict(p, 1, 2, 0).makespan_s, 3.01, 1e-3);
    assert_close(predict(p, 1, 1, 0).makespan_s, 6, 0.01);
    assert_close(predict(p, 2, 2, 0).makespan_s, 1.5, 0.02);
    const weft_prediction shared = predict(p, 2, 2, 2);
    assert_close(shared.makespan_s, 3, 0.02);
    assert_int_equal(shared.limit, WEFT_LIMIT_CORES);
    const weft_prediction many = predict(p, 1, 300, 0);
    assert_true(many.makespan_s >= 0.02);
    assert_int_equal(many.limit, WEFT_LIMIT_TILE);
    assert_true(many.remaining_s <= 0);
    weft_plan_close(p);
    weft_plan_close(NULL);
}

/* Of the second half nothing is known: it is taken to be like the first. */
static void test_half_done(void **state)
{
    (void)state;
    const run_row row = make_row("stopped", 2, 1);
    make_file(&row, TILES / 2, 1);
    weft_plan *p = open_plan();
    const weft_plan_info *info = weft_plan_describe(p);
    assert_int_equal(info->missing, TILES / 2);
    assert_int_equal(info->runs, 0);
    assert_close(info->work_s, 4, 1e-9);
    const weft_prediction said = predict(p, 1, 2, 0);
    assert_close(said.makespan_s, 2, 0.02);
    assert_close(said.remaining_s, 1, 0.02);
    assert_true(said.makespan_low_s < 0.96 * 2.02 && said.makespan_high_s > 1.04 * 1.98);
    weft_plan_close(p);
}

/* Four workers on two cores took twice as long: who waited is known, or follows from the cores. */
static void test_crowded_runs(void **state)
{
    (void)state;
    for (int told = 0; told < 2; told++) {
        run_row row = make_row("complete", 4, 3.01);
        row.busy = 12;
        row.cpu = 6;
        row.wait = told == 1 ? 6 : 0;
        make_file(&row, TILES, 2);
        weft_plan *p = open_plan();
        assert_close(weft_plan_describe(p)->work_s, 6, 1e-9);
        assert_close(weft_plan_describe(p)->cpu_share, 1, 1e-9);
        assert_close(predict(p, 1, 4, 0).makespan_s, 1.51, 0.02);
        assert_close(predict(p, 1, 4, 2).makespan_s, 3.01, 0.02);
        weft_plan_close(p);
    }
}

static void test_own_share(void **state)
{
    (void)state;
    weft_result_run run = {.workers = 2, .cores = 2, .busy_s = 10, .cpu_s = 7};
    assert_true(evidence_own_share(&run) >= 1); /* it sleeps, or the others are unknown */
    run.wait_s = 3;
    assert_close(evidence_own_share(&run), 0.7, 1e-9);
    run.wait_s = 5; /* more than can be */
    assert_close(evidence_own_share(&run), 0.7, 1e-9);
    run.wait_s = 0;
    run.workers = 3; /* 2.1 cores of 2 */
    assert_close(evidence_own_share(&run), 0.7, 1e-9);
    run.cpu_s = 2;
    assert_true(evidence_own_share(&run) >= 1);
    run.cpu_s = 0;
    assert_true(evidence_own_share(&run) >= 1);
    run = (weft_result_run){.workers = 2};
    assert_true(evidence_own_share(&run) >= 1);
}

/* How much longer a run took than it is simulated, with the technique in its row. */
static double calibrated_factor(const char *name)
{
    evidence ev;
    calibration c;
    error e = {.status = WEFT_OK};
    run_row row = make_row("complete", 8, 0.8);
    row.ranks = 8;
    memcpy(row.technique, name, strnlen(name, sizeof row.technique));
    make_file(&row, TILES, 1);
    assert_int_equal(evidence_open(path, NULL, &ev, &e), WEFT_OK);
    assert_int_equal(evidence_calibrate(&ev, &c, &e), WEFT_OK);
    evidence_close(&ev);
    return c.factor_alone;
}

/* A row of an earlier version says nothing, and neither does a damaged one. */
static void test_techniques_of_runs(void **state)
{
    (void)state;
    const double by_default = calibrated_factor("auto");
    assert_true(calibrated_factor("") == by_default);
    assert_true(calibrated_factor("xxxxxxxx") == by_default);
    for (int i = 0; i < TECHNIQUE_COUNT; i++) {
        const char *name = technique_name((technique)i);
        assert_true(strlen(name) <= sizeof((run_row *)0)->technique);
    }
    assert_true(calibrated_factor("tss") != by_default);
    assert_true(calibrated_factor("rnd") != by_default);
}

static void test_items(void **state)
{
    (void)state;
    const run_row row = make_row("complete", 2, 3);
    make_file(&row, TILES, 1);
    weft_plan *p = open_plan();
    assert_int_equal(weft_plan_set_items(p, 0), WEFT_ERR_USAGE);
    assert_true(strlen(weft_plan_error_text(p)) > 0);
    assert_int_equal(weft_plan_set_items(p, 10 * TILES), WEFT_OK);
    assert_close(weft_plan_describe(p)->work_s, 60, 1e-9);
    const weft_prediction said = predict(p, 4, 1, 0);
    assert_close(said.makespan_s, 15, 0.02);
    assert_close(said.remaining_s, said.makespan_s, 1e-9);
    weft_plan_close(p);
}

/* Maps one after the other take what they take alone; of one that is complete nothing remains. */
static void test_sequence(void **state)
{
    (void)state;
    enum { MAPS = 3, RANKS = 4 };
    weft_prediction part[MAPS];
    weft_prediction sum;
    run_row row = make_row("complete", 2, 3.01);
    make_file(&row, TILES, 1);
    weft_plan *p = open_plan();
    part[0] = predict(p, RANKS, 1, 0);
    weft_plan_close(p);
    /* Twice as slow, and most of it is still to do. */
    row = make_row("stopped", 2, 1);
    make_file(&row, TILES / 4, 2);
    p = open_plan();
    part[1] = predict(p, RANKS, 1, 0);
    assert_int_equal(weft_plan_set_items(p, RANKS - 1), WEFT_OK);
    part[2] = predict(p, RANKS, 1, 0);
    weft_plan_close(p);
    weft_prediction_sum(part, MAPS, &sum);
    assert_close(sum.makespan_s, 6.0 / RANKS + 400 * 0.02 / RANKS + 0.02, 0.1);
    assert_close(sum.makespan_s, part[0].makespan_s + part[1].makespan_s + part[2].makespan_s,
                 1e-12);
    assert_close(sum.remaining_s, part[1].remaining_s + part[2].remaining_s, 1e-12);
    assert_true(sum.remaining_low_s <= sum.remaining_s && sum.remaining_s <= sum.remaining_high_s);
    assert_true(sum.makespan_low_s < sum.makespan_s && sum.makespan_s < sum.makespan_high_s);
    assert_int_equal(sum.chunks, part[0].chunks + part[1].chunks + part[2].chunks);
    assert_int_equal(sum.replicates, part[0].replicates);
    assert_close(sum.efficiency * sum.makespan_s * RANKS,
                 6 + part[1].efficiency * RANKS * part[1].makespan_s +
                     part[2].efficiency * RANKS * part[2].makespan_s,
                 1e-6);
    assert_int_equal(sum.limit, WEFT_LIMIT_NONE);
    /* The time is lost where there are too few tiles. */
    assert_int_equal(part[2].limit, WEFT_LIMIT_TILE);
    weft_prediction_sum(&part[2], 1, &sum);
    assert_close(sum.efficiency, part[2].efficiency, 1e-12);
    assert_close(sum.coordinator, part[2].coordinator, 1e-12);
    assert_int_equal(sum.limit, part[2].limit);
    part[0].makespan_s /= 1000;
    part[1].makespan_s /= 1000;
    weft_prediction_sum(part, MAPS, &sum);
    assert_int_equal(sum.limit, WEFT_LIMIT_TILE);
    /* A long map loses more, but has no limit of its own. */
    part[0] = (weft_prediction){.makespan_s = 100, .efficiency = 0.91};
    part[1] = (weft_prediction){.makespan_s = 50, .efficiency = 0.86, .limit = WEFT_LIMIT_TAIL};
    weft_prediction_sum(part, 2, &sum);
    assert_int_equal(sum.limit, WEFT_LIMIT_TAIL);
}

static void test_wrong_layouts(void **state)
{
    (void)state;
    static const weft_layout wrong[] = {{.ranks = 0, .workers = 1},
                                        {.ranks = 1, .workers = 0},
                                        {.ranks = 1 << 20, .workers = 1 << 12},
                                        {.ranks = 1, .workers = 1, .schedule = "best"},
                                        {.ranks = 1, .workers = 1, .cores = -1},
                                        {.ranks = 1, .workers = 1, .latency_s = -1}};
    const run_row row = make_row("complete", 2, 3);
    make_file(&row, TILES, 1);
    weft_plan *p = open_plan();
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        weft_prediction said;
        assert_int_equal(weft_plan_predict(p, &wrong[i], &said), WEFT_ERR_USAGE);
        assert_true(strlen(weft_plan_error_text(p)) > 0);
    }
    weft_plan_close(p);
    for (int limit = 0; limit <= WEFT_LIMIT_TAIL + 1; limit++) {
        assert_true(strlen(weft_limit_text((weft_limit)limit)) > 0);
    }
}

static void test_nothing_measured(void **state)
{
    (void)state;
    const run_row row = make_row("running", 2, 3);
    make_file(&row, 0, 1);
    weft_plan *p = NULL;
    assert_int_equal(weft_plan_open(path, NULL, &p), WEFT_ERR_USAGE);
    assert_non_null(strstr(weft_plan_error_text(p), "nothing has been computed"));
    weft_plan_close(p);
    (void)unlink(path);
    assert_int_equal(weft_plan_open(path, NULL, &p), WEFT_ERR_NOT_FOUND);
    weft_plan_close(p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_complete),      cmocka_unit_test(test_half_done),
        cmocka_unit_test(test_crowded_runs),  cmocka_unit_test(test_own_share),
        cmocka_unit_test(test_items),         cmocka_unit_test(test_techniques_of_runs),
        cmocka_unit_test(test_wrong_layouts), cmocka_unit_test(test_nothing_measured),
        cmocka_unit_test(test_sequence),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
