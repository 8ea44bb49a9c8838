/* SPDX-License-Identifier: BSD-3-Clause */
/* A limit on calls that have none of their own: the process ends if they take longer. */
#ifndef HOST_WATCHDOG_H
#define HOST_WATCHDOG_H

/* Ends the process after `seconds` (0: never) with that exit status and a line on stderr, which
 * lives as long. What is buffered is written first, since it would be lost then. SIGALRM and a
 * timer of the program's are put aside: watchdog_clear() must follow before another one. */
void watchdog_set(unsigned seconds, int exit_status, const char *line);

/* Where a limit is set: from the first such call on it is at most `seconds`, with another status
 * and line. Main thread, also in the handler of a signal. */
void watchdog_hurry(unsigned seconds, int exit_status, const char *line);

/* It has not taken longer. The program's timer goes on as if it had never been put aside; should
 * it have run out meanwhile, it does so now. */
void watchdog_clear(void);

#endif
