/* SPDX-License-Identifier: BSD-3-Clause */
/* A dimension of a map whose coordinates a function gives. */
#include "axis.h"

#include <stdlib.h>

weft_status axis_set(weft_session *session, weft_map *map, int dimension, const char *name,
                     const char *units, int64_t count, axis_fn coordinate, const void *context)
{
    double *values = malloc((size_t)count * sizeof *values);
    if (values == NULL) {
        return weft_error(session, WEFT_ERR_MEMORY, "out of memory for the dimension %s", name);
    }
    for (int64_t i = 0; i < count; i++) {
        values[i] = coordinate(context, i);
    }
    const weft_status status = weft_map_set_dimension(map, dimension, name, units, values);
    free(values);
    return status;
}
