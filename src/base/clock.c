/* SPDX-License-Identifier: BSD-3-Clause */
/* Clocks, sleeping, and times as text. */
#include "base/clock.h"

#include <stdio.h>
#include <time.h>

int64_t clock_now_ns(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

int64_t clock_thread_ns(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

double clock_wall_s(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_REALTIME, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

void clock_sleep_ns(int64_t ns)
{
    const struct timespec pause = {.tv_sec = ns / 1000000000, .tv_nsec = ns % 1000000000};
    (void)nanosleep(&pause, NULL);
}

void clock_format_duration(double seconds, char text[CLOCK_TEXT_BYTES])
{
    if (!(seconds >= 0 && seconds < 3.2e9)) {
        (void)snprintf(text, CLOCK_TEXT_BYTES, "unknown");
        return;
    }
    const long whole = (long)(seconds + 0.5);
    if (seconds < 9.995) {
        (void)snprintf(text, CLOCK_TEXT_BYTES, "%.2f s", seconds);
    } else if (whole < 60) {
        (void)snprintf(text, CLOCK_TEXT_BYTES, "%ld s", whole);
    } else if (whole < 3600) {
        (void)snprintf(text, CLOCK_TEXT_BYTES, "%ld min %02ld s", whole / 60, whole % 60);
    } else if (whole < 86400) {
        (void)snprintf(text, CLOCK_TEXT_BYTES, "%ld h %02ld min", whole / 3600, whole % 3600 / 60);
    } else {
        (void)snprintf(text, CLOCK_TEXT_BYTES, "%ld d %02ld h", whole / 86400,
                       whole % 86400 / 3600);
    }
}

void clock_format_wall(double wall_s, char text[CLOCK_TEXT_BYTES])
{
    const time_t seconds = (time_t)wall_s;
    struct tm parts;
    if (gmtime_r(&seconds, &parts) == NULL ||
        strftime(text, CLOCK_TEXT_BYTES, "%Y-%m-%dT%H:%M:%SZ", &parts) == 0) {
        (void)snprintf(text, CLOCK_TEXT_BYTES, "unknown");
    }
}
