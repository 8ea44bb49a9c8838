/* SPDX-License-Identifier: BSD-3-Clause */
/* The log: lines on stderr, each with "weft: " before it. */
#include "base/log.h"

#include "base/number.h"
#include "base/terminal.h"

#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { LINE_BYTES = 2048 };

/* Set before there are other threads. */
static log_level level_now = LOG_INFO;
static int rank_now = -1;

/* Whoever closes the line breaks it. Not a lock: a child may be forked while another thread prints.
 */
static atomic_bool progress_open;

bool log_find_level(const char *name, log_level *level)
{
    static const char *const names[] = {"error", "warning", "info", "debug"};
    for (int i = 0; i < 4; i++) {
        if (strcmp(name, names[i]) == 0) {
            *level = (log_level)i;
            return true;
        }
    }
    return false;
}

void log_set(log_level level, int rank)
{
    level_now = level;
    rank_now = rank;
}

bool log_wants(log_level level)
{
    return level <= level_now;
}

static void write_all(const char *text, size_t bytes)
{
    while (bytes > 0) {
        const ssize_t written = write(STDERR_FILENO, text, bytes);
        if (written <= 0) {
            return;
        }
        text += written;
        bytes -= (size_t)written;
    }
}

void log_print(log_level level, const char *format, ...)
{
    if (!log_wants(level)) {
        return;
    }
    char line[LINE_BYTES];
    size_t used = (size_t)snprintf(line, sizeof line, "%s%s",
                                   atomic_exchange(&progress_open, false) ? "\n" : "",
                                   level == LOG_WARNING ? "weft: WARNING: " : "weft: ");
    if (level == LOG_DEBUG && rank_now >= 0) {
        used += (size_t)snprintf(line + used, sizeof line - used, "rank %d: ", rank_now);
    }
    va_list arguments;
    va_start(arguments, format);
    const int length = number_print_list(line + used, sizeof line - used - 1, format, arguments);
    va_end(arguments);
    if (length > 0) {
        terminal_clean(line + used);
        used += strlen(line + used);
    }
    line[used++] = '\n';
    write_all(line, used);
}

void log_progress(const char *text)
{
    if (!log_wants(LOG_INFO) || (!atomic_exchange(&progress_open, text != NULL) && text == NULL)) {
        return;
    }
    char line[LINE_BYTES];
    const int used = text == NULL ? snprintf(line, sizeof line, "\n")
                                  : snprintf(line, sizeof line, "\r\033[Kweft: %s", text);
    if (used > 0) {
        write_all(line, (size_t)used < sizeof line ? (size_t)used : sizeof line - 1);
    }
}
