/* SPDX-License-Identifier: BSD-3-Clause */
/* The options that every program built on weft has. */
#include "api/options.h"

#include "base/clock.h"
#include "base/option.h"
#include "base/terminal.h"
#include "sched/pace.h"

#include <errno.h>
#include <float.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <weft/version.h>

enum { OPTIONS = 17, PROGRAM_NAME_BYTES = 256, TEXT_BYTES = 4096 };

/* Not given. */
static const int64_t none = INT64_MIN;

/* Options as they are given, before names are looked up. */
typedef struct given {
    const char *schedule;
    const char *progress;
    const char *log;
    const char *time_limit;
} given;

/* An option: all there is to say of it. */
typedef struct own_option {
    weft_option option; /* of its help every line but the last ends with '\n' … */
    const char *preset; /* … and this follows it; NULL: none */
    struct {
        double least;
        double most;
        const char *otherwise; /* what is said of another number; NULL: it may be any */
    } range;
} own_option;

enum { DAY_S = 86400 };

/* Every option, and where its argument goes. */
static void list_options(options *c, given *g, own_option table[OPTIONS])
{
    run_options *run = &c->run;
    const own_option own[] = {
        {.option = {"out", "FILE", WEFT_OPTION_STRING, &c->out,
                    "the result; resumed if it exists and is the same job's\n"
                    "(DIR/: the maps' names, .h5, in that folder)"}},
        {.option = {"threads", "N", WEFT_OPTION_INT64, &c->threads,
                    "workers per rank; 0: the main thread alone computes\n"
                    "(default: OMP_NUM_THREADS, or this rank's share of the\n"
                    "cores and of the CPU quota)"},
         .range = {0, 65535, " workers; it takes 0 (the main thread alone) to 65535"}},
        {.option = {"schedule", "NAME", WEFT_OPTION_STRING, &g->schedule,
                    "the technique by which work is shared out over ranks\n"},
         .preset = "auto"},
        {.option = {"grain", "N", WEFT_OPTION_INT64, &run->grain,
                    "items per tile (default: the file's, or automatic)"},
         .range = {1, DBL_MAX, " items per tile; it takes 1 or more"}},
        {.option = {"seed", "S", WEFT_OPTION_INT64, &run->seed,
                    "seed of the items' random streams"},
         .preset = "0",
         .range = {0, DBL_MAX, "; it takes 0 to 2^63 - 1"}},
        {.option = {"sync", "SECONDS", WEFT_OPTION_DOUBLE, &run->sync_s,
                    "force results to disk at least this often; 0: never\n"},
         .preset = PACE_SYNC_TEXT,
         .range = {0, DBL_MAX, " seconds; it takes 0 (never) or more"}},
        {.option = {"time-limit", "TIME", WEFT_OPTION_STRING, &g->time_limit,
                    "stop in good order, status 75, before this time has passed:\n"
                    "seconds, or [D-]H:MM:SS; 0: never\n"
                    "(default: what is left of the Slurm job, or never)"}},
        {.option = {"heartbeat", "SECONDS", WEFT_OPTION_DOUBLE, &run->heartbeat_s,
                    "how often each rank reports that it is alive"},
         .preset = "0.1",
         .range = {DBL_MIN, DAY_S, " seconds; it takes more than 0, up to 86400"}},
        {.option = {"dead-after", "SECONDS", WEFT_OPTION_DOUBLE, &run->dead_after_s,
                    "a rank silent for this long is presumed dead, and others\n"
                    "compute what it had; 0: never"},
         .preset = "5",
         .range = {0, DAY_S, " seconds; it takes 0 (never), or up to 86400"}},
        {.option = {"retry-failed", NULL, WEFT_OPTION_FLAG, &run->retry_failed,
                    "compute failed items again"}},
        {.option = {"fresh", NULL, WEFT_OPTION_FLAG, &run->fresh,
                    "start over; an existing result moves to FILE.bak, or to\n"
                    "FILE.bak.2 and so on; to continue after a stop, leave it out"}},
        {.option = {"isolate", NULL, WEFT_OPTION_FLAG, &run->isolate,
                    "compute everything in children of the workers, so that an item\n"
                    "that crashes costs nothing but itself"}},
        {.option = {"item-timeout", "S", WEFT_OPTION_DOUBLE, &run->item_timeout_s,
                    "end an item that takes longer; implies --isolate; 0: none\n"},
         .preset = "0",
         .range = {0, DBL_MAX, " seconds; it takes 0 (none) or more"}},
        {.option = {"progress", "MODE", WEFT_OPTION_STRING, &g->progress, "auto, always, never"},
         .preset = "auto"},
        {.option = {"log", "LEVEL", WEFT_OPTION_STRING, &g->log, "error, warning, info, debug"},
         .preset = "info"},
        {.option = {"help", NULL, WEFT_OPTION_FLAG, &c->help, "this text"}},
        {.option = {"version", NULL, WEFT_OPTION_FLAG, &c->version,
                    "which version of the program and of weft this is"}},
    };
    _Static_assert(sizeof own / sizeof own[0] == OPTIONS, "all options");
    memcpy(table, own, sizeof own);
}

/* A line of help for every line of the option's text. */
static void print_option(FILE *to, const weft_option *option, const char *preset)
{
    char left[64];
    (void)snprintf(left, sizeof left, "--%s %s", option->name,
                   option->argument == NULL ? "" : option->argument);
    (void)fprintf(to, "  %-21s ", left);
    char last = '\0';
    for (const char *at = option->help; *at != '\0'; at++) {
        last = *at;
        (void)fprintf(to, "%c%*s", last, last == '\n' ? 24 : 0, "");
    }
    if (preset != NULL) {
        (void)fprintf(to, "%s(default: %s)", last == '\n' ? "" : " ", preset);
    }
    (void)fputc('\n', to);
}

static char options_text[TEXT_BYTES];

static void write_options_text(void)
{
    options unused;
    given nothing;
    own_option table[OPTIONS];
    list_options(&unused, &nothing, table);
    FILE *to = fmemopen(options_text, sizeof options_text, "w");
    if (to == NULL) {
        return;
    }
    for (int i = 0; i < OPTIONS; i++) {
        print_option(to, &table[i].option, table[i].preset);
    }
    (void)fputs(
        "Each can also be set in the environment, as WEFT_OUT, WEFT_THREADS and so on; the\n"
        "command line wins.\n"
        "Exit status: 0 complete, 1 error, 2 wrong usage or a file of another job, 3 complete\n"
        "but some items failed, 75 stopped early: run the same command again to continue.\n",
        to);
    (void)fclose(to);
}

const char *weft_options_text(void)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    (void)pthread_once(&once, write_options_text);
    return options_text;
}

static weft_status end_print(error *e)
{
    errno = 0;
    const bool good = fflush(stdout) == 0 && ferror(stdout) == 0;
    return good || errno == EPIPE
               ? WEFT_OK
               : error_set(e, WEFT_ERR_SYSTEM, "cannot write to standard output: %s",
                           strerror(errno));
}

weft_status options_print_help(const weft_program *program, const char *word, error *e)
{
    char name[PROGRAM_NAME_BYTES];
    const char *words = program == NULL ? NULL : program->arguments;
    (void)snprintf(name, sizeof name, "%s", word);
    terminal_clean(name);
    (void)printf("Usage: %s [OPTION]...%s%s\n", name, words == NULL ? "" : " ",
                 words == NULL ? "" : words);
    if (program != NULL && program->summary != NULL) {
        (void)printf("%s\n", program->summary);
    }
    if (program != NULL && program->options != NULL) {
        (void)printf("\nOptions of %s:\n", name);
        for (const weft_option *option = program->options; option->name != NULL; option++) {
            print_option(stdout, option, NULL);
        }
    }
    (void)printf("\nOptions of weft:\n%s", weft_options_text());
    (void)printf("Techniques, for N tiles, R of them left, and P ranks:\n");
    for (int i = 0; i < (int)TECHNIQUE_COUNT; i++) {
        (void)printf("  %-8s %s\n", technique_name((technique)i), technique_text((technique)i));
    }
    return end_print(e);
}

weft_status options_print_version(const weft_program *program, const char *name, error *e)
{
    if (program != NULL && program->version != NULL) {
        (void)printf("%s %s\n", name, program->version);
    }
    (void)printf("weft %s\n", weft_version());
    return end_print(e);
}

static bool find_progress_mode(const char *name, progress_mode *mode)
{
    static const char *const names[] = {"auto", "always", "never"};
    for (int i = 0; i < 3; i++) {
        if (strcmp(name, names[i]) == 0) {
            *mode = (progress_mode)i;
            return true;
        }
    }
    return false;
}

static weft_status look_up(options *c, const given *g, error *e)
{
    if (!technique_find(g->schedule, &c->run.technique)) {
        return error_set(e, WEFT_ERR_USAGE, "--schedule: there is no technique '%s'; there are %s",
                         g->schedule, technique_names());
    }
    if (!find_progress_mode(g->progress, &c->run.progress)) {
        return error_set(e, WEFT_ERR_USAGE, "--progress: '%s' is not auto, always or never",
                         g->progress);
    }
    if (g->time_limit != NULL && !clock_parse_duration(g->time_limit, &c->time_limit_s)) {
        return error_set(e, WEFT_ERR_USAGE,
                         "--time-limit: '%s' is not a number of seconds, nor [D-]H:MM:SS",
                         g->time_limit);
    }
    if (!log_find_level(g->log, &c->log)) {
        return error_set(e, WEFT_ERR_USAGE, "--log: '%s' is not error, warning, info or debug",
                         g->log);
    }
    return WEFT_OK;
}

/* A number that is given, or preset, and out of its range. */
static weft_status check_range(const own_option *row, error *e)
{
    const weft_option *o = &row->option;
    if (row->range.otherwise == NULL) {
        return WEFT_OK;
    }
    if (o->type == WEFT_OPTION_INT64) {
        const int64_t value = *(const int64_t *)o->value;
        const bool good = value == none ||
                          ((double)value >= row->range.least && (double)value <= row->range.most);
        return good ? WEFT_OK
                    : error_set(e, WEFT_ERR_USAGE, "--%s: %lld%s", o->name, (long long)value,
                                row->range.otherwise);
    }
    const double value = *(const double *)o->value;
    return value >= row->range.least && value <= row->range.most
               ? WEFT_OK
               : error_set(e, WEFT_ERR_USAGE, "--%s: %g%s", o->name, value, row->range.otherwise);
}

/* The rows as they are parsed. */
static void strip(const own_option table[OPTIONS], weft_option rows[OPTIONS + 1])
{
    for (int i = 0; i < OPTIONS; i++) {
        rows[i] = table[i].option;
    }
    rows[OPTIONS] = (weft_option){.name = NULL};
}

void options_warn_of_variables(void)
{
    options unused;
    given nothing;
    own_option table[OPTIONS];
    weft_option rows[OPTIONS + 1];
    list_options(&unused, &nothing, table);
    strip(table, rows);
    option_warn_of_variables(rows);
}

static option_rest rest_for(const weft_program *program)
{
    if (program == NULL) {
        return OPTION_LEAVES_ALL;
    }
    return program->arguments == NULL ? OPTION_LEAVES_NONE : OPTION_LEAVES_WORDS;
}

weft_status options_read(options *c, const weft_program *program, int *argc, char **argv, error *e)
{
    given g = {.schedule = NULL};
    own_option table[OPTIONS];
    weft_option rows[OPTIONS + 1];
    weft_status status = WEFT_OK;
    *c = (options){.threads = none, .run.grain = none, .time_limit_s = -1};
    list_options(c, &g, table);
    strip(table, rows);
    for (int i = 0; i < OPTIONS && status == WEFT_OK; i++) {
        if (table[i].preset != NULL) {
            status = option_read(&rows[i], "the default", table[i].preset, e);
        }
    }
    if (status == WEFT_OK) {
        const weft_option *theirs = program == NULL ? NULL : program->options;
        status = option_parse(rows, theirs, rest_for(program), argc, argv, e);
    }
    if (c->help || c->version) {
        /* That answers whatever is wrong behind it. */
        error_clear(e);
        return WEFT_OK;
    }
    if (status == WEFT_OK) {
        status = look_up(c, &g, e);
    }
    for (int i = 0; i < OPTIONS && status == WEFT_OK; i++) {
        status = check_range(&table[i], e);
    }
    c->threads = c->threads == none ? -1 : c->threads;
    c->run.grain = c->run.grain == none ? 0 : c->run.grain;
    return status;
}
