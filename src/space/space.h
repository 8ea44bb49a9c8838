/* SPDX-License-Identifier: BSD-3-Clause */
/** @file
 * The item space: its shape, how many items it has, and the row-major numbering of the items.
 */
#ifndef SPACE_SPACE_H
#define SPACE_SPACE_H

#include <stdbool.h>
#include <stdint.h>
#include <weft/type.h>

/** The shape of a map. Set with space_init(). */
typedef struct space {
    int ndims;                    /**< 1 … WEFT_MAX_DIMS */
    int64_t shape[WEFT_MAX_DIMS]; /**< extents, slowest dimension first */
    int64_t count;                /**< items: the product of the extents */
} space;

/**
 * Takes a shape. False, and @p s unchanged, if ndims is not 1 … WEFT_MAX_DIMS, an extent is
 * negative, or the count overflows; a zero extent makes the count 0 whatever the others are.
 */
bool space_init(space *s, int ndims, const int64_t shape[]);

/** The indices of an item, 0 <= item < count: item = (i0 · shape[1] + i1) · shape[2] + i2 … */
void space_indices(const space *s, int64_t item, int64_t indices[]);

#endif
