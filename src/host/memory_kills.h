/* SPDX-License-Identifier: BSD-3-Clause */
/* Processes that the operating system has killed because memory ran out. */
#ifndef HOST_MEMORY_KILLS_H
#define HOST_MEMORY_KILLS_H

#include <stdint.h>

/* How many so far: in this process's own control group where it has one of version 2, else on the
 * host; -1 if that is not known. */
int64_t memory_kills(void);

/* The number behind "oom_kill" in such a file; -1: there is none. */
int64_t memory_kills_in(const char *path);

#endif
