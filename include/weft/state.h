/* SPDX-License-Identifier: BSD-3-Clause */
/** @file
 * What workers are at, and how their time is shared out.
 */
#ifndef WEFT_STATE_H
#define WEFT_STATE_H

#include <stdbool.h>
#include <stddef.h>
#include <weft/macros.h>

WEFT_BEGIN_DECLS

/** What a worker is at: X(enumerator, name, text). */
#define WEFT_STATE_MAP(X)                                                \
    X(WEFT_COMPUTING, "computing", "computing")                          \
    X(WEFT_WAITING_FOR_DISK, "waiting_for_disk", "waiting for the disk") \
    X(WEFT_WAITING_FOR_WORK, "waiting_for_work", "waiting for work")     \
    X(WEFT_ELSEWHERE, "elsewhere", "elsewhere")

/**
 * What a worker is at. At every moment of a map it is in one of these states, from the first to the
 * last moment that the map is computed:
 *
 * - computing: in the kernel, or in what weft does about it between two calls: reductions, and
 *   checksums;
 * - waiting for the disk: writing results; or out of work, since all that is left of the map is
 *   that results are forced to disk;
 * - waiting for work: what is left of the map is with other workers, or on its way here;
 * - elsewhere: forking a child for the kernel; without workers (`--threads 0`) the rank's other
 *   duties, and whatever the program does meanwhile; every worker of a rank that is presumed dead,
 *   from the moment on at which it was last heard.
 */
typedef enum weft_state {
#define WEFT_STATE_ENUM(enumerator, name, text) enumerator,
    WEFT_STATE_MAP(WEFT_STATE_ENUM)
#undef WEFT_STATE_ENUM
        WEFT_STATES /**< how many there are */
} weft_state;

/**
 * The name of a state, such as "waiting_for_work", as `weft status --json` has it.
 *
 * @local Any thread.
 * @param state any value
 * @return a static string, never NULL; "?" for what is not a state
 */
WEFT_API const char *weft_state_name(weft_state state);

/**
 * Makes whole percents of times; they sum up to exactly 100, by largest remainder.
 *
 * @local Any thread.
 * @param seconds the time in each state; what is not a number, negative or infinite counts as 0
 * @param percent out: the share of each state; all 0 if there is no time at all
 * @return whether there is any
 */
WEFT_API bool weft_states_share(const double seconds[WEFT_STATES], int percent[WEFT_STATES]);

/**
 * Says how many are in which state, such as "3 computing, 1 waiting for work", or with the unit
 * " %" "75 % computing, 25 % waiting for work". States of none are left out.
 *
 * @local Any thread.
 * @param count how many there are of each state
 * @param unit  what follows each number, or ""
 * @param text  out: the text; "" if there are none of any
 * @param bytes room for it; 128 suffice for percents
 */
WEFT_API void weft_states_print(const int count[WEFT_STATES], const char *unit, char *text,
                                size_t bytes);

WEFT_END_DECLS

#endif
