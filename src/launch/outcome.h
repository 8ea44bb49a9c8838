/* SPDX-License-Identifier: BSD-3-Clause */
/* What the markers in a run's folder say (their names: host/outcome_file.h). */
#ifndef LAUNCH_OUTCOME_H
#define LAUNCH_OUTCOME_H

#include "launch/hosts.h"
#include "launch/verdict.h"

/* Sets what the markers tell of the run, and leaves the rest of the evidence alone. Ranks are on
 * the hosts in their order. A folder that cannot be read tells nothing. */
void outcome_read(const char *folder, const hosts *h, evidence *e);

/* The host on which a daemon runs, or has ended badly, by an entry of the folder; NULL: it tells of
 * none. */
const char *outcome_daemon_of(const char *entry);

#endif
