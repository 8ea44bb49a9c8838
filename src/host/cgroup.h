/* SPDX-License-Identifier: BSD-3-Clause */
/* What the system's control groups say of this process: its quota of processor time, and processes
 * that were killed because memory ran out. */
#ifndef HOST_CGROUP_H
#define HOST_CGROUP_H

#include <stdint.h>

typedef struct cgroup_quota {
    double cores;   /* CPU time per time, 1.5 cores, say; 0: there is no quota */
    uint64_t group; /* the group that has it, which other processes of the host may share */
} cgroup_quota;

/* The least of all groups from the process's own to the root, by a file in which the kernel says
 * what groups these are, "/proc/self/cgroup", and a folder in which they are mounted,
 * "/sys/fs/cgroup". */
void cgroup_find_quota(const char *groups, const char *mounted, cgroup_quota *q);

/* How many processes the system has killed for want of memory so far: in this process's own control
 * group where it has one of version 2, else on the host; -1 if that is not known. */
int64_t cgroup_memory_kills(void);

/* The number behind "oom_kill" in such a file; -1: there is none. */
int64_t cgroup_memory_kills_in(const char *path);

#endif
