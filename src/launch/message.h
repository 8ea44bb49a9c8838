/* SPDX-License-Identifier: BSD-3-Clause */
/* What the launcher prints on stderr: lines with "weft-run: " before them. */
#ifndef LAUNCH_MESSAGE_H
#define LAUNCH_MESSAGE_H

#include "base/log.h"

#include <weft/macros.h>

/* One line, fit for a terminal whatever is in it, unless the log does not want the level. */
void message_print(log_level level, const char *format, ...) WEFT_PRINTF(2, 3);

/* Prints an error; returns the status, so that `return message_fail(…)` reads well. */
int message_fail(int status, const char *format, ...) WEFT_PRINTF(2, 3);

#endif
