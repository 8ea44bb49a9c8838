/* SPDX-License-Identifier: BSD-3-Clause */
/* A limit on what cannot be given one of its own: the process ends if it takes longer. */
#include "base/watchdog.h"

#include <signal.h>
#include <stddef.h>
#include <unistd.h>

static volatile sig_atomic_t status = 0;

static void on_alarm(int number)
{
    (void)number;
    _exit((int)status);
}

void watchdog_set(unsigned seconds, int exit_status)
{
    const struct sigaction action = {.sa_handler = seconds > 0 ? on_alarm : SIG_DFL};
    status = exit_status;
    (void)alarm(0);
    (void)sigaction(SIGALRM, &action, NULL);
    (void)alarm(seconds);
}
