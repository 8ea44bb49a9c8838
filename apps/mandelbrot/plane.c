/* SPDX-License-Identifier: BSD-3-Clause */
/* Owns the arithmetic of the Mandelbrot set. */
#include "plane.h"

#include "base/number.h"

#include <stdio.h>
#include <string.h>

uint32_t plane_steps(double cx, double cy, uint32_t limit)
{
    double x = 0, y = 0, xx = 0, yy = 0;
    uint32_t n = 0;
    while (n < limit && xx + yy <= 4) {
        y = 2 * x * y + cy;
        x = xx - yy + cx;
        xx = x * x;
        yy = y * y;
        n++;
    }
    return n;
}

double plane_x(const plane *view, int64_t column)
{
    const double width = (double)view->width;
    return view->centre_x + ((double)column + 0.5 - width / 2) * view->span / width;
}

double plane_y(const plane *view, int64_t row)
{
    const double height = (double)view->height;
    return view->centre_y + (height / 2 - (double)row - 0.5) * view->span / (double)view->width;
}

void plane_count(const plane *view, int64_t first, int64_t count, uint32_t *steps)
{
    const uint32_t limit = (uint32_t)view->max_iter;
    int64_t column = first % view->width, row = first / view->width;
    for (int64_t done = 0; done < count; column = 0, row++) {
        const double cy = plane_y(view, row);
        for (; column < view->width && done < count; column++, done++) {
            steps[done] = plane_steps(plane_x(view, column), cy, limit);
        }
    }
}

bool plane_parse_centre(const char *text, double *x, double *y)
{
    const char *comma = strchr(text, ',');
    char before[64];
    double first, second;
    if (comma == NULL || comma - text >= (int)sizeof before) {
        return false;
    }
    snprintf(before, sizeof before, "%.*s", (int)(comma - text), text);
    if (!number_read_double(before, &first) || !number_read_double(comma + 1, &second)) {
        return false;
    }
    *x = first;
    *y = second;
    return true;
}
