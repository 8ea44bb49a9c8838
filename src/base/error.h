/* SPDX-License-Identifier: BSD-3-Clause */
/* Errors: a status with the text that goes with it. */
#ifndef BASE_ERROR_H
#define BASE_ERROR_H

#include <stdarg.h>
#include <stdbool.h>
#include <weft/macros.h>
#include <weft/status.h>

enum { ERROR_TEXT_BYTES = 1024 };

/* What is to be said of a failure; set once, where it is first decided, and passed on by callers. A
 * function that fails says so by the status that it returns, and nobody looks for that in here. The
 * status in here is for errors that are kept or sent. Zero-initialised: no error. */
typedef struct error {
    weft_status status;
    char text[ERROR_TEXT_BYTES];
} error;

void error_clear(error *e);

/* Whether a program that ends with it says so: exit statuses 1 and 2, of the system or of the one
 * who started or wrote it; the others are how a good run may end. */
bool error_is_failure(weft_status status);

/* Sets status and text; returns the status, so that `return error_set(…)` reads well. The text may
 * hold what others have written: it is made fit for a terminal, see terminal_clean(). */
weft_status error_set(error *e, weft_status status, const char *format, ...) WEFT_PRINTF(3, 4);

weft_status error_set_list(error *e, weft_status status, const char *format, va_list arguments)
    WEFT_PRINTF(3, 0);

/* The same with ": <strerror(number)>" behind it; ENOSPC and EDQUOT give WEFT_ERR_NO_SPACE, every
 * other number WEFT_ERR_SYSTEM. */
weft_status error_system(error *e, int number, const char *format, ...) WEFT_PRINTF(3, 4);

/* WEFT_ERR_MEMORY, "out of memory for " and the text. */
weft_status error_memory(error *e, const char *format, ...) WEFT_PRINTF(2, 3);

/* What to do where no thread, or no process, can be created. */
#define ERROR_MORE_THREADS \
    "raise the limit of processes (ulimit -u, or the cgroup's pids.max) or of memory (ulimit -v)"

#endif
