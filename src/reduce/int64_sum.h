/* SPDX-License-Identifier: BSD-3-Clause */
/* The sum of integers: 128 bits in two's complement.
 *
 * Thread: any; an accumulator belongs to one at a time. */
#ifndef REDUCE_INT64_SUM_H
#define REDUCE_INT64_SUM_H

#include "reduce/kind.h"

#include <stdint.h>

/* As weft_int64_sum_add(), for what int64_t does not hold. */
void int64_sum_add_unsigned(weft_int64_sum *sum, uint64_t x);

#endif
