/* SPDX-License-Identifier: BSD-3-Clause */
/* When a session's run has to be over. */
#ifndef API_DEADLINE_H
#define API_DEADLINE_H

#include "api/options.h"

#include <stdint.h>

/* By the time limit, which counts from the start, or without one by the end of the Slurm job; 0 if
 * there is neither. Only the rank of the coordinator need know, and only one may ask Slurm. */
int64_t deadline_find(const options *c, int64_t start_ns);

#endif
