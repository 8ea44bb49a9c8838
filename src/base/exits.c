/* SPDX-License-Identifier: BSD-3-Clause */
/* A call of exit() by somebody who is only a guest in the process. */
#define _GNU_SOURCE 1
#include "base/exits.h"

#include "base/log.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static atomic_bool watched = false;

static void on_exit_called(int status, void *unused)
{
    (void)unused;
    if (atomic_load(&watched)) {
        log_print(
            LOG_ERROR,
            "error: the kernel, or a library, has called exit(%d), which ends the process; a "
            "kernel says weft_span_fail() if an item failed. Run the same command again: what "
            "was in hand is then computed in a process of its own",
            status);
        (void)fflush(NULL);
        _exit(1);
    }
}

void exits_watch(void)
{
    static bool registered = false;
    if (!registered) {
        registered = on_exit(on_exit_called, NULL) == 0;
    }
    atomic_store(&watched, true);
}

void exits_unwatch(void)
{
    atomic_store(&watched, false);
}
