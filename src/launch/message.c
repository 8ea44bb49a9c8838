/* SPDX-License-Identifier: BSD-3-Clause */
/* What the launcher prints on stderr. */
#define _GNU_SOURCE 1
#include "launch/message.h"

#include "base/terminal.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

static log_level level_now = LOG_INFO;

void message_set(log_level level)
{
    level_now = level;
}

bool message_wants(log_level level)
{
    return level <= level_now;
}

/* In one piece, so that lines of several processes do not mix. What cannot be written has nobody to
 * read it. */
static void print(char *text)
{
    static char before[] = "weft-run: ";
    static char behind[] = "\n";
    terminal_clean(text);
    const struct iovec parts[] = {{before, sizeof before - 1}, {text, strlen(text)}, {behind, 1}};
    if (writev(STDERR_FILENO, parts, 3) < 0) {
        errno = 0;
    }
    free(text);
}

void message_print(log_level level, const char *format, ...)
{
    char *text = NULL;
    va_list arguments;
    va_start(arguments, format);
    if (message_wants(level) && vasprintf(&text, format, arguments) >= 0) {
        print(text);
    }
    va_end(arguments);
}

int message_fail(int status, const char *format, ...)
{
    char *text = NULL;
    va_list arguments;
    va_start(arguments, format);
    if (vasprintf(&text, format, arguments) >= 0) {
        print(text);
    }
    va_end(arguments);
    return status;
}
