/* SPDX-License-Identifier: BSD-3-Clause */
/* Durations and times for people. */
#ifndef CLI_TEXT_H
#define CLI_TEXT_H

enum { TEXT_TIME_BYTES = 32 };

/* "45.6 ms", "3.21 s", "4 min 05 s", "2 h 30 min"; "-" for what is no duration. */
void text_duration(double seconds, char text[TEXT_TIME_BYTES]);

/* "2025-11-30 04:05:06", UTC; "-" for what is no time. */
void text_time(double since_1970_s, char text[TEXT_TIME_BYTES]);

#endif
