/* SPDX-License-Identifier: BSD-3-Clause */
/* Other processes of this host, seen from outside: whether one is active, its environment; those of
 * a session. */
#ifndef HOST_PROCESS_H
#define HOST_PROCESS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

typedef enum process_state {
    PROCESS_ACTIVE,  /* it may be doing something; or not enough is known */
    PROCESS_ASLEEP,  /* all of its threads sleep, each for a reason of its own */
    PROCESS_WAITING, /* all wait for a lock or an event, without a limit */
    PROCESS_STUCK    /* the same, and only a thread of this very process could wake one of them */
} process_state;

/* What a process does at this moment; its threads are looked at one after another. What the system
 * does not tell counts as ACTIVE; where it tells half, STUCK is only WAITING. */
process_state process_look(int64_t pid);

/* What all its threads together have had of cores; -1 if that is not known. */
int64_t process_cpu_ns(int64_t pid);

/* Whether a process was started with a variable of that value, or of any where it is NULL; false if
 * that cannot be read. */
bool process_started_with(int64_t pid, const char *name, const char *value);

/* Sends a signal (0: none) to all live processes of a session (0: any) that were started with a
 * variable (NULL: any) of that value (NULL: any), but for this one; returns how many there are. */
int process_signal_all(pid_t session, const char *variable, const char *value, int number);

/* Ends all processes that were started with a variable of that value, and what they start
 * meanwhile, but for this one. */
void process_end_all(const char *variable, const char *value);

#endif
