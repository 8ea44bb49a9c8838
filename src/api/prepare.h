/* SPDX-License-Identifier: BSD-3-Clause */
/* A start is prepared: what this rank has to say against it, or all that the run will need.
 *
 * Thread: the main thread. */
#ifndef API_PREPARE_H
#define API_PREPARE_H

#include "api/map.h"

/* Everything but to begin, for a start that names a kernel; `call` is how the program has asked for
 * it. */
weft_status prepare(weft_map *map, const char *call);

/* Frees what the ranks compare. */
void prepare_clear(start *w);

#endif
