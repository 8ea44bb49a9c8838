/* SPDX-License-Identifier: BSD-3-Clause */
/* Owns how two sides are compared. */
#define _GNU_SOURCE 1
#include "measure.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

double measure_now(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
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
    return line;
}

static int compare(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* Puts the values into order. */
static double median(double *values, int count)
{
    qsort(values, (size_t)count, sizeof *values, compare);
    return (values[(count - 1) / 2] + values[count / 2]) / 2;
}

weft_status measure_send(const bench *b, row *line, const double *weft, const double *other)
{
    const int count = b->repeat;
    const size_t bytes = (size_t)count * sizeof(double);
    double *sorted = malloc(bytes);
    if (!sorted)
        return measure_no_memory(b);
    line->other = (double)NAN;
    line->ratio = (double)NAN;
    if (other) {
        memcpy(sorted, other, bytes);
        line->other = median(sorted, count);
        for (int i = 0; i < count; ++i)
            sorted[i] = weft[i] / other[i];
        line->ratio = median(sorted, count);
        line->least = sorted[0];
        line->most = sorted[count - 1];
    }
    memcpy(sorted, weft, bytes);
    line->weft = median(sorted, count);
    if (!other) {
        line->least = sorted[0];
        line->most = sorted[count - 1];
    }
    free(sorted);
    /* Less than a pipe takes at once. */
    if (write(b->pipe, line, sizeof *line) != (ssize_t)sizeof *line)
        return measure_system_error(b, "the table's pipe");
    return WEFT_OK;
}

/* What the measurement before has left to the disk, the removal of its file included, is none of
 * the next one's business. */
void measure_settle(void)
{
    const int folder = open(".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (folder >= 0) {
        (void)syncfs(folder);
        (void)close(folder);
    }
}

static weft_status take(const bench *b, side_fn side, void *context, double *value)
{
    measure_settle();
    return side(b, context, value);
}

weft_status measure(const bench *b, row *line, side_fn weft, side_fn other, void *context)
{
    weft_status status = WEFT_OK;
    double *values = malloc(2 * (size_t)b->repeat * sizeof *values);
    if (!values)
        return measure_no_memory(b);
    for (int i = 0; i < b->repeat && status == WEFT_OK; ++i) {
        status = take(b, weft, context, &values[i]);
        if (status == WEFT_OK && other)
            status = take(b, other, context, &values[b->repeat + i]);
    }
    if (status == WEFT_OK)
        status = measure_send(b, line, values, other ? values + b->repeat : NULL);
    free(values);
    return status;
}
