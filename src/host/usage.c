/* SPDX-License-Identifier: BSD-3-Clause */
/* What a thread has had of the cores, and how long it waited for one. */
#include "host/usage.h"

#include "base/number.h"

#include <fcntl.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/* What others have had of a core on behalf of the thread. */
static _Thread_local int64_t charged_ns;

void usage_open(usage *u)
{
    u->fd = open("/proc/thread-self/schedstat", O_RDONLY | O_CLOEXEC);
}

void usage_close(usage *u)
{
    if (u->fd >= 0) {
        (void)close(u->fd);
    }
    u->fd = -1;
}

int64_t usage_cpu_ns(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec + charged_ns;
}

void usage_charge(int64_t cpu_ns)
{
    charged_ns += cpu_ns;
}

int64_t usage_wait_ns(const usage *u)
{
    /* Nanoseconds on a core, nanoseconds ready to run, how often it ran. */
    char text[96];
    const ssize_t bytes = u->fd < 0 ? -1 : pread(u->fd, text, sizeof text - 1, 0);
    if (bytes <= 0) {
        return 0;
    }
    const char *at = text;
    uint64_t ns = 0;
    text[bytes] = '\0';
    at += strcspn(at, " ");
    at += *at == ' ';
    (void)number_take(&at, &ns);
    return (int64_t)ns;
}
