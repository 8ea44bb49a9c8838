/* SPDX-License-Identifier: BSD-3-Clause */
/* Owns work of a chosen length. */
#include "spin.h"

#include "measure.h"

double spin_steps(int64_t start, int64_t steps)
{
    double x = 1 / (1 + (double)start);
    for (int64_t i = 0; i < steps; i++) {
        x = x * 0.75 + 0.5;
    }
    return x;
}

double spin_step_s(void)
{
    enum { TRIES = 20, STEPS = 1000000 };
    double least = 1;
    volatile double kept = 0;
    for (int i = 0; i < TRIES; i++) {
        const double start = measure_now();
        kept = kept + spin_steps(i, STEPS);
        const double seconds = (measure_now() - start) / STEPS;
        least = seconds < least ? seconds : least;
    }
    return least;
}
