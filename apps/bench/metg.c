/* SPDX-License-Identifier: BSD-3-Clause */
/* Owns the minimum effective task granularity, METG(50 %), as Task Bench defines it (Slaughter et
 * al., SC20): the least average task duration, wall time times workers over tasks, at which half of
 * the peak rate is reached. */
#include "ranks.h"
#include "spin.h"
#include "tasks.h"

#include <math.h>
#include <stdlib.h>

enum { TASKS_MOST = 4000000 };

static const double RUN_S = 0.25, TASK_MOST_S = 0.02;

/* A way to hand tasks out, and how many of the workers compute. A master does not, and is not
 * counted: its share of the peak is none. */
typedef struct way {
    struct search *search;
    side_fn run;
    int computing;
    int64_t guess; /* steps near the crossing, as far as is known */
} way;

typedef struct point {
    double efficiency;
    double task_s;
} point;

typedef struct search {
    tasks t;
    double step_s;
} search;

/* The rate at one size of task, and the peak next to it in time. */
static weft_status probe(const bench *b, search *s, const way *w, int64_t steps, point *p)
{
    const double all = b->ranks * b->workers, most = fmax(TASKS_MOST * b->scale, 1);
    double bare = 0, seconds = 0;
    s->t.steps = steps;
    s->t.count =
        (int64_t)fmin(fmax(RUN_S * b->scale * all / ((double)steps * s->step_s), all), most);
    weft_status status = measure_agree(b, tasks_bare(b, &s->t, &bare));
    if (status == WEFT_OK) {
        status = measure_agree(b, w->run(b, &s->t, &seconds));
    }
    p->efficiency = bare * all / (seconds * w->computing);
    p->task_s = seconds * w->computing / (double)s->t.count;
    return status;
}

static double crossing_us(const point *low, const point *high)
{
    if (low->task_s <= 0 || high->task_s <= 0) {
        return 1e6 * (low->task_s + high->task_s);
    }
    const double share = (0.5 - low->efficiency) / (high->efficiency - low->efficiency);
    return 1e6 * low->task_s * pow(high->task_s / low->task_s, share);
}

/* Halves or doubles the tasks until half of the peak lies between two of them. */
static weft_status find_crossing(const bench *b, void *context, double *us)
{
    way *w = context;
    search *s = w->search;
    const int64_t most = (int64_t)(TASK_MOST_S / s->step_s);
    point low = {0}, high = {0}, p = {0};
    int64_t steps = w->guess;
    for (bool found = false; !found;) {
        const weft_status status = probe(b, s, w, steps, &p);
        if (status != WEFT_OK) {
            return status;
        }
        w->guess = steps;
        if (p.efficiency >= 0.5) {
            high = p;
            found = low.task_s > 0 || steps == 1;
            steps = steps / 2;
        } else {
            low = p;
            found = high.task_s > 0 || steps >= most;
            steps = 2 * steps;
        }
    }
    *us = crossing_us(&low, &high);
    return WEFT_OK;
}

weft_status metg_measure(const bench *b)
{
    search s = {.step_s = ranks_first(spin_step_s())};
    const int64_t guess = (int64_t)fmax(1e-6 / s.step_s, 1);
    const int all = b->ranks * b->workers;
    way in_rank[] = {{&s, tasks_weft, all, guess}, {&s, tasks_openmp, all, guess}};
    way over_ranks[] = {{&s, tasks_weft, all, guess},
                        {&s, tasks_counter, all, guess},
                        {&s, tasks_master, all - b->workers, guess}};
    const measure_side in_rank_sides[] = {{find_crossing, &in_rank[0]},
                                          {find_crossing, &in_rank[1]}};
    const measure_side over_ranks_sides[] = {{find_crossing, &over_ranks[0]},
                                             {find_crossing, &over_ranks[1]},
                                             {find_crossing, &over_ranks[2]}};
    row in_rank_line = measure_row("", "us", GOAL_NONE, 0);
    row lines[] = {measure_row("", "us", GOAL_RATIO_MOST, 1),
                   measure_row("", "us", GOAL_RATIO_MOST, 1)};
    measure_name(b, &in_rank_line, "METG", "OpenMP dynamic");
    measure_name(b, &lines[0], "METG", "shared counter");
    measure_name(b, &lines[1], "METG", "master/worker");
    s.t.results = measure_array(b, (size_t)fmax(TASKS_MOST * b->scale, 64), sizeof *s.t.results);
    if (s.t.results == NULL) {
        return WEFT_ERR_MEMORY;
    }
    const weft_status status = b->ranks == 1
                                   ? measure_several(b, &in_rank_line, in_rank_sides, 2, 1)
                                   : measure_several(b, lines, over_ranks_sides, 3, 1);
    free(s.t.results);
    return status;
}
