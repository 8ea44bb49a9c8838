/* SPDX-License-Identifier: BSD-3-Clause */
/* Maps are started, waited for and cancelled.
 *
 * Thread: the main thread. */
#ifndef API_START_H
#define API_START_H

#include "api/session.h"

/* Whether it has been started, and the program has not learned of its end. */
bool start_is_under_way(const weft_map *map);

/* What is said of a run that is under way comes too late: that is an error. */
weft_status start_check_idle(const weft_map *map);

/* The map is about to be destroyed: it is cancelled and waited for if it is under way, and so is
 * the beginning of another one that makes a file for both. */
void start_abandon(weft_map *map);

/* Frees what a start has left, and what the map needs; nobody needs it any more. */
void start_clear(weft_map *map);

/* Waits for all maps of the session that are under way, after it has cancelled them if `cancel`;
 * the status, and in the session the error, of the first that the program has not learned of and
 * that has not come to WEFT_OK. */
weft_status start_end_all(weft_session *s, bool cancel);

#endif
