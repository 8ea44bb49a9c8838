/* SPDX-License-Identifier: BSD-3-Clause */
/* The predictions for several layouts of a job, and what they amount to. */
#include "forecast.h"

#include "base/clock.h"
#include "base/number.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <weft/schedule.h>

/* By default: 1, 2, 4, … ranks. */
enum { LADDER_TOP = 256 };

/* A kernel that needs a core for less of its time mostly waits for something else. */
static const double least_cpu_share = 0.1;

static number_list ladder(void)
{
    number_list l = {.count = 0};
    for (int ranks = 1; ranks <= LADDER_TOP; ranks *= 2) {
        l.number[l.count++] = ranks;
    }
    return l;
}

/* Whether the cores that were measured on are too few for it. */
static bool is_crowded(const weft_plan_info *info, const weft_layout *layout)
{
    const double workers = (double)layout->ranks * layout->workers;
    return info->cores > 0 && info->cpu_share >= least_cpu_share && workers > info->cores &&
           workers * info->cpu_share > info->cores;
}

static weft_status predict(weft_plan *plan, const weft_layout *layout, forecast *f)
{
    forecast_row *row = &f->row[f->rows];
    *row = (forecast_row){.layout = *layout};
    weft_status status = weft_plan_predict(plan, layout, &row->p);
    if (status == WEFT_OK && !(layout->cores > 0) && is_crowded(f->info, layout)) {
        weft_layout sharing = *layout;
        sharing.cores = f->info->cores;
        row->shared = true;
        status = weft_plan_predict(plan, &sharing, &row->sharing);
    }
    f->rows += status == WEFT_OK;
    return status;
}

/* Workers are used well if they compute for this share of the time. */
static const double good_efficiency = 0.8;

/* Who is within this factor of the fastest gains nothing by being larger. */
static const double near_fastest = 1.05;

/* The largest that is used well, and among equals the fastest; if none is, the best used. */
static const forecast_row *best_row(const forecast *f)
{
    const forecast_row *best = &f->row[0];
    for (int i = 1; i < f->rows; i++) {
        const forecast_row *row = &f->row[i];
        const bool good = row->p.efficiency >= good_efficiency;
        const bool was_good = best->p.efficiency >= good_efficiency;
        const int64_t more = forecast_workers(row) - forecast_workers(best);
        const bool faster = row->p.makespan_s < best->p.makespan_s;
        if (good != was_good ? good
            : good           ? more > 0 || (more == 0 && faster)
                             : row->p.efficiency > best->p.efficiency) {
            best = row;
        }
    }
    return best;
}

static const forecast_row *largest_row(const forecast *f)
{
    const forecast_row *largest = &f->row[0];
    for (int i = 1; i < f->rows; i++) {
        largest = forecast_workers(&f->row[i]) > forecast_workers(largest) ? &f->row[i] : largest;
    }
    return largest;
}

/* The smallest that is nearly as fast as the fastest. */
static const forecast_row *enough_row(const forecast *f)
{
    double fastest_s = f->row[0].p.makespan_s;
    for (int i = 1; i < f->rows; i++) {
        fastest_s = f->row[i].p.makespan_s < fastest_s ? f->row[i].p.makespan_s : fastest_s;
    }
    const forecast_row *enough = NULL;
    for (int i = 0; i < f->rows; i++) {
        const forecast_row *row = &f->row[i];
        if (row->p.makespan_s <= near_fastest * fastest_s &&
            (enough == NULL || forecast_workers(row) < forecast_workers(enough))) {
            enough = row;
        }
    }
    return enough;
}

/* Adds to the advice. */
#define SAY(f, ...) number_append((f)->advice, sizeof(f)->advice, __VA_ARGS__)

static void say_layout(forecast *f, const weft_layout *layout)
{
    SAY(f, "%d rank%s x %d worker%s", layout->ranks, number_plural(layout->ranks), layout->workers,
        number_plural(layout->workers));
}

static void say_reason(forecast *f, const forecast_row *row)
{
    const weft_plan_info *info = f->info;
    switch (row->p.limit) {
    case WEFT_LIMIT_TILE:
        SAY(f,
            info->grain == 1 ? ": the longest item alone takes %s"
                             : ": the longest tile alone takes %s, a smaller --grain divides it",
            clock_duration(info->longest_s).text);
        break;
    case WEFT_LIMIT_TILES:
        SAY(f, ": there are only %" PRId64 " tiles%s", info->tiles,
            info->grain == 1 ? "" : ", a smaller --grain makes more");
        break;
    case WEFT_LIMIT_COORDINATOR:
        SAY(f, ": rank 0 cannot hand out work any faster; take fewer ranks with more workers, or "
               "a larger --grain");
        break;
    case WEFT_LIMIT_CORES:
        SAY(f, ": the %g cores are busy", row->layout.cores);
        break;
    case WEFT_LIMIT_FIXED:
        SAY(f, ": to start and to end takes %s", clock_duration(info->cost_s).text);
        break;
    case WEFT_LIMIT_NONE:
    case WEFT_LIMIT_TAIL:
        SAY(f, ": workers wait for the last tiles");
        break;
    }
}

static void advise(forecast *f)
{
    const forecast_row *best = best_row(f);
    const forecast_row *enough = enough_row(f);
    f->advice[0] = '\0';
    say_layout(f, &best->layout);
    SAY(f, ": %s, %.0f %%", clock_duration(best->p.makespan_s).text, 100 * best->p.efficiency);
    if (forecast_workers(enough) < forecast_workers(largest_row(f))) {
        SAY(f, "; beyond ");
        say_layout(f, &enough->layout);
        SAY(f, " nothing is gained");
        if (f->info != &f->sum) {
            say_reason(f, largest_row(f));
        }
    } else if (best != largest_row(f)) {
        SAY(f, "; more is faster, but less well used");
    }
}

weft_status forecast_make(weft_plan *plan, const forecast_wish *wish, forecast *f)
{
    weft_status status = wish->items > 0 ? weft_plan_set_items(plan, wish->items) : WEFT_OK;
    f->info = weft_plan_describe(plan);
    f->rows = 0;
    const number_list ranks = wish->ranks.count > 0 ? wish->ranks : ladder();
    const number_list last = {.count = 1, .number = {f->info->workers}};
    const number_list workers = wish->workers.count > 0 ? wish->workers : last;
    const int schedules = wish->schedules > 0 ? wish->schedules : 1;
    if (schedules * ranks.count * workers.count > FORECAST_MOST) {
        return WEFT_ERR_USAGE;
    }
    for (int i = 0; i < schedules * ranks.count * workers.count && status == WEFT_OK; i++) {
        const weft_layout layout = {
            .ranks = ranks.number[i / workers.count % ranks.count],
            .workers = workers.number[i % workers.count],
            .schedule = wish->schedules > 0 ? wish->schedule[i / workers.count / ranks.count]
                                            : weft_schedule_name(0),
            .cores = wish->cores,
            .latency_s = wish->latency_s};
        status = predict(plan, &layout, f);
    }
    if (status == WEFT_OK) {
        advise(f);
    }
    return status;
}

static void add_info(const weft_plan_info *part, weft_plan_info *sum)
{
    sum->count += part->count;
    sum->tiles += part->tiles;
    sum->measured += part->measured;
    sum->missing += part->missing;
    sum->work_s += part->work_s;
    sum->longest_s = part->longest_s > sum->longest_s ? part->longest_s : sum->longest_s;
    sum->cores = part->cores > sum->cores ? part->cores : sum->cores;
}

/* A row of all maps. */
static void add_up_row(forecast *const maps[], int count, int number, forecast_row *row)
{
    weft_prediction alone[WEFT_MAX_MAPS];
    weft_prediction sharing[WEFT_MAX_MAPS];
    *row = (forecast_row){.layout = maps[0]->row[number].layout};
    for (int i = 0; i < count; i++) {
        const forecast_row *part = &maps[i]->row[number];
        alone[i] = part->p;
        sharing[i] = part->shared ? part->sharing : part->p;
        row->shared = row->shared || part->shared;
    }
    weft_prediction_sum(alone, count, &row->p);
    weft_prediction_sum(sharing, count, &row->sharing);
}

void forecast_add_up(forecast *const maps[], int count, forecast *all)
{
    all->sum = (weft_plan_info){.count = 0};
    all->info = &all->sum;
    all->rows = maps[0]->rows;
    for (int i = 0; i < count; i++) {
        add_info(maps[i]->info, &all->sum);
    }
    for (int number = 0; number < all->rows; number++) {
        add_up_row(maps, count, number, &all->row[number]);
    }
    advise(all);
}
