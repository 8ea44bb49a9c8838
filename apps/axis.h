/* SPDX-License-Identifier: BSD-3-Clause */
/* A dimension of a map whose coordinates a function gives. */
#ifndef APPS_AXIS_H
#define APPS_AXIS_H

#include <weft/weft.h>

typedef double (*axis_fn)(const void *context, int64_t index);

/* Names a dimension of `count` items, see weft_map_set_dimension(). */
weft_status axis_set(weft_session *session, weft_map *map, int dimension, const char *name,
                     const char *units, int64_t count, axis_fn coordinate, const void *context);

#endif
