/* SPDX-License-Identifier: BSD-3-Clause */
/* A limit on what cannot be given one of its own: the process ends if it takes longer. */
#ifndef BASE_WATCHDOG_H
#define BASE_WATCHDOG_H

/* Ends the process after so many seconds (0: never) with that exit status and a line on stderr,
 * which lives as long. Replaces an earlier one, and an alarm() of the program's. */
void watchdog_set(unsigned seconds, int exit_status, const char *line);

#endif
