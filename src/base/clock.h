/* SPDX-License-Identifier: BSD-3-Clause */
/* Clocks, sleeping, and times as text. */
#ifndef BASE_CLOCK_H
#define BASE_CLOCK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { CLOCK_TEXT_BYTES = 32 };

/* A clock that never goes back, for durations. */
int64_t clock_now_ns(void);

/* Seconds since 1970, UTC. */
double clock_wall_s(void);

void clock_sleep_ns(int64_t ns);

/* "45.6 ms", "3.21 s", "42 s", "12 min 05 s", "3 h 07 min", "2 d 04 h"; "-" for what is no
 * duration. */
void clock_format_duration(double seconds, char text[CLOCK_TEXT_BYTES]);

/* Reads "90" and "1.5", which are seconds, "MM:SS", "HH:MM:SS" and "D-HH:MM:SS"; false if it is
 * none of these. */
bool clock_parse_duration(const char *text, double *seconds);

/* ISO 8601 in UTC, "2026-01-31T12:34:56Z"; "-" for what is no time. */
void clock_format_wall(double wall_s, char text[CLOCK_TEXT_BYTES]);

#endif
