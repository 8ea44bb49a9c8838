/* SPDX-License-Identifier: BSD-3-Clause */
/* The predictions for several layouts of a job, and what they amount to. */
#ifndef CLI_FORECAST_H
#define CLI_FORECAST_H

#include <stdbool.h>
#include <stdint.h>
#include <weft/plan.h>

enum { FORECAST_MOST = 240, FORECAST_ADVICE_BYTES = 512, LIST_MOST = 64 };

/* Numbers from 1 on. */
typedef struct number_list {
    int count;
    int number[LIST_MOST];
} number_list;

/* What is asked for; every rank count with every number of workers and every technique. */
typedef struct forecast_wish {
    number_list ranks;   /* empty: a ladder */
    number_list workers; /* empty: as in the last run */
    int schedules;       /* 0: auto */
    const char *schedule[LIST_MOST];
    int64_t items;    /* 0: as in the file */
    double cores;     /* 0: a core per worker, and what the file's cores would make of it */
    double latency_s; /* 0: what is usual */
} forecast_wish;

typedef struct forecast_row {
    weft_layout layout;
    weft_prediction p;
    bool shared;             /* the file's cores are fewer than it can use … */
    weft_prediction sharing; /* … and this is how it goes on them */
} forecast_row;

typedef struct forecast {
    const weft_plan_info *info;
    weft_plan_info sum; /* of several maps: what they have in all, and no name */
    int rows;
    forecast_row row[FORECAST_MOST];
    char advice[FORECAST_ADVICE_BYTES]; /* one line: which layout to take, and from where on more of
                                           it gains nothing */
} forecast;

static inline int64_t forecast_workers(const forecast_row *row)
{
    return (int64_t)row->layout.ranks * row->layout.workers;
}

/* WEFT_ERR_USAGE without a text in the plan: more than FORECAST_MOST layouts. */
weft_status forecast_make(weft_plan *plan, const forecast_wish *wish, forecast *f);

/* The forecast for several maps, one after the other, from theirs, for the same layouts. */
void forecast_add_up(forecast *const maps[], int count, forecast *all);

/* What is predicted for the maps of a file. */
typedef struct forecast_maps {
    int count;
    forecast *map[WEFT_MAX_MAPS];
    forecast *all;                             /* in all; NULL: one map is planned alone */
    int left_out;                              /* maps of which nothing has been computed yet */
    char name[WEFT_MAX_MAPS][WEFT_NAME_BYTES]; /* theirs */
} forecast_maps;

/* Prints it on stdout: a table for people; JSON for programs, of which WEFT_ERR_MEMORY is the only
 * error, since others of writing show on stdout. */
void forecast_print_text(const forecast_maps *maps, const char *path);
weft_status forecast_print_json(const forecast_maps *maps, const char *path);

/* Whether a picture can be made there; draws one of speed-up over workers, as PNG. Both say on
 * stderr why they cannot. */
weft_status chart_check(const char *path);
weft_status chart_write(const forecast *f, const char *path);

#endif
