/* SPDX-License-Identifier: BSD-3-Clause */
/* The signals that ask a run to stop, and those that must not end it.
 *
 * The handlers stay from the beginning of a session to the end of the process: a signal that comes
 * while MPI starts or ends, or is sent twice, must not kill what is stopping in good order. */
#ifndef HOST_SIGNALS_H
#define HOST_SIGNALS_H

#include <stdbool.h>

/* A session begins: takes the signals over, and forgets those of an earlier session. Main thread,
 * and so are the others unless they say something else. */
void signals_begin(void);

/* Takes them over again where the start of MPI has installed its own handlers since. */
void signals_take_back(void);

/* A run begins. If it is the only one, takes back those signals for which the program has installed
 * handlers of its own since. A second SIGINT ends the process at once. Any thread. */
void signals_watch(void);

/* It is over. Gives the signals that signals_watch() has taken, for the first of several runs, back
 * to the handlers of that time. Any thread. */
void signals_unwatch(void);

/* The session ends, and the program with that exit status. Handlers of the program's own are put
 * back. Where it has none, signals go on to be ignored if the run has been told to stop; if not,
 * the next one ends the process, with 75 if the exit status would be that of a complete run: the
 * program may have something of its own left to do. */
void signals_end(int exit_status);

/* The signal that came last in this session, or 0. It is sent once, perhaps at the very end of a
 * run, and asks all of the session to stop: later runs see it, too. Any thread. */
int signals_seen(void);

/* From here on `hook` is called in the handler of each signal; NULL: nothing is. Any thread. */
void signals_tell(void (*hook)(void));

/* In a forked child, whose parent decides when to stop: no signal of the tables ends it, or stops
 * it. That its CPU time is used up is passed on to the parent. */
void signals_leave_to_parent(void);

/* "SIGTERM" and so on. */
const char *signals_name(int number);

#endif
