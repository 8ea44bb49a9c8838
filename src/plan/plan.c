/* SPDX-License-Identifier: BSD-3-Clause */
/* Predictions, the public functions weft_plan_*: simulations of a job from what its file tells. */
#include <weft/plan.h>

#include "plan/evidence.h"
#include "plan/simulation.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <weft/random.h>

/* Simulations of a prediction; fewer where many tiles make each take long. */
enum { MOST_REPLICATES = 20, LEAST_REPLICATES = 3, TILES_IN_ALL = 2000000 };

/* What a machine may have, so that nothing overflows. */
enum { MOST_RANKS = 1 << 20, MOST_WORKERS = 1 << 12, MOST_IN_ALL = 1 << 24 };

/* The interval leaves out this part of the simulations at either end. */
static const double tail_share = 0.05;

/* The slowest and the fastest that a worker may be made by chance. */
static const double least_speed = 0.5;
static const double most_speed = 2;

/* Where this share of the workers' time is used nothing keeps a layout from being faster. */
static const double good_efficiency = 0.9;

struct weft_plan {
    evidence evidence;
    workload workload;
    calibration calibration;
    job job; /* the file's, with the tiles that are planned for; nothing of it is owned */
    bool *done;
    double *given_s; /* per tile of the file … */
    double *sums;    /* … and of those before it */
    double *tile_ns; /* per tile of the job */
    weft_plan_info info;
    error error;
};

static const tiling *given(const weft_plan *p)
{
    return &p->evidence.job->tiles;
}

/* Whether the job is the file's, some of which may be done. */
static bool as_given(const weft_plan *p)
{
    return p->job.tiles.count == given(p)->count;
}

/* The times of all tiles, those that were not computed drawn by a seed. */
static void draw_tiles(weft_plan *p, uint64_t seed)
{
    const tiling *from = given(p);
    workload_fill(&p->workload, seed, p->given_s);
    p->sums[0] = 0;
    for (int64_t i = 0; i < from->tiles; i++) {
        p->sums[i + 1] = p->sums[i] + p->given_s[i];
    }
    for (int64_t i = 0; i < p->job.tiles.tiles; i++) {
        const double seconds =
            as_given(p) ? p->given_s[i] : workload_seconds(from, p->sums, &p->job.tiles, i);
        p->tile_ns[i] = 1e9 * seconds;
    }
}

static void describe_job(weft_plan *p)
{
    weft_plan_info *info = &p->info;
    info->count = p->job.tiles.count;
    info->grain = p->job.tiles.grain;
    info->tiles = p->job.tiles.tiles;
    info->work_s = 0;
    info->longest_s = 0;
    draw_tiles(p, 0);
    for (int64_t i = 0; i < info->tiles; i++) {
        info->work_s += 1e-9 * p->tile_ns[i];
        info->longest_s = fmax(info->longest_s, 1e-9 * p->tile_ns[i]);
    }
}

static void describe(weft_plan *p)
{
    const evidence *ev = &p->evidence;
    weft_plan_info *info = &p->info;
    (void)snprintf(info->name, sizeof info->name, "%s", ev->job->name);
    info->measured = p->workload.count;
    info->missing = given(p)->tiles - info->measured;
    info->ranks = ev->ranks;
    info->workers = ev->workers;
    info->cores = ev->cores;
    info->cpu_share = ev->cpu_share;
    info->spread = workload_spread(&p->workload);
    info->runs = p->calibration.runs;
    info->cost_s = p->calibration.cost_s;
    info->factor = p->calibration.factor;
    info->misfit = p->calibration.misfit;
    describe_job(p);
}

static weft_status no_memory(weft_plan *p)
{
    return error_memory(&p->error, "a plan of %lld tiles", (long long)p->job.tiles.tiles);
}

static weft_status prepare(weft_plan *p, const char *path)
{
    const int64_t tiles = given(p)->tiles;
    p->job = *p->evidence.job;
    p->done = calloc((size_t)tiles + 1, sizeof *p->done);
    p->given_s = calloc((size_t)tiles + 1, sizeof *p->given_s);
    p->sums = calloc((size_t)tiles + 1, sizeof *p->sums);
    p->tile_ns = calloc((size_t)tiles + 1, sizeof *p->tile_ns);
    if (p->done == NULL || p->given_s == NULL || p->sums == NULL || p->tile_ns == NULL) {
        return no_memory(p);
    }
    for (int64_t i = 0; i < tiles; i++) {
        p->done[i] = p->evidence.tile[i].seconds >= 0;
    }
    const weft_status status = workload_init(&p->workload, p->evidence.tile, tiles, &p->error);
    if (status == WEFT_OK && p->workload.count == 0) {
        return error_set(&p->error, WEFT_ERR_USAGE,
                         tiles == 0 ? "%s: the job has no items"
                                    : "%s: nothing has been computed yet; run the job for a while "
                                      "first",
                         path);
    }
    return status;
}

weft_status weft_plan_open(const char *path, const char *map, weft_plan **plan)
{
    weft_plan *p = calloc(1, sizeof *p);
    *plan = p;
    if (p == NULL) {
        return WEFT_ERR_MEMORY;
    }
    weft_status status = evidence_open(path, map, &p->evidence, &p->error);
    if (status == WEFT_OK) {
        status = prepare(p, path);
    }
    if (status == WEFT_OK) {
        status = evidence_calibrate(&p->evidence, &p->calibration, &p->error);
    }
    if (status == WEFT_OK) {
        describe(p);
    }
    return status;
}

void weft_plan_close(weft_plan *plan)
{
    if (plan != NULL) {
        workload_free(&plan->workload);
        free(plan->tile_ns);
        free(plan->sums);
        free(plan->given_s);
        free(plan->done);
        evidence_close(&plan->evidence);
        free(plan);
    }
}

const char *weft_plan_error_text(const weft_plan *plan)
{
    return plan == NULL ? "" : plan->error.text;
}

const weft_plan_info *weft_plan_describe(const weft_plan *plan)
{
    return &plan->info;
}

weft_status weft_plan_set_items(weft_plan *plan, int64_t items)
{
    error_clear(&plan->error);
    if (items < 1) {
        return error_set(&plan->error, WEFT_ERR_USAGE, "%lld items: at least 1 is needed",
                         (long long)items);
    }
    tiling scaled;
    workload_scale(given(plan), items, &scaled);
    double *tile_ns = calloc((size_t)scaled.tiles + 1, sizeof *tile_ns);
    if (tile_ns == NULL) {
        return no_memory(plan);
    }
    free(plan->tile_ns);
    plan->tile_ns = tile_ns;
    plan->job.tiles = scaled;
    plan->job.items.count = items;
    describe_job(plan);
    return WEFT_OK;
}

static double tile_ns(const void *context, int64_t tile)
{
    const weft_plan *p = context;
    return p->tile_ns[tile];
}

static weft_status check_layout(weft_plan *p, const weft_layout *layout, technique *t)
{
    *t = TECHNIQUE_AUTO;
    if (layout->ranks < 1 || layout->ranks > MOST_RANKS || layout->workers < 1 ||
        layout->workers > MOST_WORKERS || (int64_t)layout->ranks * layout->workers > MOST_IN_ALL) {
        return error_set(&p->error, WEFT_ERR_USAGE,
                         "%d ranks of %d workers: from 1 to %d ranks, 1 to %d workers each and %d "
                         "in all can be planned",
                         layout->ranks, layout->workers, MOST_RANKS, MOST_WORKERS, MOST_IN_ALL);
    }
    if (layout->schedule != NULL && !technique_find(layout->schedule, t)) {
        return error_set(&p->error, WEFT_ERR_USAGE, "'%s' is no scheduling technique; there are %s",
                         layout->schedule, technique_names());
    }
    if (!(layout->cores >= 0 && isfinite(layout->cores)) ||
        !(layout->latency_s >= 0 && isfinite(layout->latency_s))) {
        return error_set(&p->error, WEFT_ERR_USAGE, "cores and latency must be numbers from 0 on");
    }
    return WEFT_OK;
}

/* The simulations of one prediction. */
typedef struct study {
    weft_plan *plan;
    simulation_setup setup;
    double *speed; /* per worker */
    int replicates;
    simulation_result first; /* of them */
    double whole_s[MOST_REPLICATES];
    double rest_s[MOST_REPLICATES];
} study;

/* Without anything that is drawn all simulations are the same. */
static int count_replicates(const weft_plan *p)
{
    if (p->info.missing == 0 && !(p->info.spread > 0)) {
        return 1;
    }
    const int64_t affordable = TILES_IN_ALL / (p->job.tiles.tiles + 1);
    return affordable >= MOST_REPLICATES    ? MOST_REPLICATES
           : affordable <= LEAST_REPLICATES ? LEAST_REPLICATES
                                            : (int)affordable;
}

static void draw_speeds(study *st, int replicate)
{
    const int64_t workers = (int64_t)st->setup.ranks * st->setup.workers;
    for (int64_t i = 0; i < workers; i++) {
        weft_random random;
        weft_random_init(&random, (uint64_t)replicate, 1, (uint64_t)i);
        const double slower = 1 + st->plan->info.spread * weft_random_normal(&random);
        st->speed[i] = fmin(fmax(1 / fmax(slower, least_speed), least_speed), most_speed);
    }
}

static weft_status replicate(study *st, int number)
{
    weft_plan *p = st->plan;
    simulation_result r;
    if (p->info.missing > 0) {
        draw_tiles(p, (uint64_t)number);
    }
    draw_speeds(st, number);
    st->setup.done = NULL;
    weft_status status = simulate(&st->setup, &r, &p->error);
    if (status != WEFT_OK) {
        return status;
    }
    st->whole_s[number] = r.makespan_s;
    st->rest_s[number] = r.makespan_s;
    st->first = number == 0 ? r : st->first;
    if (as_given(p) && p->info.measured > 0) {
        st->setup.done = p->done;
        status = simulate(&st->setup, &r, &p->error);
        st->rest_s[number] = r.makespan_s;
    }
    return status;
}

static int compare(const void *a, const void *b)
{
    const double x = *(const double *)a;
    const double y = *(const double *)b;
    return (x > y) - (x < y);
}

/* Median and interval of what was simulated, corrected. */
static double conclude(const study *st, double seconds[], double *low_s, double *high_s)
{
    const int last = st->replicates - 1;
    const int cut = (int)(tail_share * last + 0.5);
    double ignored = 0;
    qsort(seconds, (size_t)st->replicates, sizeof *seconds, compare);
    const calibration *c = &st->plan->calibration;
    (void)calibration_apply(c, seconds[cut], low_s, &ignored);
    (void)calibration_apply(c, seconds[last - cut], &ignored, high_s);
    return calibration_apply(c, seconds[last / 2], &ignored, &ignored);
}

static weft_limit find_limit(const study *st, const weft_prediction *p)
{
    const simulation_setup *setup = &st->setup;
    const double workers = (double)setup->ranks * setup->workers;
    const double lost_s = (1 - p->efficiency) * p->makespan_s;
    if (p->efficiency >= good_efficiency) {
        return WEFT_LIMIT_NONE;
    }
    if (setup->cores > 0 && workers * setup->cpu_share > setup->cores) {
        return WEFT_LIMIT_CORES;
    }
    if (st->first.longest_s >= p->makespan_s / 2) {
        return WEFT_LIMIT_TILE;
    }
    if (st->first.coordinator >= 0.7) {
        return WEFT_LIMIT_COORDINATOR;
    }
    if ((double)setup->tiles < 4 * workers) {
        return WEFT_LIMIT_TILES;
    }
    return st->plan->calibration.cost_s >= lost_s / 2 ? WEFT_LIMIT_FIXED : WEFT_LIMIT_TAIL;
}

static void conclude_all(study *st, weft_prediction *out)
{
    const weft_plan *p = st->plan;
    const double workers = (double)st->setup.ranks * st->setup.workers;
    memset(out, 0, sizeof *out);
    out->makespan_s = conclude(st, st->whole_s, &out->makespan_low_s, &out->makespan_high_s);
    if (!as_given(p) || p->info.missing > 0) {
        out->remaining_s = conclude(st, st->rest_s, &out->remaining_low_s, &out->remaining_high_s);
    }
    out->efficiency = out->makespan_s > 0 ? p->info.work_s / (workers * out->makespan_s) : 1;
    out->coordinator = st->first.coordinator;
    out->chunks = st->first.chunks;
    out->duplicates = st->first.duplicates;
    out->replicates = st->replicates;
    out->limit = find_limit(st, out);
}

weft_status weft_plan_predict(weft_plan *plan, const weft_layout *layout,
                              weft_prediction *prediction)
{
    technique t = TECHNIQUE_AUTO;
    error_clear(&plan->error);
    weft_status status = check_layout(plan, layout, &t);
    if (status != WEFT_OK) {
        return status;
    }
    study st = {.plan = plan,
                .replicates = count_replicates(plan),
                .setup = {.job = &plan->job,
                          .tiles = plan->job.tiles.tiles,
                          .tile_ns = tile_ns,
                          .context = plan,
                          .ranks = layout->ranks,
                          .workers = layout->workers,
                          .technique = t,
                          .seed = plan->job.seed,
                          .pure = true,
                          .cores = layout->cores,
                          .cpu_share = plan->info.cpu_share,
                          .costs = simulation_usual_costs}};
    if (layout->latency_s > 0) {
        st.setup.costs.latency_s = layout->latency_s;
    }
    st.speed = calloc((size_t)layout->ranks * (size_t)layout->workers, sizeof *st.speed);
    if (st.speed == NULL) {
        return no_memory(plan);
    }
    st.setup.speed = st.speed;
    for (int i = 0; i < st.replicates && status == WEFT_OK; i++) {
        status = replicate(&st, i);
    }
    if (status == WEFT_OK) {
        conclude_all(&st, prediction);
    }
    free(st.speed);
    return status;
}

/* What the workers do not compute in, in units of their number. */
static double lost_s(const weft_prediction *p)
{
    return (1 - p->efficiency) * p->makespan_s;
}

void weft_prediction_sum(const weft_prediction *parts, int count, weft_prediction *sum)
{
    const weft_prediction *worst = &parts[0];
    *sum = (weft_prediction){.replicates = parts[0].replicates};
    for (int i = 0; i < count; i++) {
        const weft_prediction *p = &parts[i];
        sum->makespan_s += p->makespan_s;
        sum->makespan_low_s += p->makespan_low_s;
        sum->makespan_high_s += p->makespan_high_s;
        sum->remaining_s += p->remaining_s;
        sum->remaining_low_s += p->remaining_low_s;
        sum->remaining_high_s += p->remaining_high_s;
        sum->efficiency += p->efficiency * p->makespan_s;
        sum->coordinator += p->coordinator * p->makespan_s;
        sum->chunks += p->chunks;
        sum->duplicates += p->duplicates;
        sum->replicates = p->replicates < sum->replicates ? p->replicates : sum->replicates;
        const bool limited = p->limit != WEFT_LIMIT_NONE;
        if (limited && (worst->limit == WEFT_LIMIT_NONE || lost_s(p) > lost_s(worst))) {
            worst = p;
        }
    }
    const double makespan_s = sum->makespan_s;
    sum->efficiency = makespan_s > 0 ? sum->efficiency / makespan_s : 1;
    sum->coordinator = makespan_s > 0 ? sum->coordinator / makespan_s : 0;
    sum->limit = sum->efficiency >= good_efficiency ? WEFT_LIMIT_NONE : worst->limit;
}

const char *weft_limit_text(weft_limit limit)
{
    static const char *const texts[] = {[WEFT_LIMIT_NONE] = "nothing",
                                        [WEFT_LIMIT_CORES] = "workers share cores",
                                        [WEFT_LIMIT_TILE] = "the longest tile",
                                        [WEFT_LIMIT_TILES] = "too few tiles",
                                        [WEFT_LIMIT_COORDINATOR] = "the coordinator",
                                        [WEFT_LIMIT_FIXED] = "start and end",
                                        [WEFT_LIMIT_TAIL] = "idle at the end"};
    return (unsigned)limit < sizeof texts / sizeof texts[0] ? texts[limit] : "?";
}
