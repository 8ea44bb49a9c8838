/* SPDX-License-Identifier: BSD-3-Clause */
/* A call of exit() by somebody who is only a guest in the process. */
#ifndef BASE_EXITS_H
#define BASE_EXITS_H

/* From here on exit() ends the process at once, with status 1 and an error in the log, instead of
 * ending MPI and the program's libraries while other threads are still at work. */
void exits_watch(void);

void exits_unwatch(void);

#endif
