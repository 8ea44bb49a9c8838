/* SPDX-License-Identifier: BSD-3-Clause */
/* What the program has to complain of. */
#include "complain.h"

#include "base/terminal.h"

#include <stdarg.h>
#include <stdio.h>

enum { LINE_BYTES = 8192 };

void complain(const char *format, ...)
{
    char line[LINE_BYTES];
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(line, sizeof line, format, arguments);
    va_end(arguments);
    terminal_clean(line);
    (void)fprintf(stderr, "weft-bench: %s\n", line);
}
