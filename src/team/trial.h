/* SPDX-License-Identifier: BSD-3-Clause */
/* A trial whether a team's threads can be created. OpenMP ends the process where one cannot,
 * without saying why to the other ranks or the user.
 *
 * Thread: the main thread. */
#ifndef TEAM_TRIAL_H
#define TEAM_TRIAL_H

#include "base/error.h"

/* Fails if the system does not allow this process `threads` more threads. A number that has been
 * tried is not tried again. */
weft_status trial_threads(int threads, error *e);

#endif
