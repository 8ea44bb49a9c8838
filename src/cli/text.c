/* SPDX-License-Identifier: BSD-3-Clause */
/* Durations and times for people. */
#include "text.h"

#include <stdio.h>
#include <time.h>

void text_duration(double seconds, char text[TEXT_TIME_BYTES])
{
    const double longest = 1e10;
    if (!(seconds >= 0 && seconds < longest)) {
        (void)snprintf(text, TEXT_TIME_BYTES, "-");
        return;
    }
    const long long whole = (long long)(seconds + 0.5);
    if (seconds > 0 && seconds < 0.0995) {
        (void)snprintf(text, TEXT_TIME_BYTES, "%.3g ms", 1e3 * seconds);
    } else if (seconds < 9.995) {
        (void)snprintf(text, TEXT_TIME_BYTES, "%.2f s", seconds);
    } else if (whole < 60) {
        (void)snprintf(text, TEXT_TIME_BYTES, "%lld s", whole);
    } else if (whole < 3600) {
        (void)snprintf(text, TEXT_TIME_BYTES, "%lld min %02lld s", whole / 60, whole % 60);
    } else if (whole < 86400) {
        (void)snprintf(text, TEXT_TIME_BYTES, "%lld h %02lld min", whole / 3600, whole % 3600 / 60);
    } else {
        (void)snprintf(text, TEXT_TIME_BYTES, "%lld d %02lld h", whole / 86400,
                       whole % 86400 / 3600);
    }
}

void text_time(double since_1970_s, char text[TEXT_TIME_BYTES])
{
    const double last = 253402300799.0; /* of the year 9999 */
    struct tm parts;
    if (since_1970_s >= 0 && since_1970_s <= last) {
        const time_t seconds = (time_t)since_1970_s;
        if (gmtime_r(&seconds, &parts) != NULL &&
            strftime(text, TEXT_TIME_BYTES, "%Y-%m-%d %H:%M:%S", &parts) > 0) {
            return;
        }
    }
    (void)snprintf(text, TEXT_TIME_BYTES, "-");
}
