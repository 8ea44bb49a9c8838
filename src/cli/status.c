/* SPDX-License-Identifier: BSD-3-Clause */
/* weft status: how far a result is, while its job runs and afterwards. */
#include "status.h"

#include "base/clock.h"
#include "base/terminal.h"
#include "command.h"

#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static const int64_t watch_ns = INT64_C(1000000000);

static weft_status read_runs(weft_result *result, report *r)
{
    weft_status status = WEFT_OK;
    for (int i = 0; i < r->progress.runs && status == WEFT_OK; i++) {
        report_run *run = &r->runs[i];
        weft_result_run *row = &run->row;
        status = weft_result_get_run(result, i, row);
        terminal_clean(row->host_names);
        terminal_clean(row->command);
        (void)weft_states_share(row->state_s, run->percent);
        run->duration_s = row->end_s - row->start_s;
        run->efficiency = run->duration_s > 0 && row->workers > 0
                              ? fmin(row->busy_s / (run->duration_s * row->workers), 1)
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

static weft_status read_values(weft_result *result, report *r)
{
    weft_status status = WEFT_OK;
    for (int i = 0; i < r->info.reductions && status == WEFT_OK; i++) {
        status = value_read(result, i, &r->values[i]);
    }
    return status;
}

static report_state state_of(const report *r)
{
    if (r->progress.running || (r->progress.in_use && r->info.maps == 1)) {
        return REPORT_RUNNING;
    }
    if (r->progress.items_done < r->info.count) {
        const bool begun = r->progress.runs > 0 || r->progress.items_done > 0;
        return r->progress.in_use ? REPORT_WAITING : begun ? REPORT_INTERRUPTED : REPORT_NOT_BEGUN;
    }
    return r->progress.items_failed > 0 ? REPORT_COMPLETE_WITH_FAILED_ITEMS : REPORT_COMPLETE;
}

/* A large count may round to 100 before all is done. */
static double percent_of(int64_t done, int64_t count)
{
    return done == count ? 100 : fmin(100 * (double)done / (double)count, nextafter(100, 0));
}

const report_run *report_last_run(const report *r)
{
    return r->progress.runs > 0 ? &r->runs[r->progress.runs - 1] : NULL;
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

static weft_status gather(weft_result *result, int map, report *r)
{
    weft_status status = weft_result_set_map(result, map);
    if (status == WEFT_OK) {
        status = weft_result_get_progress(result, &r->progress);
    }
    if (status != WEFT_OK) {
        return status;
    }
    r->info = *weft_result_describe(result);
    r->fields = calloc((size_t)r->info.fields + 1, sizeof *r->fields);
    r->runs = calloc((size_t)r->progress.runs + 1, sizeof *r->runs);
    r->failures = calloc((size_t)r->progress.failures + 1, sizeof *r->failures);
    r->values = calloc((size_t)r->info.reductions + 1, sizeof *r->values);
    r->needs = calloc((size_t)r->info.needs + 1, sizeof *r->needs);
    if (r->fields == NULL || r->runs == NULL || r->failures == NULL || r->values == NULL ||
        r->needs == NULL) {
        return WEFT_ERR_MEMORY;
    }
    for (int i = 0; i < r->info.fields; i++) {
        r->fields[i] = *weft_result_field(result, i);
    }
    for (int i = 0; i < r->info.needs; i++) {
        (void)snprintf(r->needs[i], sizeof r->needs[i], "%s", weft_result_need(result, i));
    }
    status = read_runs(result, r);
    if (status == WEFT_OK) {
        status = read_failures(result, r);
    }
    if (status == WEFT_OK) {
        status = read_values(result, r);
    }
    terminal_clean(r->progress.user);
    terminal_clean(r->info.name);
    terminal_clean(r->info.version);
    terminal_clean(r->info.created);
    r->state = state_of(r);
    r->tiles_ready = r->progress.in_use ? r->info.tiles - r->progress.tiles_done -
                                              r->progress.tiles_leased - r->progress.tiles_blocked
                                        : 0;
    r->percent = percent_of(r->progress.items_done, r->info.count);
    estimate(r);
    return status;
}

static void release(report *r)
{
    for (int i = 0; i < r->info.reductions && r->values != NULL; i++) {
        value_release(&r->values[i]);
    }
    free(r->needs);
    free(r->values);
    free(r->failures);
    free(r->runs);
    free(r->fields);
}

static weft_status print_maps(weft_result *result, const char *path, const char *map, bool as_json,
                              bool *in_use)
{
    report reports[WEFT_MAX_MAPS] = {{.path = NULL}};
    int first = 0;
    int end = 0;
    weft_status status = command_choose_maps(result, map, &first, &end);
    const int maps = end - first;
    for (int i = 0; i < maps && status == WEFT_OK; i++) {
        reports[i].path = path;
        status = gather(result, first + i, &reports[i]);
        *in_use = *in_use || reports[i].progress.in_use;
    }
    if (status == WEFT_OK && as_json) {
        status = report_print_json(reports, maps);
    }
    for (int i = 0; i < maps; i++) {
        if (status == WEFT_OK && !as_json) {
            (void)printf("%s", i > 0 ? "\n\n" : "");
            report_print_text(&reports[i]);
        }
        release(&reports[i]);
    }
    return status;
}

/* Tells of the file as it is now; whether a run has it. */
static weft_status print_file(const command_file *file, const char *map, bool as_json, bool *in_use)
{
    weft_result *result = NULL;
    weft_status status = weft_result_open(file->path, &result);
    if (status == WEFT_OK) {
        status = print_maps(result, file->shown, map, as_json, in_use);
    }
    if (status != WEFT_OK) {
        (void)command_failed(status, weft_result_error_text(result));
    }
    weft_result_close(result);
    return status;
}

/* Again and again, as long as a run has the file. On a terminal each time takes the place of the
 * last. */
static weft_status watch_file(const command_file *file, const char *map)
{
    const bool terminal = isatty(STDOUT_FILENO) == 1;
    bool in_use = true;
    weft_status status = WEFT_OK;
    while (status == WEFT_OK && in_use) {
        in_use = false;
        (void)fputs(terminal ? "\033[H\033[2J" : "", stdout);
        status = print_file(file, map, false, &in_use);
        (void)fputs(terminal || !in_use ? "" : "\n\n", stdout);
        if (status == WEFT_OK && fflush(stdout) != 0) {
            break; /* nobody reads it, which main() says */
        }
        if (status == WEFT_OK && in_use) {
            clock_sleep_ns(watch_ns);
        }
    }
    return status;
}

static weft_status run_status(int argc, char **argv)
{
    bool as_json = false;
    bool watch = false;
    const char *map = NULL;
    const weft_option options[] = {{"json", NULL, WEFT_OPTION_FLAG, &as_json, ""},
                                   {"watch", NULL, WEFT_OPTION_FLAG, &watch, ""},
                                   {"map", "NAME", WEFT_OPTION_STRING, &map, ""},
                                   {0}};
    command_file file;
    bool in_use = false;
    const weft_status status = command_read(&status_command, options, argc, argv, &file);
    if (status != WEFT_OK) {
        return status;
    }
    if (watch && as_json) {
        return command_failed(WEFT_ERR_USAGE,
                              "--watch is for people, and --json for programs: give "
                              "one of them");
    }
    return watch ? watch_file(&file, map) : print_file(&file, map, as_json, &in_use);
}

const command status_command = {
    .name = "status",
    .summary = "how far a result is, who is running it, what went wrong",
    .help =
        "usage: weft status FILE [--map NAME] [--json | --watch]\n"
        "\n"
        "Says how far a result is: while its job runs, after a kill, when it is complete; and "
        "what its\n"
        "reductions have come to, once their map is complete. Nothing is written or locked. Of "
        "a file\n"
        "with several maps each is told of, one under the other.\n"
        "\n"
        "options\n"
        "  --map NAME  this map alone\n"
        "  --json      for programs: everything, with all runs and all failures; of several "
        "maps, a\n"
        "              list of them, \"maps\"\n"
        "  --watch     renews itself every second, as long as a run has the file\n"
        "  --help      this text\n"
        "\n"
        "While a run has the file it says what its workers do; then, where their time went: "
        "computing,\n"
        "waiting for the disk, waiting for work (what is left is with others), or elsewhere (at "
        "another\n"
        "map, a child is forked, their rank is lost, the program does something else).\n"
        "\n"
        "Of its tiles, those that wait for a map that this one needs are blocked, those that "
        "nobody has\n"
        "are ready.\n"
        "\n"
        "The state is one of\n"
        "  running                     a run is writing to the file now\n"
        "  waiting                     it is at another of the file's maps\n"
        "  complete                    every item is in the result\n"
        "  complete with failed items  the same, but some hold fill values\n"
        "  interrupted                 run the same command again to continue\n"
        "  not begun                   the same, and nothing of the map is computed yet\n"
        "\n"
        "Exit status: 0 if the file could be read, whatever its state; 1 if it is damaged or "
        "cannot\n"
        "be read; 2 if it is not a result of weft.\n",
    .run = run_status,
};
