/* SPDX-License-Identifier: BSD-3-Clause */
/* Clocks, sleeping, and times as text. */
#ifndef BASE_CLOCK_H
#define BASE_CLOCK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { CLOCK_TEXT_BYTES = 32 };

/* A time as text. */
typedef struct clock_text {
    char text[CLOCK_TEXT_BYTES];
} clock_text;

/* A clock that never goes back, for durations. */
int64_t clock_now_ns(void);

/* Seconds since 1970, UTC. */
double clock_wall_s(void);

void clock_sleep_ns(int64_t ns);

/* "45.6 ms", "3.21 s", "42 s", "12 min 05 s", "3 h 07 min", "2 d 04 h"; "-" for what is no
 * duration. */
clock_text clock_duration(double seconds);

/* Reads "90" and "1.5", which are seconds, "MM:SS", "HH:MM:SS" and "D-HH:MM:SS"; false if it is
 * none of these. */
bool clock_parse_duration(const char *text, double *seconds);

/* ISO 8601 in UTC, "2026-01-31T12:34:56Z"; "-" for what is no time. */
clock_text clock_date(double wall_s);

#endif
