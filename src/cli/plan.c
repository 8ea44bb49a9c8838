/* SPDX-License-Identifier: BSD-3-Clause */
/* weft plan: how long a job takes on other layouts. */
#include "plan.h"

#include "base/number.h"
#include "base/terminal.h"
#include "chart.h"
#include "forecast.h"
#include "plan_json.h"
#include "plan_text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <weft/schedule.h>

enum { MOST_SCHEDULES = 64 };

typedef struct request {
    forecast_wish wish;
    const char *schedule[MOST_SCHEDULES];
    bool as_json;
    const char *image;
    const char *path;
} request;

static weft_status set_list(list *l, const char *option)
{
    if (!list_read(optarg, l)) {
        return command_error(WEFT_ERR_USAGE,
                             "%s: '%s' is not a list such as 1,2,4-8, of at most %d numbers from 1 "
                             "to %d",
                             option, optarg, LIST_MOST, LIST_LARGEST);
    }
    return WEFT_OK;
}

static weft_status set_positive(double *value, const char *option)
{
    if (!number_read_double(optarg, value) || !(*value > 0)) {
        return command_error(WEFT_ERR_USAGE, "%s: '%s' is not a number above 0", option, optarg);
    }
    return WEFT_OK;
}

static weft_status set_items(int64_t *items)
{
    const double most = 9e18;
    if (!number_read_int64(optarg, items) || *items < 1 || (double)*items > most) {
        return command_error(WEFT_ERR_USAGE, "--items: '%s' is not a whole number from 1 to %g",
                             optarg, most);
    }
    return WEFT_OK;
}

static const char *find_schedule(const char *name, size_t length)
{
    for (int i = 0; weft_schedule_name(i) != NULL; i++) {
        const char *known = weft_schedule_name(i);
        if (strlen(known) == length && strncmp(known, name, length) == 0) {
            return known;
        }
    }
    return NULL;
}

static void set_all_schedules(request *r)
{
    r->wish.schedules = 0;
    while (r->wish.schedules < MOST_SCHEDULES && weft_schedule_name(r->wish.schedules) != NULL) {
        r->schedule[r->wish.schedules] = weft_schedule_name(r->wish.schedules);
        r->wish.schedules++;
    }
}

static weft_status set_schedules(request *r)
{
    if (strcmp(optarg, "all") == 0) {
        set_all_schedules(r);
        return WEFT_OK;
    }
    r->wish.schedules = 0;
    for (const char *at = optarg; at != NULL;) {
        const size_t length = strcspn(at, ",");
        const char *known = find_schedule(at, length);
        if (known == NULL || r->wish.schedules == MOST_SCHEDULES) {
            return command_error(WEFT_ERR_USAGE,
                                 "--schedule: '%.*s' is no scheduling technique; see weft plan "
                                 "--help",
                                 (int)length, at);
        }
        r->schedule[r->wish.schedules++] = known;
        at = at[length] == ',' ? at + length + 1 : NULL;
    }
    return WEFT_OK;
}

static weft_status read_request(int argc, char **argv, request *r)
{
    static const struct option options[] = {{"ranks", required_argument, NULL, 'r'},
                                            {"threads", required_argument, NULL, 't'},
                                            {"schedule", required_argument, NULL, 's'},
                                            {"items", required_argument, NULL, 'i'},
                                            {"cores", required_argument, NULL, 'c'},
                                            {"latency", required_argument, NULL, 'l'},
                                            {"json", no_argument, NULL, 'j'},
                                            {"image", required_argument, NULL, 'p'},
                                            COMMAND_HELP,
                                            {0}};
    weft_status status = WEFT_OK;
    int letter = 0;
    while (status == WEFT_OK && letter != -1) {
        letter = command_next_option(&plan_command, argc, argv, options, &status);
        switch (letter) {
        case 'r':
            status = set_list(&r->wish.ranks, "--ranks");
            break;
        case 't':
            status = set_list(&r->wish.workers, "--threads");
            break;
        case 's':
            status = set_schedules(r);
            break;
        case 'i':
            status = set_items(&r->wish.items);
            break;
        case 'c':
            status = set_positive(&r->wish.cores, "--cores");
            break;
        case 'l':
            status = set_positive(&r->wish.latency_s, "--latency");
            break;
        case 'j':
            r->as_json = true;
            break;
        case 'p':
            r->image = optarg;
            break;
        default:
            break;
        }
    }
    return status == WEFT_OK ? command_take_file(&plan_command, argc, argv, &r->path) : status;
}

static weft_status show(const request *r, forecast *f)
{
    char *path = strdup(r->path);
    weft_status status = path == NULL ? WEFT_ERR_MEMORY : WEFT_OK;
    if (path != NULL && r->as_json) {
        terminal_clean(path);
        status = plan_print_json(f, path);
    } else if (path != NULL) {
        terminal_clean(path);
        plan_print_text(f, path);
    }
    free(path);
    return status;
}

static weft_status plan(const request *r)
{
    weft_plan *p = NULL;
    forecast *f = calloc(1, sizeof *f);
    weft_status status = f == NULL ? WEFT_ERR_MEMORY : weft_plan_open(r->path, &p);
    if (status == WEFT_OK) {
        status = forecast_make(p, &r->wish, f);
        if (status == WEFT_ERR_USAGE && weft_plan_error_text(p)[0] == '\0') {
            status = command_error(status, "these are too many layouts: %d at most", FORECAST_MOST);
            goto done;
        }
    }
    if (status == WEFT_OK) {
        status = show(r, f);
    }
    if (status != WEFT_OK) {
        const char *text = weft_plan_error_text(p);
        (void)command_error(status, "%s", text[0] == '\0' ? weft_status_text(status) : text);
    } else if (r->image != NULL) {
        status = chart_write(f, r->image);
    }
done:
    weft_plan_close(p);
    free(f);
    return status;
}

static weft_status run_plan(int argc, char **argv)
{
    request r = {.path = NULL};
    weft_status status = read_request(argc, argv, &r);
    r.wish.schedule = r.schedule;
    if (status == WEFT_OK && r.image != NULL) {
        status = chart_check(r.image);
    }
    return status == WEFT_OK ? plan(&r) : status;
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
