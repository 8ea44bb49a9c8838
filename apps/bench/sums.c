/* SPDX-License-Identifier: BSD-3-Clause */
/* Owns the numbers that are added up, and how long that takes. */
#include "sums.h"

#include "report.h"

#include <math.h>
#include <stdlib.h>

enum { TIMES = 12 };

/* Uniform mantissas and exponents, and as many of either sign. */
static void fill(double x[], int64_t n, int64_t spread)
{
    uint64_t state = 1;
    for (int64_t i = 0; i < n; i++) {
        state = state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
        const int64_t exponent = (int64_t)(state >> 40) % (2 * spread + 1) - spread;
        x[i] = ldexp((double)(state >> 11) * 0x1p-53 - 0.5, (int)exponent);
    }
}

double sums_measure(const settings *s, sums_fn add)
{
    double *x = malloc((size_t)s->items * sizeof *x);
    double least = (double)NAN;
    if (x != NULL) {
        fill(x, s->items, s->spread);
        /* The compiler must not find out that nobody needs the sums. */
        volatile double sum = add(s->items, x);
        for (int i = 0; i < TIMES; i++) {
            const double begin = report_now();
            sum = add(s->items, x);
            least = fmin(least, 1e9 * (report_now() - begin) / (double)s->items);
        }
        (void)sum;
    }
    free(x);
    return least;
}
