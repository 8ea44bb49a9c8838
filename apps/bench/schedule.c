/* SPDX-License-Identifier: BSD-3-Clause */
/* Owns the comparison of all techniques on a workload, with each other and with the loop written by
 * hand, also with a rank in trouble. */
#include "disturb.h"
#include "ranks.h"
#include "request.h"
#include "workload.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { TECHNIQUES_MOST = 64 };

/* Those of the techniques come first; the last side is the loop by hand. */
typedef struct contest {
    const bench *b;
    loop *l;
    const char *techniques[TECHNIQUES_MOST];
    int count;
    double *seconds;    /* side by side, each of `repeat` values */
    double *imbalances; /* the same, without those of the loop by hand */
} contest;

static void choose(contest *c)
{
    const char *name = NULL;
    for (int i = 0; (name = weft_schedule_name(i)) != NULL && c->count < TECHNIQUES_MOST; i++) {
        if (c->b->techniques == NULL || request_names(c->b->techniques, name)) {
            c->techniques[c->count++] = name;
        }
    }
}

static bool is_slowed(const bench *b)
{
    return b->disturber != NULL && b->rank == b->slow_rank;
}

static weft_status run_side(contest *c, int number, int repetition)
{
    const bench *b = c->b;
    const ptrdiff_t at = (ptrdiff_t)number * b->repeat + repetition;
    double *seconds = &c->seconds[at];
    weft_status status = WEFT_OK;
    c->l->imbalance = 0;
    measure_settle(b);
    if (is_slowed(b)) {
        disturber_begin(b->disturber, b->trouble);
    }
    if (number < c->count) {
        (void)setenv("WEFT_SCHEDULE", c->techniques[number], 1);
        status =
            measure_apart(b, NULL, c->techniques[number], &(measure_side){run_loop, c->l}, seconds);
    } else if (b->disturber != NULL) {
        status = expert_share(b, c->l, seconds);
    } else {
        status = expert_run_alone(b, b->ranks * b->workers, c->l, seconds);
    }
    if (is_slowed(b)) {
        disturber_end(b->disturber);
    }
    c->imbalances[at] = c->l->imbalance;
    return measure_agree(b, status);
}

/* In an order of its own each time, so that a drift of the machine is nobody's gain. */
static weft_status run_all(contest *c)
{
    const bench *b = c->b;
    weft_status status = WEFT_OK;
    int order[TECHNIQUES_MOST + 1];
    for (int i = 0; i < b->repeat && status == WEFT_OK; i++) {
        weft_random random;
        weft_random_init(&random, b->seed, 0, (uint64_t)i);
        for (int j = 0; j <= c->count; j++) {
            const int k = (int)weft_random_below(&random, (uint64_t)j + 1);
            order[j] = order[k];
            order[k] = j;
        }
        for (int j = 0; j <= c->count && status == WEFT_OK; j++) {
            status = run_side(c, order[j], i);
        }
    }
    return status;
}

static const double *seconds_of(const contest *c, int side)
{
    return c->seconds + (ptrdiff_t)side * c->b->repeat;
}

/* What each technique needs, as a multiple of what is usual in the same repetition, so that a drift
 * of the machine does not count. */
static weft_status score(const contest *c, double scores[TECHNIQUES_MOST])
{
    const int repeat = c->b->repeat;
    double *usual = malloc((size_t)repeat * sizeof *usual);
    if (usual == NULL) {
        return measure_no_memory(c->b);
    }
    for (int i = 0; i < repeat; i++) {
        double seconds[TECHNIQUES_MOST];
        for (int j = 0; j < c->count; j++) {
            seconds[j] = seconds_of(c, j)[i];
        }
        usual[i] = measure_median(seconds, c->count);
    }
    for (int j = 0; j < c->count; j++) {
        scores[j] = measure_ratio(seconds_of(c, j), usual, repeat, NULL, NULL);
    }
    free(usual);
    return WEFT_OK;
}

static weft_status send_all(const contest *c)
{
    static const char *const troubles[] = {
        [TROUBLE_NONE] = "", [TROUBLE_SPIN] = ", spin", [TROUBLE_STOP] = ", stop"};
    const bench *b = c->b;
    double scores[TECHNIQUES_MOST] = {0}, best = HUGE_VAL;
    weft_status status = score(c, scores);
    for (int i = 0; i < c->count && status == WEFT_OK; i++) {
        best = fmin(best, scores[i]);
    }
    for (int i = 0; i < c->count && status == WEFT_OK; i++) {
        row line = measure_row("", "s", GOAL_NONE, 0);
        if (strcmp(c->techniques[i], "auto") == 0) {
            line.kind = GOAL_BOTH_MOST;
            line.goal = 1.02;
        }
        (void)snprintf(line.technique, sizeof line.technique, "%s", c->techniques[i]);
        (void)snprintf(line.workload, sizeof line.workload, "%s%s", c->l->name,
                       troubles[b->trouble]);
        (void)snprintf(line.what, sizeof line.what, "%s, %s", line.workload, line.technique);
        line.to_best = scores[i] / best;
        line.imbalance = measure_median(c->imbalances + (ptrdiff_t)i * b->repeat, b->repeat);
        status = measure_send(b, &line, seconds_of(c, i), seconds_of(c, c->count));
    }
    return status;
}

static weft_status compare(contest *c)
{
    const bench *b = c->b;
    choose(c);
    const size_t values = (size_t)(c->count + 1) * (size_t)b->repeat;
    c->seconds = measure_array(b, 2 * values, sizeof *c->seconds);
    if (c->seconds == NULL) {
        return WEFT_ERR_MEMORY;
    }
    c->imbalances = c->seconds + values;
    weft_status status = run_all(c);
    if (status == WEFT_OK) {
        status = send_all(c);
    }
    free(c->seconds);
    return status;
}

weft_status techniques_measure(const bench *b)
{
    const double size = b->scale * fmin(b->ranks * b->workers, b->cores);
    contest c = {.b = b};
    workload *w = NULL;
    if (b->disturber != NULL) {
        disturber_pin(b->rank, b->ranks);
    }
    weft_status status = workload_open(b, b->workload, size, &w);
    if (status == WEFT_OK) {
        c.l = workload_loop(w);
        status = compare(&c);
    }
    workload_close(w);
    return status;
}
