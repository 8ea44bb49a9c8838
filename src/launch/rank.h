/* SPDX-License-Identifier: BSD-3-Clause */
/* `weft run --rank`: stands between mpirun and each rank. */
#ifndef LAUNCH_RANK_H
#define LAUNCH_RANK_H

/* Runs the program, lets signals by, and leaves a marker of how the rank has ended. Returns 0: to
 * mpirun every end is a good one, since of others it makes noise and does not always live through
 * them. */
int rank_run(char *const program[]);

#endif
