/* SPDX-License-Identifier: BSD-3-Clause */
/* What simulations of runs that have been measured leave out: a cost per run, a factor. */
#ifndef PLAN_CALIBRATION_H
#define PLAN_CALIBRATION_H

/* A run that ended complete: how long it took, and how long its simulation says. */
typedef struct calibration_point {
    double measured_s;
    double simulated_s;
} calibration_point;

typedef struct calibration {
    int runs;            /* that it rests on */
    double cost_s;       /* added to each run */
    double factor;       /* on what is simulated */
    double misfit;       /* relative, of what is measured and not explained; 5 % without a run */
    double factor_alone; /* the factor without a cost */
} calibration;

void calibration_fit(const calibration_point point[], int points, calibration *c);

/* How long a run will take; in *low_s and *high_s how long it might. */
double calibration_apply(const calibration *c, double simulated_s, double *low_s, double *high_s);

#endif
