/* SPDX-License-Identifier: BSD-3-Clause */
/* A report as a table for people, the most urgent first. */
#include "status.h"

#include "base/clock.h"
#include "base/number.h"
#include "table.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

/* The newest runs and the first failures; --json has them all. */
enum { MOST_RUNS = 20, MOST_FAILURES = 20 };

/* A coordinator that writes every second and has been silent for this long may be gone or stuck. */
static const double long_silence_s = 30;

/* Rounded down, since 100 says that nothing is left. */
static double percent(const report *r)
{
    return floor(10 * r->percent) / 10;
}

static void print_running(const report *r)
{
    (void)printf("running, %.1f %% done", percent(r));
    if (r->remaining_s > 0) {
        (void)printf(", about %s left", clock_duration(r->remaining_s).text);
    }
    if (r->silence_s > long_silence_s) {
        (void)printf(", but SILENT for %s: is it stuck?", clock_duration(r->silence_s).text);
    }
}

/* The first line: what it is, and what to do. */
static void print_headline(const report *r)
{
    if (r->info.maps > 1) {
        (void)printf("%s, map %s: ", r->path, r->info.name);
    } else {
        (void)printf("%s: ", r->path);
    }
    switch (r->state) {
    case REPORT_RUNNING:
        print_running(r);
        break;
    case REPORT_COMPLETE:
        (void)printf("complete");
        break;
    case REPORT_COMPLETE_WITH_FAILED_ITEMS:
        (void)printf("complete with failed items; the same command with --retry-failed computes "
                     "them again");
        break;
    case REPORT_WAITING:
        (void)printf("waiting, %.1f %% done: the run is at another map", percent(r));
        break;
    case REPORT_NOT_BEGUN:
        (void)printf("not begun; run the same command again to compute it");
        break;
    case REPORT_INTERRUPTED:
        (void)printf("interrupted, %.1f %% done; run the same command again to continue",
                     percent(r));
        break;
    }
    (void)printf("\n\n");
}

/* What the workers of the last run do, while it runs, and what they have done. */
static void print_workers(const report *r)
{
    static const int none[WEFT_STATES];
    const report_run *run = report_last_run(r);
    char now[128] = "";
    char shares[128] = "";
    if (run != NULL) {
        weft_states_print(r->progress.running ? run->row.workers_now : none, "", now, sizeof now);
        weft_states_print(run->percent, " %", shares, sizeof shares);
    }
    if (now[0] != '\0') {
        (void)printf("workers  %s now\n", now);
    }
    if (shares[0] != '\0') {
        (void)printf("time     %s\n", shares);
    }
}

static void print_user(const report *r)
{
    (void)printf("in use   by %s", r->progress.user);
    if (!isnan(r->silence_s)) {
        (void)printf(", last sign of life %s ago", clock_duration(r->silence_s).text);
    }
    if (isnan(r->rate)) {
        (void)printf("\nspeed    not known yet\n");
    } else {
        (void)printf("\nspeed    %.*f items/s\n", r->rate < 100 ? 3 : 0, r->rate);
    }
}

/* How the file came to rest and, where it has to be given again, by which command. */
static void print_last_run(const report *r)
{
    const report_run *run = report_last_run(r);
    if (run == NULL) {
        (void)printf("ended    no run has begun to compute yet\n");
        return;
    }
    (void)printf("ended    %s after %s: %s\n", clock_date(run->row.end_s).text,
                 clock_duration(run->duration_s).text, weft_outcome_text(run->row.outcome));
    if (r->state != REPORT_COMPLETE) {
        const bool cut = strlen(run->row.command) + 1 == sizeof run->row.command;
        (void)printf("command  %s%s\n", run->row.command, cut ? "..." : "");
    }
    if (r->state != REPORT_COMPLETE && run->row.ranks > 1) {
        (void)printf("layout   it had %d ranks under mpirun or srun; any other number will do\n",
                     run->row.ranks);
    }
}

static void print_progress(const report *r)
{
    (void)printf("items    %" PRId64 " of %" PRId64 " done, %" PRId64 " failed\n",
                 r->progress.items_done, r->info.count, r->progress.items_failed);
    if (r->progress.tiles_quarantined > 0) {
        (void)printf("quarantined: %" PRId64 " tiles contain items that crash their process; "
                     "--retry-failed tries these in child processes\n",
                     r->progress.tiles_quarantined);
    }
    if (r->progress.tiles_bad > 0) {
        (void)printf("damaged  %" PRId64 " tile records; the next run computes these tiles again\n",
                     r->progress.tiles_bad);
    }
    if (r->state == REPORT_RUNNING || r->state == REPORT_WAITING) {
        print_user(r);
    } else {
        print_last_run(r);
    }
    print_workers(r);
}

static void print_failures(const report *r)
{
    const int64_t rows = r->progress.failures;
    const int64_t shown = rows < MOST_FAILURES ? rows : MOST_FAILURES;
    if (shown > 0) {
        table t = {.align = "rr"};
        table_begin_row(&t, "what happened");
        table_put(&t, "failed item");
        table_put(&t, "code");
        for (int64_t i = 0; i < shown; i++) {
            const weft_result_failure *failure = &r->failures[i];
            table_begin_row(&t, failure->text);
            table_put(&t, "%" PRId64, failure->item);
            table_put(&t, "%d", failure->code);
        }
        (void)printf("\n");
        table_print(&t);
    }
    if (rows > shown) {
        (void)printf("... and %" PRId64 " more; --json lists them\n", rows - shown);
    }
    if (r->progress.items_failed > rows) {
        (void)printf("... and %" PRId64 " more, for which the file's table had no room\n",
                     r->progress.items_failed - rows);
    }
}

static void put_run(table *t, int number, const report_run *run)
{
    const weft_result_run *row = &run->row;
    table_put(t, "%d", number);
    table_put(t, "%s", clock_date(row->start_s).text);
    table_put_duration(t, run->duration_s);
    table_put(t, "%d", row->ranks);
    table_put(t, "%d", row->workers);
    table_put(t, "%d", row->hosts);
    table_put(t, "%" PRId64, row->items);
    table_put(t, "%" PRId64, row->failed);
    table_put(t, "%" PRId64, row->duplicates);
    table_put(t, "%d", row->lost);
    table_put_share(t, run->efficiency);
    table_put_share(t, row->wait_s > 0 && row->busy_s > 0 ? fmin(row->wait_s / row->busy_s, 1)
                                                          : (double)NAN);
    table_put(t, "%s", weft_outcome_text(row->outcome));
}

static void print_lost(int number, const weft_result_run *row)
{
    if (row->lost > 0) {
        (void)printf("run %d lost %d rank%s, the last of them rank %d at %s, with %" PRId64
                     " items in progress, which others computed\n",
                     number, row->lost, number_plural(row->lost), row->lost_rank,
                     clock_date(row->lost_at).text, row->lost_items);
    }
}

static void print_runs(const report *r)
{
    static const char *const titles[] = {"run",   "started", "took",   "ranks", "workers",
                                         "hosts", "items",   "failed", "twice", "lost",
                                         "busy",  "waited",  "outcome"};
    const int rows = r->progress.runs;
    const int first = rows > MOST_RUNS ? rows - MOST_RUNS : 0;
    if (rows == 0) {
        return;
    }
    table t = {.align = "rlrrrrrrrrrrl"};
    table_begin_row(&t, "command");
    for (size_t i = 0; i < sizeof titles / sizeof titles[0]; i++) {
        table_put(&t, "%s", titles[i]);
    }
    for (int i = first; i < rows; i++) {
        const char *command = r->runs[i].row.command;
        const bool same = i > first && strcmp(command, r->runs[i - 1].row.command) == 0;
        table_begin_row(&t, same ? "the same" : command);
        put_run(&t, i + 1, &r->runs[i]);
    }
    (void)printf("\n");
    table_print(&t);
    if (first > 0) {
        (void)printf("... and %d earlier; --json lists them\n", first);
    }
    for (int i = first; i < rows; i++) {
        print_lost(i + 1, &r->runs[i].row);
    }
}

/* "360 x 720", and nothing for a scalar. */
static void print_shape(int ndims, const int64_t shape[])
{
    for (int i = 0; i < ndims; i++) {
        (void)printf("%s%" PRId64, i > 0 ? " x " : "", shape[i]);
    }
}

static void print_tiles(const report *r)
{
    const weft_result_progress *progress = &r->progress;
    (void)printf("tiles    %" PRId64 " of %" PRId64 " done", progress->tiles_done, r->info.tiles);
    if (progress->tiles_blocked > 0) {
        (void)printf(", %" PRId64 " blocked", progress->tiles_blocked);
    } else if (progress->running) {
        (void)printf(", %" PRId64 " leased, %" PRId64 " ready", progress->tiles_leased,
                     r->tiles_ready);
    } else if (r->tiles_ready > 0) {
        (void)printf(", %" PRId64 " ready", r->tiles_ready);
    }
    (void)printf(", grain %" PRId64 "\n", r->info.grain);
}

static void print_job(const report *r)
{
    const weft_result_info *info = &r->info;
    (void)printf("\njob      %s, ", info->name);
    print_shape(info->ndims, info->shape);
    (void)printf(" items, seed %" PRIu64 "\n", info->seed);
    print_tiles(r);
    for (int i = 0; i < info->needs; i++) {
        (void)printf("%s%s%s", i == 0 ? "needs    " : ", ", r->needs[i],
                     i + 1 == info->needs ? "\n" : "");
    }
    (void)printf("created  %s by weft %s\n", info->created, info->version);
    for (int i = 0; i < info->fields; i++) {
        const weft_field_info *field = &r->fields[i];
        (void)printf("%-8s /%s/%s, %s", i == 0 ? "fields" : "", info->name, field->name,
                     weft_type_name(field->type));
        if (field->ndims > 0) {
            (void)printf("[");
            print_shape(field->ndims, field->shape);
            (void)printf("]");
        }
        (void)printf(", %" PRId64 " B an item\n", field->item_bytes);
    }
}

static void print_values(const report *r)
{
    int width = 0;
    for (int i = 0; i < r->info.reductions; i++) {
        const int length = (int)strlen(r->values[i].info.name);
        width = length > width ? length : width;
    }
    for (int i = 0; i < r->info.reductions; i++) {
        (void)printf("%-8s /%s/%-*s  ", i == 0 ? "values" : "", r->info.name, width,
                     r->values[i].info.name);
        value_print(&r->values[i], 9);
    }
}

void report_print_text(const report *r)
{
    print_headline(r);
    print_progress(r);
    print_failures(r);
    print_runs(r);
    print_job(r);
    print_values(r);
}
