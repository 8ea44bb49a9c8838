/* SPDX-License-Identifier: BSD-3-Clause */
/* All there is to say of a result: read from the file, and what follows from it. */
#include "status_data.h"

#include "base/clock.h"
#include "base/terminal.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static weft_status read_runs(weft_result *result, report *r)
{
    weft_status status = WEFT_OK;
    for (int i = 0; i < r->progress.runs && status == WEFT_OK; i++) {
        report_run *run = &r->runs[i];
        weft_result_run *row = &run->row;
        status = weft_result_get_run(result, i, row);
        terminal_clean(row->host_names);
        terminal_clean(row->command);
        run->duration_s = row->end_s - row->start_s;
        run->efficiency = run->duration_s > 0 && row->workers > 0
                              ? row->busy_s / (run->duration_s * row->workers)
                              : (double)NAN;
    }
    return status;
}

static weft_status read_failures(weft_result *result, report *r)
{
    weft_status status = WEFT_OK;
    for (int64_t i = 0; i < r->progress.failures && status == WEFT_OK; i++) {
        status = weft_result_get_failure(result, i, &r->failures[i]);
        terminal_clean(r->failures[i].text);
    }
    return status;
}

static report_state state_of(const report *r)
{
    if (r->progress.in_use) {
        return REPORT_RUNNING;
    }
    if (r->progress.items_done < r->info.count) {
        return REPORT_INTERRUPTED;
    }
    return r->progress.items_failed > 0 ? REPORT_COMPLETE_WITH_FAILED_ITEMS : REPORT_COMPLETE;
}

/* A large count may round to 100 before all is done. */
static double percent_of(int64_t done, int64_t count)
{
    return done == count ? 100 : fmin(100 * (double)done / (double)count, nextafter(100, 0));
}

static void estimate(report *r)
{
    const report_run *run = report_last_run(r);
    r->rate = r->remaining_s = r->silence_s = (double)NAN;
    if (r->state != REPORT_RUNNING || run == NULL || run->row.outcome != WEFT_OUTCOME_RUNNING) {
        return;
    }
    r->silence_s = fmax(0, clock_wall_s() - run->row.end_s);
    if (run->row.items > 0 && run->duration_s > 0) {
        r->rate = (double)run->row.items / run->duration_s;
        r->remaining_s = (double)(r->info.count - r->progress.items_done) / r->rate;
    }
}

weft_status report_gather(weft_result *result, const char *path, report *r)
{
    *r = (report){.result = result, .info = *weft_result_describe(result), .path = strdup(path)};
    weft_status status =
        r->path == NULL ? WEFT_ERR_MEMORY : weft_result_get_progress(result, &r->progress);
    if (status != WEFT_OK) {
        return status;
    }
    r->runs = calloc((size_t)r->progress.runs + 1, sizeof *r->runs);
    r->failures = calloc((size_t)r->progress.failures + 1, sizeof *r->failures);
    if (r->runs == NULL || r->failures == NULL) {
        return WEFT_ERR_MEMORY;
    }
    status = read_runs(result, r);
    if (status == WEFT_OK) {
        status = read_failures(result, r);
    }
    terminal_clean(r->path);
    terminal_clean(r->progress.user);
    terminal_clean(r->info.name);
    terminal_clean(r->info.version);
    terminal_clean(r->info.created);
    r->state = state_of(r);
    r->percent = percent_of(r->progress.items_done, r->info.count);
    estimate(r);
    return status;
}

void report_release(report *r)
{
    free(r->failures);
    free(r->runs);
    free(r->path);
    *r = (report){.path = NULL};
}

const report_run *report_last_run(const report *r)
{
    return r->progress.runs > 0 ? &r->runs[r->progress.runs - 1] : NULL;
}
