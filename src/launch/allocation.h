/* SPDX-License-Identifier: BSD-3-Clause */
/* The Slurm job that the launcher runs in: what it was given, and whether there still is one. */
#ifndef LAUNCH_ALLOCATION_H
#define LAUNCH_ALLOCATION_H

#include <stdbool.h>

/* Texts as Slurm puts them into the environment; NULL where it has not. */
typedef struct allocation {
    const char *job; /* its number; NULL: this is no Slurm job */
    const char *nodes;
    const char *cores;         /* of each node */
    const char *tasks;         /* that were asked for */
    const char *tasks_of_node; /* on each */
    const char *cores_of_task;
} allocation;

/* A shell keeps the variables of the job in which it was started, also when that is over: then they
 * are removed from the environment, with a warning. */
void allocation_find(allocation *a);

/* Whether Slurm binds no process, as its configuration says. */
bool allocation_binds_nothing(void);

#endif
