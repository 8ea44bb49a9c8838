/* SPDX-License-Identifier: BSD-3-Clause */
/* Owns how long the items of a workload take. */
#include "cost.h"

#include <math.h>

/* Uniform in (0, 1), and without any pattern along the items. */
static double scatter(int64_t item)
{
    uint64_t x = (uint64_t)item + UINT64_C(0x243f6a8885a308d3);
    for (int round = 0; round < 3; round++) {
        x ^= x >> 31;
        x *= UINT64_C(0x9e3779b97f4a7c15);
    }
    return ((double)(x >> 12) + 0.5) * 0x1p-52;
}

double cost_uniform(int64_t item, int64_t count)
{
    (void)item;
    (void)count;
    return 1;
}

double cost_increasing(int64_t item, int64_t count)
{
    return 2 * ((double)item + 0.5) / (double)count;
}

double cost_decreasing(int64_t item, int64_t count)
{
    return cost_increasing(count - 1 - item, count);
}

double cost_exponential(int64_t item, int64_t count)
{
    (void)count;
    return -log(scatter(item));
}

double cost_bimodal(int64_t item, int64_t count)
{
    const double mean = 0.99 + 0.01 * 100;
    (void)count;
    return (scatter(item) < 0.01 ? 100 : 1) / mean;
}

double cost_giant(int64_t item, int64_t count)
{
    if (count == 1) {
        return 1;
    }
    if (item == count * 3 / 4) {
        return 0.1 * (double)count;
    }
    return 0.9 * (double)count / (double)(count - 1);
}
