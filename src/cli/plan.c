/* SPDX-License-Identifier: BSD-3-Clause */
/* weft plan: how long a job takes on other layouts. */
#include "base/number.h"
#include "command.h"
#include "forecast.h"

#include <stdlib.h>
#include <string.h>
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

static weft_status show(forecast *f, const char *path, bool as_json)
{
    if (as_json) {
        return forecast_print_json(f, path);
    }
    forecast_print_text(f, path);
    return WEFT_OK;
}

static weft_status plan(const command_file *file, const char *map, const forecast_wish *wish,
                        bool as_json, const char *image)
{
    weft_plan *p = NULL;
    forecast *f = calloc(1, sizeof *f);
    weft_status status = f == NULL ? WEFT_ERR_MEMORY : weft_plan_open(file->path, map, &p);
    bool too_many = false;
    if (status == WEFT_OK) {
        status = forecast_make(p, wish, f);
        too_many = status == WEFT_ERR_USAGE && weft_plan_error_text(p)[0] == '\0';
    }
    if (status == WEFT_OK) {
        status = show(f, file->shown, as_json);
    }
    if (too_many) {
        (void)command_error(status, "these are too many layouts: %d at most", FORECAST_MOST);
    } else if (status != WEFT_OK) {
        (void)command_failed(status, weft_plan_error_text(p));
    } else if (image != NULL) {
        status = chart_write(f, image);
    }
    weft_plan_close(p);
    free(f);
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
        "  --map NAME         which map of the file, where it has several\n"
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
