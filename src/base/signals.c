/* SPDX-License-Identifier: BSD-3-Clause */
/* The signals that ask a run to stop: SIGINT, SIGTERM, SIGUSR1, SIGUSR2. */
#include "base/signals.h"

#include <signal.h>
#include <stdatomic.h>
#include <stddef.h>
#include <unistd.h>

static const int watched[] = {SIGINT, SIGTERM, SIGUSR1, SIGUSR2};
enum { WATCHED = sizeof watched / sizeof watched[0] };

static struct sigaction before[WATCHED];
static struct sigaction before_limit; /* of SIGXFSZ, see signals_watch() */
static atomic_int seen = 0;
static atomic_int interrupts = 0;

static void on_signal(int number)
{
    if (number == SIGINT && atomic_fetch_add(&interrupts, 1) > 0) {
        _exit(128 + SIGINT);
    }
    atomic_store(&seen, number);
}

void signals_forget(void)
{
    atomic_store(&seen, 0);
    atomic_store(&interrupts, 0);
}

void signals_watch(void)
{
    struct sigaction action = {.sa_handler = on_signal, .sa_flags = SA_RESTART};
    (void)sigemptyset(&action.sa_mask);
    for (size_t i = 0; i < WATCHED; i++) {
        (void)sigaction(watched[i], &action, &before[i]);
    }
    /* A write beyond `ulimit -f` fails with a number that says so, and does not kill. */
    struct sigaction ignore = {.sa_handler = SIG_IGN};
    (void)sigemptyset(&ignore.sa_mask);
    (void)sigaction(SIGXFSZ, &ignore, &before_limit);
}

void signals_unwatch(void)
{
    for (size_t i = 0; i < WATCHED; i++) {
        (void)sigaction(watched[i], &before[i], NULL);
    }
    (void)sigaction(SIGXFSZ, &before_limit, NULL);
}

int signals_seen(void)
{
    return atomic_load(&seen);
}

const char *signals_name(int number)
{
    switch (number) {
    case SIGINT:
        return "SIGINT";
    case SIGTERM:
        return "SIGTERM";
    case SIGUSR1:
        return "SIGUSR1";
    case SIGUSR2:
        return "SIGUSR2";
    default:
        return "a signal";
    }
}
