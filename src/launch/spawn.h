/* SPDX-License-Identifier: BSD-3-Clause */
/* Starting programs: with nothing of this process but what they need. */
#ifndef LAUNCH_SPAWN_H
#define LAUNCH_SPAWN_H

#include "launch/words.h"

#include <stdbool.h>
#include <sys/types.h>

typedef struct spawn_options {
    bool keeps_stdin;   /* else it reads /dev/null */
    bool ignores_pipe;  /* writes to a reader that has gone are no signal for it */
    bool leads_session; /* of its own, in which no terminal reaches it; if this process is killed,
                           it gets SIGTERM */
    bool is_mute;       /* what it prints goes nowhere */
    int out;            /* if positive: the descriptor for its stdout and stderr */
} spawn_options;

/* Removes variables, NAME=VALUE, from the environment that programs get from here. */
void spawn_forget(bool (*is_forgotten)(const char *variable));

/* Starts a program that is looked for in $PATH, without blocked signals. Returns -1 if there is no
 * process to be had; if the program cannot be run, it is one that ends with 127 or 126. */
pid_t spawn(char *const line[], const spawn_options *options);

/* Waits for the end; the exit status, 128 + N if signal N ended it. */
int spawn_wait(pid_t pid);

/* The same if it has ended already, else false; its pid remains its own until spawn_wait(). */
bool spawn_has_ended(pid_t pid, int *status);

/* Runs a program, and returns the beginning of what it printed, to be freed; "" if it could not be
 * run. */
char *spawn_read(char *const line[], int *status);

#endif
