/* SPDX-License-Identifier: BSD-3-Clause */
/* Durations and times for people, and text from a file made fit for a terminal. */
#ifndef CLI_TEXT_H
#define CLI_TEXT_H

enum { TEXT_TIME_BYTES = 32 };

/* Replaces what a terminal could act on and what is not UTF-8 by question marks, in place. */
void text_clean(char *text);

/* "45.6 ms", "3.21 s", "4 min 05 s", "2 h 30 min"; "-" for what is no duration. */
void text_duration(double seconds, char text[TEXT_TIME_BYTES]);

/* "2025-11-30 04:05:06", UTC; "-" for what is no time. */
void text_time(double since_1970_s, char text[TEXT_TIME_BYTES]);

#endif
