/* SPDX-License-Identifier: BSD-3-Clause */
/* A limit on calls that have none of their own: the process ends if they take longer. */
#include "host/watchdog.h"

#include "base/clock.h"

#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/time.h>
#include <unistd.h>

static volatile sig_atomic_t is_set = 0;
static volatile sig_atomic_t hurried = 0;
static volatile sig_atomic_t status = 0;
static const char *volatile last_words = "";

/* The program's own, and since when they are put aside. Its alarm() is the same timer as this one,
 * in whole seconds. */
static struct sigaction action_before;
static struct itimerval timer_before;
static int64_t aside_ns = 0;

static void on_alarm(int number)
{
    (void)number;
    if (write(STDERR_FILENO, last_words, strlen(last_words)) < 0) {
        /* Nothing can be done about it here. */
    }
    _exit((int)status);
}

void watchdog_set(unsigned seconds, int exit_status, const char *line)
{
    const struct itimerval none = {.it_value = {.tv_sec = 0}};
    const struct itimerval timer = {.it_value = {.tv_sec = (time_t)seconds}};
    const struct sigaction action = {.sa_handler = on_alarm};
    if (seconds == 0) {
        return;
    }
    (void)fflush(NULL);
    (void)setitimer(ITIMER_REAL, &none, &timer_before);
    aside_ns = clock_now_ns();
    status = exit_status;
    last_words = line;
    (void)sigaction(SIGALRM, &action, &action_before);
    (void)setitimer(ITIMER_REAL, &timer, NULL);
    hurried = 0;
    is_set = 1;
}

void watchdog_hurry(unsigned seconds, int exit_status, const char *line)
{
    if (!is_set || hurried) {
        return;
    }
    hurried = 1;
    status = exit_status;
    last_words = line;
    const unsigned left = alarm(seconds);
    if (left > 0 && left < seconds) {
        (void)alarm(left);
    }
}

/* What is left of the program's timer. Never nothing, which would stop it. */
static struct timeval time_left(void)
{
    const int64_t passed_us = (clock_now_ns() - aside_ns) / 1000;
    const struct timeval *before = &timer_before.it_value;
    const int64_t left_us = (int64_t)before->tv_sec * 1000000 + before->tv_usec - passed_us;
    const int64_t us = left_us > 1 ? left_us : 1;
    return (struct timeval){.tv_sec = (time_t)(us / 1000000),
                            .tv_usec = (suseconds_t)(us % 1000000)};
}

void watchdog_clear(void)
{
    const struct itimerval none = {.it_value = {.tv_sec = 0}};
    if (!is_set) {
        return;
    }
    is_set = 0;
    (void)setitimer(ITIMER_REAL, &none, NULL);
    (void)sigaction(SIGALRM, &action_before, NULL);
    if (timer_before.it_value.tv_sec != 0 || timer_before.it_value.tv_usec != 0) {
        timer_before.it_value = time_left();
        (void)setitimer(ITIMER_REAL, &timer_before, NULL);
    }
}
