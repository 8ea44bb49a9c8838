/* SPDX-License-Identifier: BSD-3-Clause */
/* What the kinds of reductions have in common. */
#include "reduce/kind.h"

#include <string.h>

reduction_value reduction_vector(weft_type type, int64_t elements)
{
    return (reduction_value){.type = type,
                             .shape = {.ndims = 1, .shape = {elements}, .count = elements}};
}

reduction_value reduction_scalar(weft_type type)
{
    return (reduction_value){.type = type, .shape = {.ndims = 0, .count = 1}};
}

double reduction_nan(void)
{
    const uint64_t bits = UINT64_C(0x7ff8) << 48;
    double x;
    memcpy(&x, &bits, sizeof x);
    return x;
}

double reduction_clean(double x)
{
    return x == x ? x : reduction_nan();
}
