/* SPDX-License-Identifier: BSD-3-Clause */
/* `weft run`: runs a program built on weft on this host, on several, or in a Slurm job, and ends as
 * it does.
 *
 * mpirun can keep a job alive that has lost ranks or hosts, but then its own exit status says
 * nothing, and it may hang. So the program, and a process around each rank and each remote shell,
 * leave markers of how they ended in a folder that all hosts see (host/outcome_file.h), and mpirun
 * is ended if it does not end by itself. */
#ifndef LAUNCH_LAUNCH_H
#define LAUNCH_LAUNCH_H

/* The words behind `run`; returns the exit status. */
int launch_run(char *arguments[]);

#endif
