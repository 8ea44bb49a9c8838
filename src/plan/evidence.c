/* SPDX-License-Identifier: BSD-3-Clause */
/* What the file of a job tells of its speed: how long tiles took, on what, and in which runs. */
#include "plan/evidence.h"

#include "plan/simulation.h"
#include "store/result.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Workers that together had this much of the cores would have taken more. */
static const double busy_share = 0.9;

/* More runs tell no more, and each takes its time to simulate. */
enum { MOST_RUNS = 8 };

/* What a run computed must still be in the file, not replaced by a later one. */
static const double least_kept = 0.99;

static weft_status pass_on(const weft_result *r, weft_status status, error *e)
{
    return error_set(e, status, "%s", weft_result_error_text(r));
}

static weft_status read_runs(evidence *ev, error *e)
{
    weft_result_progress progress;
    weft_status status = weft_result_get_progress(ev->result, &progress);
    if (status != WEFT_OK) {
        return pass_on(ev->result, status, e);
    }
    ev->run = calloc((size_t)progress.runs + 1, sizeof *ev->run);
    ev->tile = calloc((size_t)ev->job->tiles.tiles + 1, sizeof *ev->tile);
    if (ev->run == NULL || ev->tile == NULL) {
        return error_memory(e, "the times of %lld tiles", (long long)ev->job->tiles.tiles);
    }
    for (int i = 0; i < progress.runs && status == WEFT_OK; i++) {
        status = weft_result_get_run(ev->result, i, &ev->run[i]);
    }
    ev->runs = progress.runs;
    return status == WEFT_OK ? WEFT_OK : pass_on(ev->result, status, e);
}

double evidence_own_share(const weft_result_run *run)
{
    if (!(run->busy_s > 0)) {
        return 1;
    }
    const double share = run->cpu_s / run->busy_s;
    if (run->wait_s > 0) {
        return fmin(fmax(1 - run->wait_s / run->busy_s, share), 1);
    }
    /* The system did not say. Workers that together had all cores, being more, waited for them. */
    const bool crowded = run->cores > 0 && run->workers > run->cores && share > 0 && share < 1 &&
                         run->workers * share >= busy_share * run->cores;
    return crowded ? share : 1;
}

/* Over all runs, those counting most that were busy longest. */
static void learn_machine(evidence *ev)
{
    double cpu_s = 0;
    double busy_s = 0;
    ev->ranks = ev->workers = 1;
    for (int i = 0; i < ev->runs; i++) {
        const weft_result_run *run = &ev->run[i];
        if (run->ranks > 0 && run->workers > 0) {
            ev->ranks = run->ranks;
            ev->workers = (run->workers + run->ranks - 1) / run->ranks;
        }
        ev->cores = run->cores > 0 ? run->cores : ev->cores;
        if (run->cpu_s > 0 && run->busy_s > 0) {
            const double own_s = evidence_own_share(run) * run->busy_s;
            busy_s += own_s;
            cpu_s += fmin(run->cpu_s, own_s);
        }
    }
    ev->cpu_share = busy_s > 0 ? cpu_s / busy_s : 1;
}

/* Nothing takes thirty thousand years. */
static const double most_seconds = 1e12;

/* Seconds that a record gives, as far as they can be any. */
static double seconds_of(const tile_record *record)
{
    return record->seconds >= 0 && record->seconds <= most_seconds ? record->seconds : 0;
}

static void learn_tiles(evidence *ev)
{
    for (int64_t i = 0; i < ev->job->tiles.tiles; i++) {
        const tile_record *record = result_tile(ev->result, i);
        ev->tile[i].seconds = -1;
        if (record != NULL) {
            const int run = result_run_of(ev->result, record);
            const double own = run >= 0 ? evidence_own_share(&ev->run[run]) : 1;
            ev->tile[i] = (workload_tile){.seconds = own * seconds_of(record),
                                          .run = run,
                                          .rank = record->rank,
                                          .worker = record->worker};
        }
    }
}

/* The map that is asked for, which need not be said where there is but one. */
static weft_status choose_map(evidence *ev, const char *path, const char *map, error *e)
{
    if (map == NULL && weft_result_describe(ev->result)->maps > 1) {
        return error_set(
            e, WEFT_ERR_USAGE,
            "%s holds the results of %d maps, and one of them is planned: say which with "
            "--map NAME (weft status lists them)",
            path, weft_result_describe(ev->result)->maps);
    }
    const int number = map == NULL ? 0 : weft_result_find_map(ev->result, map);
    if (number < 0) {
        return pass_on(ev->result, WEFT_ERR_USAGE, e);
    }
    const weft_status status = weft_result_set_map(ev->result, number);
    return status == WEFT_OK ? WEFT_OK : pass_on(ev->result, status, e);
}

weft_status evidence_open(const char *path, const char *map, evidence *ev, error *e)
{
    memset(ev, 0, sizeof *ev);
    weft_status status = weft_result_open(path, &ev->result);
    if (ev->result == NULL) {
        return error_memory(e, "the state of %s", path);
    }
    if (status != WEFT_OK) {
        return pass_on(ev->result, status, e);
    }
    status = choose_map(ev, path, map, e);
    if (status == WEFT_OK) {
        ev->job = result_job(ev->result);
        status = read_runs(ev, e);
    }
    if (status == WEFT_OK) {
        learn_machine(ev);
        learn_tiles(ev);
    }
    return status;
}

void evidence_close(evidence *ev)
{
    free(ev->tile);
    free(ev->run);
    weft_result_close(ev->result);
    memset(ev, 0, sizeof *ev);
}

/* The technique of a run. */
static technique technique_of(const run_row *row)
{
    technique t = TECHNIQUE_AUTO;
    char name[sizeof row->technique + 1] = "";
    memcpy(name, row->technique, sizeof row->technique);
    (void)technique_find(name, &t);
    return t;
}

static double recorded_ns(const void *context, int64_t tile)
{
    const evidence *ev = context;
    return 1e9 * seconds_of(result_tile(ev->result, tile));
}

/* A run is no shorter than its longest tile, and beyond a second not so much longer than all of
 * them: else a clock has been set meanwhile. */
static bool has_sound_length(const weft_result_run *run, double longest_s, double sum_s)
{
    const double length_s = run->end_s - run->start_s;
    return length_s >= longest_s && length_s <= 1 + 100 * sum_s;
}

/* Marks what the run did not compute; false if that, or how long it took, is not known. */
static bool mark_others(const evidence *ev, int number, bool *others)
{
    const tiling *tiles = &ev->job->tiles;
    int64_t items = 0;
    double longest_s = 0;
    double sum_s = 0;
    for (int64_t i = 0; i < tiles->tiles; i++) {
        others[i] = ev->tile[i].seconds < 0 || ev->tile[i].run != number;
        if (!others[i]) {
            const double seconds = seconds_of(result_tile(ev->result, i));
            items += tiling_items(tiles, i, 1);
            sum_s += seconds;
            longest_s = fmax(longest_s, seconds);
        }
    }
    return items > 0 && has_sound_length(&ev->run[number], longest_s, sum_s) &&
           (double)items >= least_kept * (double)ev->run[number].items;
}

/* As it was measured, waiting for cores included. */
static weft_status simulate_run(const evidence *ev, int number, const bool *others,
                                calibration_point *point, error *e)
{
    const weft_result_run *run = &ev->run[number];
    const simulation_setup setup = {.job = ev->job,
                                    .tiles = ev->job->tiles.tiles,
                                    .done = others,
                                    .tile_ns = recorded_ns,
                                    .context = ev,
                                    .ranks = run->ranks,
                                    .workers = (run->workers + run->ranks - 1) / run->ranks,
                                    .technique = technique_of(result_run(ev->result, number)),
                                    .seed = ev->job->seed,
                                    .pure = true,
                                    .cpu_share = 1,
                                    .costs = simulation_usual_costs};
    simulation_result r;
    const weft_status status = simulate(&setup, &r, e);
    if (status == WEFT_OK) {
        *point = (calibration_point){.measured_s = run->end_s - run->start_s,
                                     .simulated_s = r.makespan_s};
    }
    return status;
}

static bool is_complete(const weft_result_run *run)
{
    return (run->outcome == WEFT_OUTCOME_COMPLETE || run->outcome == WEFT_OUTCOME_FAILED_ITEMS) &&
           run->ranks > 0 && run->workers > 0 && run->end_s > run->start_s;
}

/* Whether the workers computed for another map as well, which had begun earlier: the run's length
 * says nothing then. */
static bool is_beside(const evidence *ev, int number)
{
    bool beside = false;
    for (int i = 0; i < number; i++) {
        const weft_result_run *other = &ev->run[i];
        beside = beside || (other->start_s <= ev->run[number].start_s &&
                            other->end_s > ev->run[number].start_s);
    }
    return beside;
}

weft_status evidence_calibrate(const evidence *ev, calibration *c, error *e)
{
    calibration_point point[MOST_RUNS];
    int points = 0;
    weft_status status = WEFT_OK;
    bool *others = calloc((size_t)ev->job->tiles.tiles + 1, sizeof *others);
    if (others == NULL) {
        return error_memory(e, "the tiles of a run");
    }
    for (int i = ev->runs - 1; i >= 0 && points < MOST_RUNS && status == WEFT_OK; i--) {
        if (is_complete(&ev->run[i]) && !is_beside(ev, i) && mark_others(ev, i, others)) {
            status = simulate_run(ev, i, others, &point[points++], e);
        }
    }
    free(others);
    if (status == WEFT_OK) {
        calibration_fit(point, points, c);
    }
    return status;
}
