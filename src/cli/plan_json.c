/* SPDX-License-Identifier: BSD-3-Clause */
/* A forecast as JSON for programs. */
#include "plan_json.h"

#include <jansson.h>
#include <math.h>
#include <stdio.h>

/* JSON knows neither NaN nor infinity. */
static json_t *number(double value)
{
    return isfinite(value) ? json_real(value) : json_null();
}

static json_t *describe(const forecast *f, const char *path)
{
    const weft_plan_info *info = f->info;
    return json_pack(
        "{s:s, s:s, s:I, s:I, s:I, s:I, s:I, s:o, s:o, s:i, s:i, s:i, s:o, s:o, s:i, s:o, s:o, "
        "s:o, s:s}",
        "file", path, "map", info->name, "count", (json_int_t)info->count, "grain",
        (json_int_t)info->grain, "tiles", (json_int_t)info->tiles, "tiles_measured",
        (json_int_t)info->measured, "tiles_missing", (json_int_t)info->missing, "work_s",
        number(info->work_s), "longest_s", number(info->longest_s), "ranks", info->ranks, "workers",
        info->workers, "cores", info->cores, "cpu_share", number(info->cpu_share), "spread",
        number(info->spread), "runs_compared", info->runs, "cost_s", number(info->cost_s), "factor",
        number(info->factor), "misfit", number(info->misfit), "advice", f->advice);
}

static json_t *describe_row(const weft_layout *layout, double cores, const weft_prediction *p)
{
    return json_pack(
        "{s:i, s:i, s:s, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:I, s:I, s:i, s:s}", "ranks",
        layout->ranks, "workers", layout->workers, "schedule", layout->schedule, "cores",
        cores > 0 ? number(cores) : json_null(), "makespan_s", number(p->makespan_s),
        "makespan_low_s", number(p->makespan_low_s), "makespan_high_s", number(p->makespan_high_s),
        "remaining_s", number(p->remaining_s), "remaining_low_s", number(p->remaining_low_s),
        "remaining_high_s", number(p->remaining_high_s), "efficiency", number(p->efficiency),
        "coordinator", number(p->coordinator), "chunks", (json_int_t)p->chunks, "duplicates",
        (json_int_t)p->duplicates, "replicates", p->replicates, "limit", weft_limit_text(p->limit));
}

static json_t *list_predictions(const forecast *f)
{
    json_t *all = json_array();
    for (int i = 0; i < f->rows; i++) {
        const forecast_row *row = &f->row[i];
        (void)json_array_append_new(all, describe_row(&row->layout, row->layout.cores, &row->p));
        if (row->shared) {
            (void)json_array_append_new(all,
                                        describe_row(&row->layout, f->info->cores, &row->sharing));
        }
    }
    return all;
}

weft_status plan_print_json(const forecast *f, const char *path)
{
    weft_status status = WEFT_ERR_MEMORY;
    json_t *root = describe(f, path);
    json_t *predictions = list_predictions(f);
    if (root != NULL && json_object_set(root, "predictions", predictions) == 0) {
        status = WEFT_OK;
        (void)json_dumpf(root, stdout, JSON_INDENT(2));
        (void)putchar('\n');
    }
    json_decref(predictions);
    json_decref(root);
    return status;
}
