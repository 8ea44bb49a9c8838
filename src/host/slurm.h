/* SPDX-License-Identifier: BSD-3-Clause */
/* The Slurm job that this process is part of: when its time is up. */
#ifndef HOST_SLURM_H
#define HOST_SLURM_H

#include "base/error.h"

#include <stdbool.h>
#include <stdint.h>

/* The end of the job, in seconds since 1970; 0 outside of any job, and in a job without a limit.
 * Where Slurm has not put it into the environment, squeue is asked, and has limit_ns to answer:
 * one process of a job should do that, since all of a cluster's ask the same daemon. What cannot be
 * found out is WEFT_ERR_SYSTEM. */
weft_status slurm_job_end(int64_t limit_ns, int64_t *end_s, error *e);

/* Whether the system's control groups say that this process belongs to another job than the
 * environment does, which it has inherited then; *job is that other one. */
bool slurm_environment_is_old(int64_t *job);

/* The same from made-up text, as in /proc/self/cgroup. */
bool slurm_groups_differ(const char *groups, const char *environment_job, int64_t *job);

/* As slurm_job_end() from a line of what squeue has printed, a job's number and its end; false if
 * it is about another job, as the line of a sibling in an array, or none. */
bool slurm_read_line(const char *line, const char *job, int64_t *end_s);

#endif
