/* SPDX-License-Identifier: BSD-3-Clause */
/* A kernel that runs over the end of its stack. */
#include "engine/exec/overflow.h"

#include "base/number.h"
#include "host/stack.h"

#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { MB_BYTES = 1 << 20 };

/* What the handler writes before and after the size, since it can print no numbers but its own. */
static char head[96];
static const char *tail = "";

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static int watches = 0; /* runs that are under way; under the mutex */

static const char *remedy(bool worker)
{
    return worker ? "OMP_STACKSIZE" : "ulimit -s";
}

static const char *owner(bool worker)
{
    return worker ? "the worker's" : "the main thread's";
}

void overflow_describe(bool worker, int64_t stack_bytes, char text[OVERFLOW_TEXT_BYTES])
{
    (void)number_print(text, OVERFLOW_TEXT_BYTES, " near the end of %s stack of %.1f MB: %s",
                       owner(worker), (double)stack_bytes / MB_BYTES, remedy(worker));
}

static void write_text(const char *text)
{
    if (write(STDERR_FILENO, text, strlen(text)) < 0) {
        /* There is nobody left to tell. */
    }
}

/* In a signal handler. */
static void tell(int64_t stack_bytes)
{
    char digits[24];
    char *at = digits + sizeof digits;
    int64_t tenths = (10 * stack_bytes + MB_BYTES / 2) / MB_BYTES;
    *--at = '\0';
    *--at = (char)('0' + tenths % 10);
    *--at = '.';
    for (tenths /= 10; tenths > 0 || *at == '.'; tenths /= 10) {
        *--at = (char)('0' + tenths % 10);
    }
    write_text(head);
    write_text(at);
    write_text(tail);
}

static void begin_watch(int rank, bool worker)
{
    (void)snprintf(head, sizeof head, "weft: error: rank %d dies near the end of %s stack of ",
                   rank, owner(worker));
    tail = worker ? " MB: give workers more with OMP_STACKSIZE, 64M say\n"
                  : " MB: give it more with ulimit -s\n";
    stack_watch(tell);
}

void overflow_watch(int rank, bool worker)
{
    (void)pthread_mutex_lock(&mutex);
    if (watches++ == 0) {
        begin_watch(rank, worker);
    }
    (void)pthread_mutex_unlock(&mutex);
}

void overflow_unwatch(void)
{
    (void)pthread_mutex_lock(&mutex);
    if (--watches == 0) {
        stack_unwatch();
    }
    (void)pthread_mutex_unlock(&mutex);
}
