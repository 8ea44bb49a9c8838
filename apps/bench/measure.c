/* SPDX-License-Identifier: BSD-3-Clause */
/* Owns how two sides are compared. */
#define _GNU_SOURCE 1
#include "measure.h"

#include "base/clock.h"
#include "ranks.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

double measure_now(void)
{
    return 1e-9 * (double)clock_now_ns();
}

weft_status measure_agree(const bench *b, weft_status status)
{
    return b->ranks > 1 ? weft_agree(b->session, status) : status;
}

void *measure_array(const bench *b, size_t count, size_t bytes)
{
    void *array = calloc(count, bytes);
    if (measure_agree(b, array != NULL ? WEFT_OK : measure_no_memory(b)) != WEFT_OK) {
        free(array);
        array = NULL;
    }
    return array;
}

weft_status measure_no_memory(const bench *b)
{
    return weft_error(b->session, WEFT_ERR_MEMORY, "out of memory for a measurement");
}

weft_status measure_system_error(const bench *b, const char *what)
{
    return weft_error(b->session, WEFT_ERR_SYSTEM, "%s: %s", what, strerror(errno));
}

row measure_row(const char *what, const char *unit, goal_kind kind, double goal)
{
    row line;
    memset(&line, 0, sizeof line);
    (void)snprintf(line.what, sizeof line.what, "%s", what);
    (void)snprintf(line.unit, sizeof line.unit, "%s", unit);
    line.kind = kind;
    line.goal = goal;
    line.to_best = line.imbalance = (double)NAN;
    line.efficiency = line.other_efficiency = (double)NAN;
    return line;
}

void measure_name(const bench *b, row *line, const char *what, const char *against)
{
    char layout[32];
    if (b->ranks == 1) {
        (void)snprintf(layout, sizeof layout, "%d worker%s", b->workers, b->workers > 1 ? "s" : "");
    } else if (b->ranks * b->workers > b->cores) {
        (void)snprintf(layout, sizeof layout, "%d ranks on %d cores", b->ranks, b->cores);
    } else if (b->workers == 1) {
        (void)snprintf(layout, sizeof layout, "%d ranks", b->ranks);
    } else {
        (void)snprintf(layout, sizeof layout, "%d ranks x %d", b->ranks, b->workers);
    }
    (void)snprintf(line->what, sizeof line->what, "%s, %s, %s", what, layout, against);
}

static int compare(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* Puts the values into order. */
static double median_of(double *values, int count)
{
    qsort(values, (size_t)count, sizeof *values, compare);
    return (values[(count - 1) / 2] + values[count / 2]) / 2;
}

static double middle(const double *values, int count, double *least, double *most)
{
    double *sorted = malloc((size_t)count * sizeof *sorted);
    if (sorted == NULL) {
        return (double)NAN;
    }
    memcpy(sorted, values, (size_t)count * sizeof *sorted);
    const double median = median_of(sorted, count);
    if (least != NULL) {
        *least = sorted[0];
    }
    if (most != NULL) {
        *most = sorted[count - 1];
    }
    free(sorted);
    return median;
}

double measure_median(const double *values, int count)
{
    return middle(values, count, NULL, NULL);
}

double measure_ratio(const double *side, const double *other, int count, double *least,
                     double *most)
{
    double *ratios = malloc((size_t)count * sizeof *ratios), median = (double)NAN;
    for (int i = 0; ratios != NULL && i < count; i++) {
        ratios[i] = side[i] / other[i];
    }
    if (ratios != NULL) {
        median = middle(ratios, count, least, most);
    }
    free(ratios);
    return median;
}

weft_status measure_send_row(const bench *b, const row *line)
{
    if (b->rank > 0) {
        return WEFT_OK;
    }
    row whole = *line;
    whole.ranks = b->ranks;
    whole.workers = b->workers;
    /* Less than a pipe takes at once. */
    if (write(b->pipe, &whole, sizeof whole) != (ssize_t)sizeof whole) {
        return measure_system_error(b, "the table's pipe");
    }
    return WEFT_OK;
}

weft_status measure_send(const bench *b, row *line, const double *weft, const double *other)
{
    const int count = b->repeat;
    line->other = (double)NAN;
    line->ratio = (double)NAN;
    line->weft = middle(weft, count, &line->least, &line->most);
    if (other != NULL) {
        line->other = measure_median(other, count);
        line->ratio = measure_ratio(weft, other, count, &line->least, &line->most);
    }
    return isnan(line->weft) ? measure_no_memory(b) : measure_send_row(b, line);
}

/* What the measurement before has left to the disk, the removal of its file included, is none of
 * the next one's business. */
void measure_settle(const bench *b)
{
    if (b->rank > 0) {
        return;
    }
    const int folder = open(".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (folder >= 0) {
        (void)syncfs(folder);
        (void)close(folder);
    }
}

weft_status measure_turns(const bench *b, const measure_side *sides, int count, double **values)
{
    const int repeat = b->repeat;
    weft_status status = WEFT_OK;
    double *all = *values = measure_array(b, (size_t)count * (size_t)repeat, sizeof *all);
    if (all == NULL) {
        return WEFT_ERR_MEMORY;
    }
    for (int i = 0; i < repeat; i++) {
        for (int j = 0; j < count && status == WEFT_OK; j++) {
            measure_settle(b);
            status = measure_agree(b, sides[j].run(b, sides[j].context, &all[j * repeat + i]));
        }
    }
    return status;
}

weft_status measure_several(const bench *b, row *lines, const measure_side *sides, int count,
                            double factor)
{
    const int repeat = b->repeat;
    double *values = NULL;
    weft_status status = measure_turns(b, sides, count, &values);
    for (int i = 0; i < count * repeat && status == WEFT_OK; i++) {
        values[i] *= factor;
    }
    for (int j = 1; j < count && status == WEFT_OK; j++) {
        status = measure_send(b, &lines[j - 1], values, values + (ptrdiff_t)j * repeat);
    }
    if (count == 1 && status == WEFT_OK) {
        status = measure_send(b, lines, values, NULL);
    }
    free(values);
    return status;
}

weft_status measure(const bench *b, row *line, side_fn weft, side_fn other, void *context)
{
    const measure_side sides[] = {{weft, context}, {other, context}};
    return measure_several(b, line, sides, other ? 2 : 1, 1);
}

weft_status measure_apart(const bench *b, char *option, const char *what, const measure_side *s,
                          double *value)
{
    static char name[] = "weft-bench";
    char *arguments[] = {name, option, NULL};
    char **argv = arguments;
    int argc = option != NULL ? 2 : 1;
    bench own = *b;
    weft_status status = weft_init(&argc, &argv, NULL, &own.session);
    if (status == WEFT_OK) {
        status = s->run(&own, s->context, value);
    }
    if (status != WEFT_OK) {
        (void)weft_error(b->session, status, "%s: %s", what, weft_error_text(own.session));
    }
    (void)weft_finish(own.session, WEFT_OK);
    return status;
}
