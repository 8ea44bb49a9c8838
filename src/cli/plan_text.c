/* SPDX-License-Identifier: BSD-3-Clause */
/* A forecast as a table for people. */
#include "base/clock.h"
#include "base/number.h"
#include "forecast.h"
#include "table.h"

#include <inttypes.h>
#include <stdio.h>

static void print_work(const weft_plan_info *info)
{
    (void)printf("work      %" PRId64 " items in %" PRId64 " tiles: %s for one worker, %s for the "
                 "longest tile\n",
                 info->count, info->tiles, clock_duration(info->work_s).text,
                 clock_duration(info->longest_s).text);
}

static void print_measured(const weft_plan_info *info)
{
    (void)printf("measured  %" PRId64 " tiles", info->measured);
    if (info->missing > 0) {
        (void)printf("; the other %" PRId64 " are taken to be like those around them",
                     info->missing);
    }
    (void)printf("\nmachine   last run: %d rank%s x %d worker%s", info->ranks,
                 number_plural(info->ranks), info->workers, number_plural(info->workers));
    if (info->cores > 0) {
        (void)printf(", %d core%s; a worker needs one for %.0f %% of its time", info->cores,
                     number_plural(info->cores), 100 * info->cpu_share);
    }
    (void)printf("\n");
}

static void print_check(const weft_plan_info *info)
{
    if (info->runs == 0) {
        (void)printf("checked   against nothing: no run in the file is complete; %.0f %% of error "
                     "are assumed\n",
                     100 * info->misfit);
        return;
    }
    (void)printf("checked   against %d complete run%s: %.2f s + %.3f x what is simulated, %.1f %% "
                 "off\n",
                 info->runs, number_plural(info->runs), info->cost_s, info->factor,
                 100 * info->misfit);
}

static void put_row(table *t, const forecast *f, const forecast_row *row, bool sharing)
{
    table_put(t, "%d x %d", row->layout.ranks, row->layout.workers);
    table_put(t, "%s", row->layout.schedule);
    table_put_duration(t, row->p.makespan_s);
    table_put_duration(t, row->p.makespan_low_s);
    table_put_duration(t, row->p.makespan_high_s);
    table_put_share(t, row->p.efficiency);
    if (f->info->missing > 0) {
        table_put_duration(t, row->p.remaining_s);
    }
    if (sharing) {
        table_put_duration(t, row->shared ? row->sharing.makespan_s : row->p.makespan_s);
    }
}

static void print_rows(const forecast *f, bool sharing)
{
    const bool half = f->info->missing > 0;
    table t = {.align = half && sharing ? "rlrrrrrr" : half || sharing ? "rlrrrrr" : "rlrrrr"};
    table_begin_row(&t, "limited by");
    table_put(&t, "ranks x workers");
    table_put(&t, "schedule");
    table_put(&t, "time");
    table_put(&t, "from");
    table_put(&t, "to");
    table_put(&t, "used");
    if (half) {
        table_put(&t, "left");
    }
    if (sharing) {
        table_put(&t, "on %d core%s", f->info->cores, number_plural(f->info->cores));
    }
    for (int i = 0; i < f->rows; i++) {
        const forecast_row *row = &f->row[i];
        table_begin_row(&t, row->p.limit == WEFT_LIMIT_NONE ? "" : weft_limit_text(row->p.limit));
        put_row(&t, f, row, sharing);
    }
    table_print(&t);
}

/* Of one map, or of all of them together. */
static void print_forecast(const forecast *f)
{
    bool sharing = false;
    for (int i = 0; i < f->rows; i++) {
        sharing = sharing || f->row[i].shared;
    }
    (void)printf("%s\n\n", f->advice);
    print_work(f->info);
    if (f->info != &f->sum) {
        print_measured(f->info);
        print_check(f->info);
    }
    if (f->row[0].layout.cores > 0) {
        (void)printf("cores     %g for all workers\n", f->row[0].layout.cores);
    } else {
        (void)printf("cores     one for each worker\n");
    }
    (void)printf("\n");
    print_rows(f, sharing);
}

void forecast_print_text(const forecast_maps *maps, const char *path)
{
    for (int i = 0; i < maps->count; i++) {
        (void)printf("%s", path);
        if (maps->all != NULL) {
            (void)printf(", map %s", maps->map[i]->info->name);
        }
        (void)printf(": ");
        print_forecast(maps->map[i]);
        (void)printf("%s", maps->all != NULL ? "\n" : "");
    }
    if (maps->all != NULL && maps->count > 1) {
        (void)printf("%s, %d maps one after the other: ", path, maps->count);
        print_forecast(maps->all);
    }
    for (int i = 0; i < maps->left_out; i++) {
        (void)printf("%smap %s is left out: none of its tiles has been measured\n",
                     i == 0 ? "\n" : "", maps->name[i]);
    }
}
