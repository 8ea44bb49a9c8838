/* SPDX-License-Identifier: BSD-3-Clause */
/* What the values of a field are like: in a few numbers, from one reading of the file. */
#ifndef CLI_STATISTICS_H
#define CLI_STATISTICS_H

#include "view.h"

#include <stdbool.h>

enum { STATISTICS_QUANTILES = 5 };

typedef struct statistics {
    int64_t values;  /* finite numbers of items that are done … */
    int64_t missing; /* … and elements of such that are none */
    int64_t undone;
    double low;
    double high;
    double mean;
    double deviation; /* the standard deviation; NaN for fewer than two */
    double quantile[STATISTICS_QUANTILES];
    bool nearly; /* the quantiles are so to a thousandth of their size */
} statistics;

/* The probabilities of the quantiles. */
extern const double statistics_probability[STATISTICS_QUANTILES];

/* Reads all values, with a few megabytes of memory however many there are. */
weft_status statistics_collect(view *v, statistics *s);

#endif
