/* SPDX-License-Identifier: BSD-3-Clause */
/* mpirun from its start to its end, and to the end of all that it has started. */
#ifndef LAUNCH_SUPERVISE_H
#define LAUNCH_SUPERVISE_H

#include "launch/folder.h"
#include "launch/hosts.h"
#include "launch/request.h"

/* From here on signals that ask for an end wait until supervise() looks for them; those that are
 * ignored stay so. */
void supervise_hold_signals(void);

/* Runs mpirun's line; returns the exit status. No process of the run is left, here and on the hosts
 * that can be reached. */
int supervise(char *const line[], const hosts *h, const folder *f, const request *asked);

#endif
