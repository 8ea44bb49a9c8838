/* SPDX-License-Identifier: BSD-3-Clause */
/* The item space: its shape, how many items it has, and the row-major numbering of the items. */
#include "space/space.h"

/* The product of the extents; false if it overflows. A zero is looked for first, since the product
 * of the others may overflow although there is no item. */
static bool count_items(int ndims, const int64_t shape[], int64_t *count)
{
    for (int d = 0; d < ndims; d++) {
        if (shape[d] == 0) {
            *count = 0;
            return true;
        }
    }
    int64_t product = 1;
    for (int d = 0; d < ndims; d++) {
        if (product > INT64_MAX / shape[d]) {
            return false;
        }
        product *= shape[d];
    }
    *count = product;
    return true;
}

bool space_init(space *s, int ndims, const int64_t shape[])
{
    if (ndims < 1 || ndims > WEFT_MAX_DIMS) {
        return false;
    }
    space result = {.ndims = ndims};
    for (int d = 0; d < ndims; d++) {
        if (shape[d] < 0) {
            return false;
        }
        result.shape[d] = shape[d];
    }
    if (!count_items(ndims, shape, &result.count)) {
        return false;
    }
    *s = result;
    return true;
}

void space_indices(const space *s, int64_t item, int64_t indices[])
{
    for (int d = s->ndims - 1; d >= 0; d--) {
        indices[d] = item % s->shape[d];
        item /= s->shape[d];
    }
}
