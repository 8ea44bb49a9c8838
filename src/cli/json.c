/* SPDX-License-Identifier: BSD-3-Clause */
/* What programs read: a report and a forecast as JSON; sole owner of jansson. */
#include "forecast.h"
#include "status.h"

#include <jansson.h>
#include <math.h>
#include <stdbool.h>
#include <stdio.h>

/* JSON knows neither NaN nor infinity. */
static json_t *number(double value)
{
    return isfinite(value) ? json_real(value) : json_null();
}

/* Adds members, each a list, whose names end with NULL, to an object, which is then complete; on
 * failure all of them are freed, and it is NULL. */
static json_t *add_lists(json_t *root, const char *const name[], json_t *const list[])
{
    bool good = root != NULL;
    for (int i = 0; name[i] != NULL; i++) {
        good = json_object_set_new(root, name[i], list[i]) == 0 && good;
    }
    if (!good) {
        json_decref(root);
    }
    return good ? root : NULL;
}

/* Prints an object and frees it. */
static weft_status print(json_t *root)
{
    if (root == NULL) {
        return WEFT_ERR_MEMORY;
    }
    (void)json_dumpf(root, stdout, JSON_INDENT(2));
    (void)putchar('\n');
    json_decref(root);
    return WEFT_OK;
}

static const char *state_name(report_state state)
{
    switch (state) {
    case REPORT_RUNNING:
        return "running";
    case REPORT_COMPLETE:
        return "complete";
    case REPORT_COMPLETE_WITH_FAILED_ITEMS:
        return "complete_with_failed_items";
    case REPORT_WAITING:
        return "waiting";
    case REPORT_NOT_BEGUN:
        return "not_begun";
    case REPORT_INTERRUPTED:
        break;
    }
    return "interrupted";
}

/* Jansson's integers end at 2^63 - 1, as weft's own --seed does; of what another program may have
 * written, no digit is lost. */
static json_t *seed_value(uint64_t seed)
{
    if (seed <= INT64_MAX) {
        return json_integer((json_int_t)seed);
    }
    return json_sprintf("%llu", (unsigned long long)seed);
}

static json_t *extents(int ndims, const int64_t shape[])
{
    json_t *list = json_array();
    for (int i = 0; i < ndims; i++) {
        (void)json_array_append_new(list, json_integer(shape[i]));
    }
    return list;
}

static json_t *list_fields(const report *r)
{
    json_t *list = json_array();
    for (int i = 0; i < r->info.fields; i++) {
        const weft_field_info *field = &r->fields[i];
        json_t *entry =
            json_pack("{s:s, s:s, s:o, s:I}", "name", field->name, "type",
                      weft_type_name(field->type), "shape", extents(field->ndims, field->shape),
                      "item_bytes", (json_int_t)field->item_bytes);
        (void)json_array_append_new(list, entry);
    }
    return list;
}

/* Elements first … first + count - 1 of a value. */
static json_t *elements(const report_value *v, int64_t first, int64_t count)
{
    json_t *list = json_array();
    for (int64_t i = first; i < first + count; i++) {
        json_t *entry = value_is_integer(v) ? json_integer((json_int_t)value_integer(v, i))
                                            : number(value_element(v, i));
        (void)json_array_append_new(list, entry);
    }
    return list;
}

static json_t *list_numbers(const report_value *v)
{
    json_t *list = v->numbers == NULL ? json_null() : json_array();
    for (int64_t i = 0; i < v->info.numbers && v->numbers != NULL; i++) {
        (void)json_array_append_new(list, number(v->numbers[i]));
    }
    return list;
}

/* Elements by their names. */
static json_t *named(const report_value *v, const char *const names[])
{
    json_t *object = json_object();
    for (int i = 0; names[i] != NULL; i++) {
        (void)json_object_set_new(object, names[i], number(value_element(v, i)));
    }
    return object;
}

static json_t *describe_histogram(const report_value *v)
{
    const int64_t bins = v->info.numbers - 1;
    return json_pack("{s:o, s:o, s:I, s:I, s:I}", "edges", list_numbers(v), "bins",
                     elements(v, 0, bins), "below", (json_int_t)value_integer(v, bins), "above",
                     (json_int_t)value_integer(v, bins + 1), "nan",
                     (json_int_t)value_integer(v, bins + 2));
}

static json_t *describe_covariance(const report_value *v)
{
    json_t *rows = json_array();
    int64_t k = 1;
    while (1 + k + k * k < value_elements(v)) {
        k++;
    }
    for (int64_t i = 0; i < k; i++) {
        (void)json_array_append_new(rows, elements(v, 1 + k + i * k, k));
    }
    return json_pack("{s:o, s:o, s:o}", "count", number(value_element(v, 0)), "means",
                     elements(v, 1, k), "covariances", rows);
}

static json_t *describe_value(const report_value *v)
{
    static const char *const moments[] = {"count",    "mean",     "error", "variance",
                                          "skewness", "kurtosis", NULL};
    static const char *const extremes[] = {"minimum", "minimum_item", "maximum", "maximum_item",
                                           "count",   "nan",          NULL};
    if (v->status != WEFT_OK) {
        return json_null();
    }
    switch (v->info.kind) {
    case WEFT_REDUCE_MOMENTS:
        return named(v, moments);
    case WEFT_REDUCE_EXTREMES:
        return named(v, extremes);
    case WEFT_REDUCE_HISTOGRAM:
        return describe_histogram(v);
    case WEFT_REDUCE_COVARIANCE:
        return describe_covariance(v);
    case WEFT_REDUCE_QUANTILES:
        return json_pack("{s:o, s:o}", "probabilities", list_numbers(v), "values",
                         elements(v, 0, value_elements(v)));
    case WEFT_REDUCE_SUM:
        return number(value_element(v, 0));
    case WEFT_REDUCE_INT64_SUM:
        return json_integer((json_int_t)value_integer(v, 0));
    case WEFT_REDUCE_OWN:
    case WEFT_REDUCE_KINDS:
        break;
    }
    return elements(v, 0, value_elements(v));
}

static json_t *list_values(const report *r)
{
    static const char *const kinds[] = {
#define KIND(enumerator, name) #name,
        WEFT_REDUCTION_MAP(KIND)
#undef KIND
    };
    json_t *list = json_array();
    for (int i = 0; i < r->info.reductions; i++) {
        const report_value *v = &r->values[i];
        json_t *entry =
            json_pack("{s:s, s:s, s:s, s:s, s:o, s:b, s:o}", "name", v->info.name, "kind",
                      kinds[v->info.kind], "what", v->info.what, "type",
                      weft_type_name(v->info.type), "shape", extents(v->info.ndims, v->info.shape),
                      "damaged", (int)(v->status == WEFT_ERR_CORRUPT), "value", describe_value(v));
        (void)json_array_append_new(list, entry);
    }
    return list;
}

/* What its workers have spent in each state, and how many are in it now. */
static json_t *describe_states(const report_run *run)
{
    json_t *states = json_object();
    for (int i = 0; i < WEFT_STATES; i++) {
        (void)json_object_set_new(states, weft_state_name((weft_state)i),
                                  json_pack("{s:o, s:i, s:i}", "seconds",
                                            number(run->row.state_s[i]), "percent", run->percent[i],
                                            "workers_now", run->row.workers_now[i]));
    }
    return states;
}

static json_t *list_runs(const report *r)
{
    json_t *list = json_array();
    for (int i = 0; i < r->progress.runs; i++) {
        const report_run *run = &r->runs[i];
        const weft_result_run *row = &run->row;
        json_t *entry = json_pack(
            "{s:o, s:o, s:o, s:i, s:i, s:i, s:i, s:s, s:I, s:I, s:I, s:o, s:o, s:o, s:o, s:i, "
            "s:i, s:o, s:I, s:s, s:s, s:o}",
            "start_s", number(row->start_s), "end_s", number(row->end_s), "duration_s",
            number(run->duration_s), "ranks", row->ranks, "workers", row->workers, "hosts",
            row->hosts, "cores", row->cores, "host_names", row->host_names, "items",
            (json_int_t)row->items, "failed", (json_int_t)row->failed, "duplicates",
            (json_int_t)row->duplicates, "busy_s", number(row->busy_s), "cpu_s", number(row->cpu_s),
            "wait_s", number(row->wait_s), "efficiency", number(run->efficiency), "lost", row->lost,
            "lost_rank", row->lost > 0 ? row->lost_rank : -1, "lost_at_s",
            row->lost > 0 ? json_real(row->lost_at) : json_null(), "lost_items",
            (json_int_t)row->lost_items, "outcome", weft_outcome_text(row->outcome), "command",
            row->command, "states", describe_states(run));
        (void)json_array_append_new(list, entry);
    }
    return list;
}

static json_t *list_failures(const report *r)
{
    json_t *list = json_array();
    for (int64_t i = 0; i < r->progress.failures; i++) {
        const weft_result_failure *failure = &r->failures[i];
        json_t *entry = json_pack("{s:I, s:i, s:s}", "item", (json_int_t)failure->item, "code",
                                  failure->code, "text", failure->text);
        (void)json_array_append_new(list, entry);
    }
    return list;
}

static json_t *list_needs(const report *r)
{
    json_t *list = json_array();
    for (int i = 0; i < r->info.needs; i++) {
        (void)json_array_append_new(list, json_string(r->needs[i]));
    }
    return list;
}

static json_t *describe_job(const report *r)
{
    const weft_result_info *info = &r->info;
    return json_pack("{s:s, s:o, s:s, s:s, s:o, s:I, s:I, s:I, s:o, s:o}", "map", info->name,
                     "needs", list_needs(r), "weft_version", info->version, "created",
                     info->created, "shape", extents(info->ndims, info->shape), "count",
                     (json_int_t)info->count, "grain", (json_int_t)info->grain, "tiles",
                     (json_int_t)info->tiles, "seed", seed_value(info->seed), "fields",
                     list_fields(r));
}

static json_t *describe_progress(const report *r)
{
    const weft_result_progress *progress = &r->progress;
    return json_pack(
        "{s:s, s:s, s:o, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:o, s:b, s:s, s:o, s:o, s:o}",
        "file", r->path, "state", state_name(r->state), "percent", number(r->percent), "items_done",
        (json_int_t)progress->items_done, "items_failed", (json_int_t)progress->items_failed,
        "tiles_done", (json_int_t)progress->tiles_done, "tiles_blocked",
        (json_int_t)progress->tiles_blocked, "tiles_leased", (json_int_t)progress->tiles_leased,
        "tiles_ready", (json_int_t)r->tiles_ready, "tiles_quarantined",
        (json_int_t)progress->tiles_quarantined, "tiles_damaged", (json_int_t)progress->tiles_bad,
        "busy_s", number(progress->busy_s), "in_use", (int)progress->in_use, "used_by",
        progress->user, "items_per_s", number(r->rate), "remaining_s", number(r->remaining_s),
        "silence_s", number(r->silence_s));
}

static json_t *describe_map(const report *r)
{
    json_t *root = describe_progress(r);
    json_t *job = describe_job(r);
    const int failed = json_object_update(root, job);
    json_decref(job);
    if (failed != 0) {
        json_decref(root);
        return NULL;
    }
    return add_lists(root, (const char *const[]){"reductions", "runs", "failures", NULL},
                     (json_t *const[]){list_values(r), list_runs(r), list_failures(r)});
}

weft_status report_print_json(const report reports[], int count)
{
    if (count == 1) {
        return print(describe_map(&reports[0]));
    }
    json_t *maps = json_array();
    bool good = maps != NULL;
    for (int i = 0; i < count; i++) {
        good = json_array_append_new(maps, describe_map(&reports[i])) == 0 && good;
    }
    if (!good) {
        json_decref(maps);
        return WEFT_ERR_MEMORY;
    }
    return print(add_lists(json_pack("{s:s}", "file", reports[0].path),
                           (const char *const[]){"maps", NULL}, (json_t *const[]){maps}));
}

static json_t *describe_forecast(const forecast *f, const char *path)
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

static json_t *describe_map_forecast(const forecast *f, const char *path)
{
    return add_lists(describe_forecast(f, path), (const char *const[]){"predictions", NULL},
                     (json_t *const[]){list_predictions(f)});
}

/* What all maps are in one sequence. */
static json_t *describe_sequence(const forecast *f)
{
    const weft_plan_info *info = f->info;
    return add_lists(json_pack("{s:I, s:I, s:o, s:o, s:s}", "count", (json_int_t)info->count,
                               "tiles", (json_int_t)info->tiles, "work_s", number(info->work_s),
                               "longest_s", number(info->longest_s), "advice", f->advice),
                     (const char *const[]){"predictions", NULL},
                     (json_t *const[]){list_predictions(f)});
}

weft_status forecast_print_json(const forecast_maps *maps, const char *path)
{
    if (maps->all == NULL) {
        return print(describe_map_forecast(maps->map[0], path));
    }
    json_t *list = json_array();
    json_t *left_out = json_array();
    for (int i = 0; i < maps->count; i++) {
        (void)json_array_append_new(list, describe_map_forecast(maps->map[i], path));
    }
    for (int i = 0; i < maps->left_out; i++) {
        (void)json_array_append_new(left_out, json_string(maps->name[i]));
    }
    return print(add_lists(json_pack("{s:s}", "file", path),
                           (const char *const[]){"maps", "left_out", "sequence", NULL},
                           (json_t *const[]){list, left_out, describe_sequence(maps->all)}));
}
