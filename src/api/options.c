/* SPDX-License-Identifier: BSD-3-Clause */
/* The options that every program built on weft has. */
#include "api/options.h"

#include "base/clock.h"
#include "base/option.h"
#include "base/terminal.h"
#include "sched/pace.h"

#include <stdio.h>
#include <string.h>
#include <weft/version.h>

enum { OPTIONS = 17, PROGRAM_NAME_BYTES = 256 };

/* Not given. */
static const int64_t none = INT64_MIN;

/* Options as they are given, before names are looked up. */
typedef struct given {
    const char *schedule;
    const char *progress;
    const char *log;
    const char *time_limit;
} given;

const char *weft_options_text(void)
{
    return "  --out FILE            the result; resumed if it exists and is the same job's\n"
           "                        (DIR/: the maps' names, .h5, in that folder)\n"
           "  --threads N           workers per rank; 0: the main thread alone computes\n"
           "                        (default: OMP_NUM_THREADS, or this rank's share of the\n"
           "                        cores and of the CPU quota)\n"
           "  --schedule NAME       the technique by which work is shared out over ranks\n"
           "                        (default: auto)\n"
           "  --grain N             items per tile (default: the file's, or automatic)\n"
           "  --seed S              seed of the items' random streams (default: 0)\n"
           "  --sync SECONDS        force results to disk at least this often; 0: never\n"
           "                        (default: 10)\n"
           "  --time-limit TIME     stop in good order, status 75, before this time has passed:\n"
           "                        seconds, or [D-]H:MM:SS; 0: never\n"
           "                        (default: what is left of the Slurm job, or never)\n"
           "  --heartbeat SECONDS   how often each rank reports that it is alive (default: 0.1)\n"
           "  --dead-after SECONDS  a rank silent for this long is presumed dead, and others\n"
           "                        compute what it had; 0: never (default: 5)\n"
           "  --retry-failed        compute failed items again\n"
           "  --fresh               start over; an existing result moves to FILE.bak, or to\n"
           "                        FILE.bak.2 and so on; to continue after a stop, leave it out\n"
           "  --isolate             compute everything in children of the workers, so that an "
           "item\n"
           "                        that crashes costs nothing but itself\n"
           "  --item-timeout S      end an item that takes longer; implies --isolate; 0: none\n"
           "                        (default: 0)\n"
           "  --progress MODE       auto, always, never (default: auto)\n"
           "  --log LEVEL           error, warning, info, debug (default: info)\n"
           "  --help                this text\n"
           "  --version             which version of the program and of weft this is\n"
           "Each can also be set in the environment, as WEFT_OUT, WEFT_THREADS and so on; the\n"
           "command line wins.\n"
           "Exit status: 0 complete, 1 error, 2 wrong usage or a file of another job, 3 complete\n"
           "but some items failed, 75 stopped early: run the same command again to continue.\n";
}

static void print_option(const weft_option *option)
{
    char left[64];
    (void)snprintf(left, sizeof left, "--%s %s", option->name,
                   option->argument == NULL ? "" : option->argument);
    (void)printf("  %-21s %s\n", left, option->help);
}

void options_print_help(const weft_program *program, const char *word)
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
            print_option(option);
        }
    }
    (void)printf("\nOptions of weft:\n%s", weft_options_text());
    (void)printf("Techniques, for N tiles, R of them left, and P ranks:\n");
    for (int i = 0; i < (int)TECHNIQUE_COUNT; i++) {
        (void)printf("  %-8s %s\n", technique_name((technique)i), technique_text((technique)i));
    }
    (void)fflush(stdout);
}

void options_print_version(const weft_program *program, const char *name)
{
    if (program != NULL && program->version != NULL) {
        (void)printf("%s %s\n", name, program->version);
    }
    (void)printf("weft %s\n", weft_version());
    (void)fflush(stdout);
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

static weft_status check_ranges(const options *c, bool threads_given, bool grain_given, error *e)
{
    const double most_s = 86400;
    if (threads_given && (c->threads < 0 || c->threads > 65535)) {
        return error_set(e, WEFT_ERR_USAGE,
                         "--threads: %lld workers; it takes 0 (the main thread alone) to 65535",
                         (long long)c->threads);
    }
    if (grain_given && c->run.grain < 1) {
        return error_set(e, WEFT_ERR_USAGE, "--grain: %lld items per tile; it takes 1 or more",
                         (long long)c->run.grain);
    }
    if (c->run.seed < 0) {
        return error_set(e, WEFT_ERR_USAGE, "--seed: %lld; it takes 0 to 2^63 - 1",
                         (long long)c->run.seed);
    }
    if (c->run.sync_s < 0) {
        return error_set(e, WEFT_ERR_USAGE, "--sync: %g seconds; it takes 0 (never) or more",
                         c->run.sync_s);
    }
    if (c->run.heartbeat_s <= 0 || c->run.heartbeat_s > most_s) {
        return error_set(e, WEFT_ERR_USAGE,
                         "--heartbeat: %g seconds; it takes more than 0, up to 86400",
                         c->run.heartbeat_s);
    }
    if (c->run.dead_after_s < 0 || c->run.dead_after_s > most_s) {
        return error_set(e, WEFT_ERR_USAGE,
                         "--dead-after: %g seconds; it takes 0 (never), or up to 86400",
                         c->run.dead_after_s);
    }
    if (!(c->run.item_timeout_s >= 0)) {
        return error_set(e, WEFT_ERR_USAGE, "--item-timeout: %g seconds; it takes 0 (none) or more",
                         c->run.item_timeout_s);
    }
    return WEFT_OK;
}

/* Every option, and where its argument goes. */
static void list_options(options *c, given *g, weft_option table[OPTIONS + 1])
{
    const weft_option own[] = {
        {"out", "FILE", WEFT_OPTION_STRING, &c->out, ""},
        {"threads", "N", WEFT_OPTION_INT64, &c->threads, ""},
        {"schedule", "NAME", WEFT_OPTION_STRING, &g->schedule, ""},
        {"grain", "N", WEFT_OPTION_INT64, &c->run.grain, ""},
        {"seed", "S", WEFT_OPTION_INT64, &c->run.seed, ""},
        {"sync", "SECONDS", WEFT_OPTION_DOUBLE, &c->run.sync_s, ""},
        {"time-limit", "TIME", WEFT_OPTION_STRING, &g->time_limit, ""},
        {"heartbeat", "SECONDS", WEFT_OPTION_DOUBLE, &c->run.heartbeat_s, ""},
        {"dead-after", "SECONDS", WEFT_OPTION_DOUBLE, &c->run.dead_after_s, ""},
        {"retry-failed", NULL, WEFT_OPTION_FLAG, &c->run.retry_failed, ""},
        {"fresh", NULL, WEFT_OPTION_FLAG, &c->run.fresh, ""},
        {"isolate", NULL, WEFT_OPTION_FLAG, &c->run.isolate, ""},
        {"item-timeout", "S", WEFT_OPTION_DOUBLE, &c->run.item_timeout_s, ""},
        {"progress", "MODE", WEFT_OPTION_STRING, &g->progress, ""},
        {"log", "LEVEL", WEFT_OPTION_STRING, &g->log, ""},
        {"help", NULL, WEFT_OPTION_FLAG, &c->help, ""},
        {"version", NULL, WEFT_OPTION_FLAG, &c->version, ""},
        {NULL, NULL, WEFT_OPTION_FLAG, NULL, NULL},
    };
    _Static_assert(sizeof own / sizeof own[0] == OPTIONS + 1, "all options");
    memcpy(table, own, sizeof own);
}

void options_warn_of_variables(void)
{
    options unused = {.threads = none};
    given nothing = {.schedule = NULL};
    weft_option table[OPTIONS + 1];
    list_options(&unused, &nothing, table);
    option_warn_of_variables(table);
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
    given g = {.schedule = "auto", .progress = "auto", .log = "info"};
    weft_option table[OPTIONS + 1];
    *c = (options){.threads = none,
                   .run.grain = none,
                   .run.sync_s = PACE_SYNC_S,
                   .time_limit_s = -1,
                   .run.heartbeat_s = 0.1,
                   .run.dead_after_s = 5};
    list_options(c, &g, table);
    const weft_option *theirs = program == NULL ? NULL : program->options;
    weft_status status = option_parse(table, theirs, rest_for(program), argc, argv, e);
    if (c->help || c->version) {
        /* That answers whatever is wrong behind it. */
        error_clear(e);
        return WEFT_OK;
    }
    if (status == WEFT_OK) {
        status = look_up(c, &g, e);
    }
    if (status == WEFT_OK) {
        status = check_ranges(c, c->threads != none, c->run.grain != none, e);
    }
    c->threads = c->threads == none ? -1 : c->threads;
    c->run.grain = c->run.grain == none ? 0 : c->run.grain;
    return status;
}
