/* SPDX-License-Identifier: BSD-3-Clause */
/* The predictions for several layouts of a job, and what they amount to. */
#include "forecast.h"

#include <stddef.h>
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
        forecast_advise(f);
    }
    return status;
}
