/* SPDX-License-Identifier: BSD-3-Clause */
/* `weft run --remote`: the remote shell that the launcher gives to mpirun, around ssh, srun or
 * another. On a host it starts Open MPI's daemon, and when that is gone, for whatever reason, it
 * ends all that the daemon left. */
#ifndef LAUNCH_REMOTE_H
#define LAUNCH_REMOTE_H

#include "launch/words.h"

/* The remote shell's words, unless WEFT_RSH names them. */
#define REMOTE_VARIABLE "WEFT_RSH"

/* As mpirun calls it, [OPTION…] HOST COMMAND…; options are for an ssh, and ignored. A run is named
 * by its done file; without one, this is the remote shell and no more. */
int remote_run(char *const arguments[]);

/* What ends all processes of a run on a host. */
void remote_end_words(words *w, const char *host, const char *done_file);

#endif
