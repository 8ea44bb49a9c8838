/* SPDX-License-Identifier: BSD-3-Clause */
/* What follows from what the launcher knows: how long mpirun may still take, and the exit status.
 * No file, process or clock is involved. */
#ifndef LAUNCH_VERDICT_H
#define LAUNCH_VERDICT_H

#include <stdbool.h>

enum { VERDICT_STOPPED = 75, VERDICT_NO_LIMIT = -1, VERDICT_TEXT_BYTES = 512 };

/* A marker in the run's folder. */
typedef struct mark {
    bool there;
    int status; /* in it; -1: none */
} mark;

typedef struct evidence {
    mark word;       /* how the program ended, as rank 0 said */
    mark alone;      /* the same by a rank that believed to be alone */
    bool begun;      /* all ranks have started */
    mark rank_0;     /* what rank 0 ended with */
    int killed_rank; /* the lowest rank that was ended from outside; -1: none */
    int killed_status;
    int failed_rank; /* the lowest rank that failed otherwise; -1: none */
    int failed_status;
    bool host_lost;   /* some host's daemon has ended badly */
    bool rank_0_gone; /* rank 0 has ended, or the daemon of its host */
    bool nobody_left; /* so it is with all ranks */
    int signal;       /* that was passed on last; 0: none */
    int interrupts;   /* how many SIGINT came */
    bool mpirun_ended;
    int mpirun_status; /* 128 + N if signal N ended it */
} evidence;

/* Knows nothing yet. */
void verdict_clear(evidence *e);

/* Whether a process that ended with this status was ended by a signal from a user or the system,
 * rather than by a fault of its own. */
bool verdict_was_stopped(int status);

/* In how many seconds from now mpirun has to have ended, as far as this goes: an earlier limit
 * holds. When rank 0 is done mpirun has `grace_s`. */
int verdict_limit_s(const evidence *e, int grace_s);

/* The exit status; and why, where the user should know, else "". */
int verdict_status(const evidence *e, char why[VERDICT_TEXT_BYTES]);

/* The same once all has ended: after a second SIGINT nothing is in good order. */
int verdict_settle(const evidence *e, int status);

#endif
