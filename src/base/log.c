/* SPDX-License-Identifier: BSD-3-Clause */
/* The log: lines on stderr, each with "weft: " before it. */
#include "base/log.h"

#include "base/clock.h"
#include "base/number.h"
#include "base/terminal.h"

#include <errno.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { LINE_BYTES = 2048, LIMIT_NS = 100000000, PAUSE_NS = 1000000 };

static _Atomic log_level level_now = LOG_INFO;
static atomic_int rank_now = -1;

/* Held while a line is written, so that the flag says what is on the terminal. A thread waits for
 * it at most LIMIT_NS: its holder may be stuck in write(), or not exist in a forked process. */
static pthread_mutex_t writing = PTHREAD_MUTEX_INITIALIZER;
static bool progress_open;

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
        if (written > 0) {
            text += written;
            bytes -= (size_t)written;
        } else if (written == 0 || errno != EINTR) {
            return;
        }
    }
}

/* Writes a line, which begins with the end of the line before it: that is left out unless a
 * progress line is open, and this is none. */
static void write_line(const char *line, size_t bytes, bool is_progress)
{
    const int64_t until_ns = clock_now_ns() + LIMIT_NS;
    bool locked = pthread_mutex_trylock(&writing) == 0;
    while (!locked && clock_now_ns() < until_ns) {
        clock_sleep_ns(PAUSE_NS);
        locked = pthread_mutex_trylock(&writing) == 0;
    }
    const size_t skipped = locked && progress_open && !is_progress ? 0 : 1;
    write_all(line + skipped, bytes - skipped);
    if (locked) {
        progress_open = is_progress;
        (void)pthread_mutex_unlock(&writing);
    }
}

void log_print(log_level level, const char *format, ...)
{
    if (!log_wants(level)) {
        return;
    }
    char line[LINE_BYTES];
    const int rank = atomic_load(&rank_now);
    size_t used = (size_t)snprintf(line, sizeof line, "\n%s",
                                   level == LOG_WARNING ? "weft: WARNING: " : "weft: ");
    if (level == LOG_DEBUG && rank >= 0) {
        used += (size_t)snprintf(line + used, sizeof line - used, "rank %d: ", rank);
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
    write_line(line, used, false);
}

void log_progress(const char *text)
{
    if (!log_wants(LOG_INFO)) {
        return;
    }
    char line[LINE_BYTES] = "\n";
    if (text != NULL) {
        (void)snprintf(line, sizeof line, "\n\r\033[Kweft: %s", text);
    }
    write_line(line, strlen(line), text != NULL);
}
