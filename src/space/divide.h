/* SPDX-License-Identifier: BSD-3-Clause */
/** @file
 * Division that rounds up.
 */
#ifndef SPACE_DIVIDE_H
#define SPACE_DIVIDE_H

#include <stdint.h>

/** ⌈a / b⌉ for a >= 0, b >= 1; it has no a + b - 1 that could overflow. */
static inline int64_t divide_up(int64_t a, int64_t b)
{
    return a / b + (a % b != 0);
}

#endif
