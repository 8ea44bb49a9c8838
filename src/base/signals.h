/* SPDX-License-Identifier: BSD-3-Clause */
/* The signals that ask a run to stop: SIGINT, SIGTERM, SIGUSR1, SIGUSR2. The last is SIGTERM for
 * ranks under mpirun, which passes it on and leaves them the time they need. */
#ifndef BASE_SIGNALS_H
#define BASE_SIGNALS_H

/* Takes the signals over; a second SIGINT ends the process at once. SIGXFSZ is ignored meanwhile.
 * One run at a time. */
void signals_watch(void);

/* Gives them back to whoever had them. */
void signals_unwatch(void);

/* The signal that came last since signals_watch(), or 0. Any thread. */
int signals_seen(void);

/* "SIGTERM" and so on. */
const char *signals_name(int number);

#endif
