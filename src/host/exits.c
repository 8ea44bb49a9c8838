/* SPDX-License-Identifier: BSD-3-Clause */
/* A call of exit() by a kernel, a library or OpenMP during a run. */
#define _GNU_SOURCE 1
#include "host/exits.h"

#include "base/error.h"
#include "base/log.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static atomic_int watches = 0;

static _Thread_local exits_place place = EXITS_ELSEWHERE;

/* It runs in the thread that has called exit(). */
static void explain(int status)
{
    switch (place) {
    case EXITS_IN_KERNEL:
        log_print(LOG_ERROR,
                  "error: the kernel, or a library, has called exit(%d), which ends the process; a "
                  "kernel says weft_span_fail() if an item failed. Run the same command again: "
                  "the work in progress is then computed in a process of its own",
                  status);
        break;
    case EXITS_IN_OPENMP:
        log_print(LOG_ERROR,
                  "error: OpenMP could not create the threads of the workers, and has ended the "
                  "process with exit(%d): " ERROR_MORE_THREADS ", or give fewer --threads",
                  status);
        break;
    case EXITS_ELSEWHERE:
        log_print(LOG_ERROR,
                  "error: the program, or a library, has called exit(%d) during a run, but not in "
                  "a worker's call of the kernel; that ends the process",
                  status);
        break;
    }
}

static void on_exit_called(int status, void *unused)
{
    (void)unused;
    if (atomic_load(&watches) > 0) {
        explain(status);
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
    (void)atomic_fetch_add(&watches, 1);
}

void exits_unwatch(void)
{
    (void)atomic_fetch_sub(&watches, 1);
}

void exits_enter(exits_place where)
{
    place = where;
}
