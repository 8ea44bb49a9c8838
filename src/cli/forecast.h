/* SPDX-License-Identifier: BSD-3-Clause */
/* The predictions for several layouts of a job, and what they amount to. */
#ifndef CLI_FORECAST_H
#define CLI_FORECAST_H

#include "list.h"

#include <stdbool.h>
#include <stdint.h>
#include <weft/plan.h>

enum { FORECAST_MOST = 240, FORECAST_ADVICE_BYTES = 512 };

/* What is asked for; every rank count with every number of workers and every technique. */
typedef struct forecast_wish {
    list ranks;    /* empty: a ladder */
    list workers;  /* empty: as in the last run */
    int schedules; /* 0: auto */
    const char **schedule;
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
    int rows;
    forecast_row row[FORECAST_MOST];
    char advice[FORECAST_ADVICE_BYTES];
} forecast;

/* WEFT_ERR_USAGE without a text in the plan: more than FORECAST_MOST layouts. */
weft_status forecast_make(weft_plan *plan, const forecast_wish *wish, forecast *f);

#endif
