/* SPDX-License-Identifier: BSD-3-Clause */
/* The quota of processor time that the system's control groups leave to this process. */
#ifndef HOST_QUOTA_H
#define HOST_QUOTA_H

#include <stdint.h>

typedef struct quota {
    double cores;   /* CPU time per time, 1.5 cores, say; 0: there is no quota */
    uint64_t group; /* the group that has it, which other processes of the host may share */
} quota;

/* The least of all groups from the process's own to the root. */
void quota_find(quota *q);

/* The same from made-up files: what the kernel says of the process's groups, and where the groups
 * are mounted. */
void quota_find_in(const char *groups, const char *mounted, quota *q);

#endif
