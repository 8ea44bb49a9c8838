/* SPDX-License-Identifier: BSD-3-Clause */
/* Clocks, sleeping, and times as text. */
#include "base/clock.h"

#include "base/number.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

int64_t clock_now_ns(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
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

clock_text clock_duration(double seconds)
{
    clock_text t = {"-"};
    if (!(seconds >= 0 && seconds < 3.2e9)) {
        return t;
    }
    const long whole = (long)(seconds + 0.5);
    if (seconds > 0 && seconds < 0.0995) {
        (void)number_print(t.text, sizeof t.text, "%.3g ms", 1e3 * seconds);
    } else if (seconds < 9.995) {
        (void)number_print(t.text, sizeof t.text, "%.2f s", seconds);
    } else if (whole < 60) {
        (void)snprintf(t.text, sizeof t.text, "%ld s", whole);
    } else if (whole < 3600) {
        (void)snprintf(t.text, sizeof t.text, "%ld min %02ld s", whole / 60, whole % 60);
    } else if (whole < 86400) {
        (void)snprintf(t.text, sizeof t.text, "%ld h %02ld min", whole / 3600, whole % 3600 / 60);
    } else {
        (void)snprintf(t.text, sizeof t.text, "%ld d %02ld h", whole / 86400, whole % 86400 / 3600);
    }
    return t;
}

/* A whole number of at most six digits, up to a character that must follow; 0: the end. */
static bool take_number(const char **at, char behind, double *number)
{
    uint64_t whole = 0;
    if (!number_take(at, &whole) || whole > 999999 || **at != behind) {
        return false;
    }
    *number = (double)whole;
    *at += behind != '\0';
    return true;
}

static bool parse_clock(const char *text, double *seconds)
{
    double days = 0;
    double part[3] = {0, 0, 0};
    const char *at = text;
    if (strchr(text, '-') != NULL && !take_number(&at, '-', &days)) {
        return false;
    }
    const int parts = strchr(at, ':') == strrchr(at, ':') ? 2 : 3;
    if (parts == 2 && at != text) {
        return false;
    }
    for (int i = 3 - parts; i < 3; i++) {
        if (!take_number(&at, i < 2 ? ':' : '\0', &part[i])) {
            return false;
        }
    }
    *seconds = 86400 * days + 3600 * part[0] + 60 * part[1] + part[2];
    return part[2] < 60 && (parts == 2 || part[1] < 60);
}

bool clock_parse_duration(const char *text, double *seconds)
{
    if (strchr(text, ':') != NULL) {
        return parse_clock(text, seconds);
    }
    return number_read_double(text, seconds) && *seconds >= 0 && *seconds < 1e9;
}

clock_text clock_date(double wall_s)
{
    const double last = 253402300799.0; /* of the year 9999 */
    const time_t seconds = wall_s >= 0 && wall_s <= last ? (time_t)wall_s : -1;
    clock_text t = {"-"};
    struct tm parts;
    if (seconds >= 0 && gmtime_r(&seconds, &parts) != NULL) {
        (void)strftime(t.text, sizeof t.text, "%Y-%m-%dT%H:%M:%SZ", &parts);
    }
    return t;
}
