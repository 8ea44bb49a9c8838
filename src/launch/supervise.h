/* SPDX-License-Identifier: BSD-3-Clause */
/* mpirun from its start to its end, and to the end of all that it has started. */
#ifndef LAUNCH_SUPERVISE_H
#define LAUNCH_SUPERVISE_H

#include "launch/hosts.h"
#include "launch/words.h"

typedef struct supervise_run {
    char *const *line; /* mpirun's */
    const hosts *hosts;
    const char *folder; /* the run's */
    const char *done;
    int grace_s;
    bool takes_stdin;
} supervise_run;

/* From here on signals that ask for an end wait until supervise() looks for them; those that are
 * ignored stay so. */
void supervise_hold_signals(void);

/* Runs it; returns the exit status. No process of the run is left, here and on the hosts that can
 * be reached. */
int supervise(const supervise_run *run);

#endif
