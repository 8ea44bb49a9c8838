/* SPDX-License-Identifier: BSD-3-Clause */
/* The processes of a run on this host: by the session that the launcher has begun for it, and by
 * the run's done file in their environment, which they keep wherever they move to. */
#ifndef LAUNCH_PROCESSES_H
#define LAUNCH_PROCESSES_H

#include <sys/types.h>

/* Sends a signal (0: none) to all live processes of a session (0: any) that were started with a
 * variable (NULL: any) of that value (NULL: any); returns how many there are. */
int processes_signal(pid_t session, const char *variable, const char *value, int number);

/* Ends all processes but this one that have this done file, and what they start meanwhile. */
void processes_end_run(const char *done_file);

#endif
