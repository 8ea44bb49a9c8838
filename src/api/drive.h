/* SPDX-License-Identifier: BSD-3-Clause */
/* The task of a map that has been started: its run, and what its failure does to those behind it.
 *
 * Thread: the one that does the task, but for what each function says. */
#ifndef API_DRIVE_H
#define API_DRIVE_H

#include "api/map.h"

/* The main thread: sets up the task of a map's start. */
void drive_set_up(weft_map *map);

/* Whether all items were computed. */
bool drive_is_good(weft_status status);

#endif
