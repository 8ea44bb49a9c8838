/* SPDX-License-Identifier: BSD-3-Clause */
/* The signals that ask a run to stop: SIGINT, SIGTERM, SIGUSR1, SIGUSR2. The last is SIGTERM for
 * ranks under mpirun, which passes it on and leaves them the time they need. */
#ifndef BASE_SIGNALS_H
#define BASE_SIGNALS_H

/* A session begins: signals of an earlier one do not count. */
void signals_forget(void);

/* Takes the signals over; a second SIGINT ends the process at once. SIGXFSZ is ignored meanwhile.
 * One run at a time. */
void signals_watch(void);

/* Gives them back to whoever had them. */
void signals_unwatch(void);

/* The signal that came last while they were watched, or 0. It is sent once, perhaps at the very end
 * of a run, and asks all of the session to stop: later runs see it, too. Any thread. */
int signals_seen(void);

/* "SIGTERM" and so on. */
const char *signals_name(int number);

#endif
