/* SPDX-License-Identifier: BSD-3-Clause */
/* The log: lines on stderr, each with "weft: " before it. */
#ifndef BASE_LOG_H
#define BASE_LOG_H

#include <stdbool.h>
#include <weft/macros.h>

/* How much a large run may print at each level. */
typedef enum log_level {
    LOG_ERROR,   /* why the run cannot go on: once */
    LOG_WARNING, /* what its owner should change: a few lines per run */
    LOG_INFO,    /* start, end and progress: rank 0 only */
    LOG_DEBUG    /* what one rank does: a line per chunk */
} log_level;

bool log_find_level(const char *name, log_level *level);

/* What is above the level is not printed; with the rank known, debug lines name it. Any thread. */
void log_set(log_level level, int rank);

bool log_wants(log_level level);

/* One line; it is written whole, so that lines of several ranks and threads do not mix, and the
 * line is fit for a terminal, wherever its text comes from. Any thread. */
void log_print(log_level level, const char *format, ...) WEFT_PRINTF(2, 3);

/* The progress line of a terminal: overwrites itself; NULL ends it. Any other line ends it too.
 * Any thread. */
void log_progress(const char *text);

#endif
