/* SPDX-License-Identifier: BSD-3-Clause */
/* The files of a session, and which maps each of them holds.
 *
 * Thread: the main thread. */
#ifndef API_FILES_H
#define API_FILES_H

#include "api/map.h"

/* The maps of a file: those of the session that is there, or the one that is run, of a file that is
 * known already. */
typedef struct file_maps {
    int count;
    weft_map *map[WEFT_MAX_MAPS];
} file_maps;

/* The session's note of a file; NULL: it has none. */
session_file *files_find(const weft_session *s, const char *file);

/* Who shares a file with this map. */
weft_status files_find_maps(weft_map *map, file_maps *m);

/* Whether the driver may be looking at the map's job already, for another map of its file. */
bool files_know(const weft_map *map);

/* The session's note of a map's file, a new one where it has none yet: one more of its maps is
 * under way. */
weft_status files_note(weft_map *map, const file_maps *m, session_file **out);

/* A map of the file is done. One that could not be opened is as if nobody had asked for it. */
void files_leave(weft_session *s, session_file *f);

/* A map is destroyed. */
void files_remove(session_file *f, const weft_map *map);

/* Forgets all files, which are closed. */
void files_free(weft_session *s);

#endif
