/* SPDX-License-Identifier: BSD-3-Clause */
/* What the launcher prints on stderr: lines with "weft-run: " before them. */
#ifndef LAUNCH_MESSAGE_H
#define LAUNCH_MESSAGE_H

#include "base/log.h"

#include <weft/macros.h>

/* What is above the level is not printed. */
void message_set(log_level level);

bool message_wants(log_level level);

/* One line, written whole, and fit for a terminal whatever is in it. */
void message_print(log_level level, const char *format, ...) WEFT_PRINTF(2, 3);

/* Prints an error; returns the status, so that `return message_fail(…)` reads well. */
int message_fail(int status, const char *format, ...) WEFT_PRINTF(2, 3);

#endif
