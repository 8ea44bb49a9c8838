/* SPDX-License-Identifier: BSD-3-Clause */
/* This host, among others. */
#ifndef LAUNCH_HERE_H
#define LAUNCH_HERE_H

#include "launch/hosts.h"

/* The cores that this process may use; hardware threads of one core count once. */
int here_cores(void);

/* Which of the hosts this one is: by its name, or else by an address; -1: none. */
int here_find(const hosts *h);

#endif
