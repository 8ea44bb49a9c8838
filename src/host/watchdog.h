/* SPDX-License-Identifier: BSD-3-Clause */
/* A limit on calls that have none of their own: the process ends if they take longer.
 *
 * Thread: any; each of them, of a few, has at most one limit at a time. */
#ifndef HOST_WATCHDOG_H
#define HOST_WATCHDOG_H

/* Ends the process after `seconds` (0: never) with that exit status and a line on stderr, which
 * lives as long, unless the calling thread clears the limit, or sets another one, before. What is
 * buffered is written first, since it would be lost then. SIGALRM and a timer of the program's are
 * put aside as long as any thread has a limit. */
void watchdog_set(unsigned seconds, int exit_status, const char *line);

/* Where the calling thread has set a limit: from the first signal that asks the session to stop on,
 * which may have come already, it is at most `seconds`, with another status and line. */
void watchdog_hurry(unsigned seconds, int exit_status, const char *line);

/* It has not taken longer. The program's timer goes on as if it had never been put aside; should
 * it have run out meanwhile, it does so now. */
void watchdog_clear(void);

#endif
