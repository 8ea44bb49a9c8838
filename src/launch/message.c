/* SPDX-License-Identifier: BSD-3-Clause */
/* What the launcher prints on stderr. */
#include "launch/message.h"

#include "base/terminal.h"

static const char before[] = "weft-run: ";

void message_print(log_level level, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    if (log_wants(level)) {
        terminal_print_list(before, format, arguments);
    }
    va_end(arguments);
}

int message_fail(int status, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    terminal_print_list(before, format, arguments);
    va_end(arguments);
    return status;
}
