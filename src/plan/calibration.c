/* SPDX-License-Identifier: BSD-3-Clause */
/* What simulations of runs that have been measured leave out: a cost per run, a factor. */
#include "plan/calibration.h"

#include <math.h>

/* Where there is nothing to compare with. */
static const double usual_misfit = 0.05;

/* What is left out cannot be more than this: a second to start and to end, a quarter for what
 * workers take from each other. Beyond that the run has met with something else, and the misfit
 * says so. */
static const double most_cost_s = 1;
static const double least_factor = 0.8;
static const double most_factor = 1.25;

/* Runs that differ less than this in length do not tell a cost from a factor. */
static const double apart = 1.5;

static double bounded(double x, double least, double most)
{
    return fmin(fmax(x, least), most);
}

/* Weighted sums over the points, each counting by its relative error. */
typedef struct sums {
    double w;
    double x;
    double y;
    double xx;
    double xy;
    double shortest;
    double longest;
} sums;

static sums sum_up(const calibration_point point[], int points)
{
    sums s = {.shortest = (double)INFINITY};
    for (int i = 0; i < points; i++) {
        const double x = point[i].simulated_s;
        const double y = point[i].measured_s;
        const double w = 1 / (y * y);
        s.w += w;
        s.x += w * x;
        s.y += w * y;
        s.xx += w * x * x;
        s.xy += w * x * y;
        s.shortest = fmin(s.shortest, x);
        s.longest = fmax(s.longest, x);
    }
    return s;
}

/* The misfit is taken as a cost first, as far as it can be one: what is not simulated (opening,
 * the last messages) is mostly that. */
static void fit(const sums *s, calibration *c)
{
    const double determinant = s->w * s->xx - s->x * s->x;
    if (s->longest > apart * s->shortest && determinant > 0) {
        c->cost_s = bounded((s->xx * s->y - s->x * s->xy) / determinant, 0, most_cost_s);
    } else {
        c->cost_s = bounded((s->y - s->x) / s->w, 0, most_cost_s);
    }
    c->factor = bounded((s->xy - c->cost_s * s->x) / s->xx, least_factor, most_factor);
    c->factor_alone = bounded(s->xy / s->xx, least_factor, most_factor);
}

void calibration_fit(const calibration_point point[], int points, calibration *c)
{
    *c = (calibration){.runs = points, .factor = 1, .factor_alone = 1, .misfit = usual_misfit};
    if (points == 0) {
        return;
    }
    const sums s = sum_up(point, points);
    fit(&s, c);
    double squares = 0;
    for (int i = 0; i < points; i++) {
        const double said = c->cost_s + c->factor * point[i].simulated_s;
        squares += (said / point[i].measured_s - 1) * (said / point[i].measured_s - 1);
    }
    c->misfit = sqrt(squares / points);
}

double calibration_apply(const calibration *c, double simulated_s, double *low_s, double *high_s)
{
    const double said = c->cost_s + c->factor * simulated_s;
    const double other = c->factor_alone * simulated_s;
    *low_s = fmin(said, other) * (1 - fmin(c->misfit, 1));
    *high_s = fmax(said, other) * (1 + c->misfit);
    return said;
}
