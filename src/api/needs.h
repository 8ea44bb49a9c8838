/* SPDX-License-Identifier: BSD-3-Clause */
/* Which maps a map needs.
 *
 * Thread: the main thread, which changes them for maps that are not under way; needs_have(), under
 * the service's mutex, any. */
#ifndef API_NEEDS_H
#define API_NEEDS_H

#include "api/map.h"

/* Fails unless each map that is needed is complete, or was started before. */
weft_status needs_check(const weft_map *map);

/* Notes in the map's job, as long as no driver can be looking at it, which maps of its file it
 * needs. */
void needs_note(weft_map *map);

/* Whether a map needs that one itself. */
bool needs_have(const weft_map *map, const weft_map *earlier);

/* A map is destroyed: it is needed no more if it is complete; else it never will be. Under the
 * service's mutex. */
void needs_forget(void *gone);

/* Frees what a map needs. */
void needs_clear(weft_map *map);

#endif
