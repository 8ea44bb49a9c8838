/* SPDX-License-Identifier: BSD-3-Clause */
/* weft plan: how long a job takes on other layouts. */
#include "base/number.h"
#include "command.h"
#include "forecast.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <weft/result.h>
#include <weft/schedule.h>

/* Of the numbers in a list. */
enum { LARGEST = 1 << 20 };

static bool read_number(const char **text, int *number)
{
    uint64_t value = 0;
    if (!number_take(text, &value) || value < 1 || value > LARGEST) {
        return false;
    }
    *number = (int)value;
    return true;
}

static bool list_read(const char *text, number_list *l)
{
    l->count = 0;
    do {
        int first = 0;
        if (!read_number(&text, &first)) {
            return false;
        }
        int last = first;
        if (*text == '-') {
            text++;
            if (!read_number(&text, &last) || last < first) {
                return false;
            }
        }
        if (last - first >= LIST_MOST - l->count) {
            return false;
        }
        for (int i = first; i <= last; i++) {
            l->number[l->count++] = i;
        }
    } while (*text++ == ',');
    return text[-1] == '\0';
}

/* Each reads the text of an option, NULL if it is not given; a wrong one is told on stderr. */
static bool set_list(number_list *l, const char *option, const char *text)
{
    if (text != NULL && !list_read(text, l)) {
        (void)command_error(WEFT_ERR_USAGE,
                            "%s: '%s' is not a list such as 1,2,4-8, of at most %d numbers from 1 "
                            "to %d",
                            option, text, LIST_MOST, LARGEST);
        return false;
    }
    return true;
}

static bool set_positive(double *value, const char *option, const char *text)
{
    if (text != NULL && (!number_read_double(text, value) || !(*value > 0))) {
        (void)command_error(WEFT_ERR_USAGE, "%s: '%s' is not a number above 0", option, text);
        return false;
    }
    return true;
}

static bool set_items(int64_t *items, const char *text)
{
    const double most = 9e18;
    if (text != NULL && (!number_read_int64(text, items) || *items < 1 || (double)*items > most)) {
        (void)command_error(WEFT_ERR_USAGE, "--items: '%s' is not a whole number from 1 to %g",
                            text, most);
        return false;
    }
    return true;
}

static bool set_schedules(forecast_wish *w, const char *text)
{
    const bool all = text != NULL && strcmp(text, "all") == 0;
    for (const char *at = text; at != NULL;) {
        const size_t length = strcspn(at, ",");
        const int before = w->schedules;
        for (int i = 0; weft_schedule_name(i) != NULL && w->schedules < LIST_MOST; i++) {
            const char *name = weft_schedule_name(i);
            if (all || (strlen(name) == length && strncmp(name, at, length) == 0)) {
                w->schedule[w->schedules++] = name;
            }
        }
        if (w->schedules == before) {
            (void)command_error(WEFT_ERR_USAGE,
                                "--schedule: '%.*s' is no scheduling technique; see weft plan "
                                "--help",
                                (int)length, at);
            return false;
        }
        at = at[length] == ',' ? at + length + 1 : NULL;
    }
    return true;
}

/* A file's maps that are planned, and what is said of them. */
typedef struct planning {
    const command_file *file;
    forecast_wish wish;
    int plans;
    weft_plan *plan[WEFT_MAX_MAPS];
    forecast_maps maps;
} planning;

/* What is wrong is told, and freed by end_planning(). */
static weft_status plan_map(planning *g, const char *map, bool several)
{
    weft_plan **p = &g->plan[g->plans++];
    weft_status status = weft_plan_open(g->file->path, map, p);
    const bool untold = several && *p != NULL && status == WEFT_ERR_USAGE;
    if (untold && weft_plan_describe(*p)->measured == 0) {
        (void)snprintf(g->maps.name[g->maps.left_out++], WEFT_NAME_BYTES, "%s", map);
        return WEFT_OK;
    }
    forecast *f = calloc(1, sizeof *f);
    if (status == WEFT_OK && f == NULL) {
        status = WEFT_ERR_MEMORY;
    }
    if (status == WEFT_OK) {
        status = forecast_make(*p, &g->wish, f);
        if (status == WEFT_ERR_USAGE && weft_plan_error_text(*p)[0] == '\0') {
            free(f);
            return command_error(status, "these are too many layouts: %d at most", FORECAST_MOST);
        }
    }
    if (status != WEFT_OK) {
        free(f);
        return command_failed(status, weft_plan_error_text(*p));
    }
    /* All maps on the same layouts: those of the first. */
    if (g->wish.workers.count == 0) {
        g->wish.workers = (number_list){.count = 1, .number = {f->info->workers}};
    }
    g->maps.map[g->maps.count++] = f;
    return WEFT_OK;
}

static weft_status plan_maps(planning *g, weft_result *result)
{
    const int maps = weft_result_describe(result)->maps;
    weft_status status = WEFT_OK;
    for (int i = 0; i < maps && status == WEFT_OK; i++) {
        status = weft_result_set_map(result, i);
        if (status != WEFT_OK) {
            return command_failed(status, weft_result_error_text(result));
        }
        status = plan_map(g, weft_result_describe(result)->name, true);
    }
    if (status == WEFT_OK && g->maps.count == 0) {
        return command_error(WEFT_ERR_USAGE,
                             "%s: nothing has been computed yet; run the job for a while first",
                             g->file->shown);
    }
    if (status == WEFT_OK) {
        g->maps.all = calloc(1, sizeof *g->maps.all);
        if (g->maps.all == NULL) {
            return command_failed(WEFT_ERR_MEMORY, "");
        }
        forecast_add_up(g->maps.map, g->maps.count, g->maps.all);
    }
    return status;
}

/* Each map of the file, if it has several and none is named, or one. */
static weft_status plan_file(planning *g, const char *map)
{
    weft_result *result = NULL;
    weft_status status = map != NULL ? WEFT_OK : weft_result_open(g->file->path, &result);
    if (status != WEFT_OK) {
        status = command_failed(status, weft_result_error_text(result));
    } else if (result == NULL || weft_result_describe(result)->maps == 1) {
        status = plan_map(g, map, false);
    } else if (g->wish.items > 0) {
        status = command_error(WEFT_ERR_USAGE,
                               "--items: %s holds several maps; say which of them with --map NAME",
                               g->file->shown);
    } else {
        status = plan_maps(g, result);
    }
    weft_result_close(result);
    return status;
}

static void end_planning(planning *g)
{
    for (int i = 0; i < g->maps.count; i++) {
        free(g->maps.map[i]);
    }
    for (int i = 0; i < g->plans; i++) {
        weft_plan_close(g->plan[i]);
    }
    free(g->maps.all);
    free(g);
}

static weft_status show(const planning *g, bool as_json, const char *image)
{
    const forecast_maps *maps = &g->maps;
    if (!as_json) {
        forecast_print_text(maps, g->file->shown);
    } else if (forecast_print_json(maps, g->file->shown) != WEFT_OK) {
        return command_failed(WEFT_ERR_MEMORY, "");
    }
    return image == NULL ? WEFT_OK
                         : chart_write(maps->all != NULL ? maps->all : maps->map[0], image);
}

static weft_status plan(const command_file *file, const char *map, const forecast_wish *wish,
                        bool as_json, const char *image)
{
    planning *g = calloc(1, sizeof *g);
    if (g == NULL) {
        return command_failed(WEFT_ERR_MEMORY, "");
    }
    g->file = file;
    g->wish = *wish;
    weft_status status = plan_file(g, map);
    if (status == WEFT_OK) {
        status = show(g, as_json, image);
    }
    end_planning(g);
    return status;
}

static weft_status run_plan(int argc, char **argv)
{
    enum { RANKS, WORKERS, SCHEDULE, ITEMS, CORES, LATENCY, IMAGE, MAP, TEXTS };
    const char *text[TEXTS] = {NULL};
    bool as_json = false;
    const weft_option options[] = {{"ranks", "LIST", WEFT_OPTION_STRING, &text[RANKS], ""},
                                   {"threads", "LIST", WEFT_OPTION_STRING, &text[WORKERS], ""},
                                   {"schedule", "LIST", WEFT_OPTION_STRING, &text[SCHEDULE], ""},
                                   {"items", "N", WEFT_OPTION_STRING, &text[ITEMS], ""},
                                   {"cores", "N", WEFT_OPTION_STRING, &text[CORES], ""},
                                   {"latency", "SECONDS", WEFT_OPTION_STRING, &text[LATENCY], ""},
                                   {"image", "FILE.png", WEFT_OPTION_STRING, &text[IMAGE], ""},
                                   {"map", "NAME", WEFT_OPTION_STRING, &text[MAP], ""},
                                   {"json", NULL, WEFT_OPTION_FLAG, &as_json, ""},
                                   {0}};
    command_file file;
    forecast_wish wish = {.schedules = 0};
    weft_status status = command_read(&plan_command, options, argc, argv, &file);
    if (status != WEFT_OK) {
        return status;
    }
    if (!set_list(&wish.ranks, "--ranks", text[RANKS]) ||
        !set_list(&wish.workers, "--threads", text[WORKERS]) ||
        !set_schedules(&wish, text[SCHEDULE]) || !set_items(&wish.items, text[ITEMS]) ||
        !set_positive(&wish.cores, "--cores", text[CORES]) ||
        !set_positive(&wish.latency_s, "--latency", text[LATENCY])) {
        return WEFT_ERR_USAGE;
    }
    if (text[IMAGE] != NULL) {
        status = chart_check(text[IMAGE]);
    }
    return status == WEFT_OK ? plan(&file, text[MAP], &wish, as_json, text[IMAGE]) : status;
}

const command plan_command = {
    .name = "plan",
    .summary = "how long a job takes on other ranks and workers",
    .help =
        "usage: weft plan FILE [OPTION...]\n"
        "\n"
        "Predicts how long a job takes on other ranks and workers, and which of them it is worth,\n"
        "from the times of its tiles: of a finished job, or of one that has run for a while. "
        "Nothing is\n"
        "written or locked.\n"
        "\n"
        "options; a LIST is 1,2,4-8, and all combinations are planned\n"
        "  --map NAME         this map alone, where the file has several; without it each is "
        "planned,\n"
        "                     and all of them one after the other\n"
        "  --ranks LIST       ranks (1, 2, 4 ... 256)\n"
        "  --threads LIST     workers per rank (as in the last run)\n"
        "  --schedule LIST    scheduling techniques, or all of them: all (auto)\n"
        "  --items N          another number of items: those of the file over and over\n"
        "  --cores N          the workers share N cores (each has its own; where the cores "
        "of the\n"
        "                     last run are too few, it is also said how it goes on these)\n"
        "  --latency SECONDS  of a message between ranks (1.4e-5)\n"
        "  --json             for programs: everything\n"
        "  --image FILE.png   a picture: speed-up over workers\n"
        "  --help             this text\n"
        "\n"
        "time        from the first message to the last, for all items\n"
        "from, to    where it most likely lies: 90 % of the simulations, and beyond that what "
        "simulations\n"
        "            of the complete runs in the file were off by\n"
        "used        the share of the workers' time that the work takes\n"
        "left        the time for what is not done yet\n",
    .run = run_plan,
};
