/* SPDX-License-Identifier: BSD-3-Clause */
/* The done file: what the launcher (cluster/weft-run) is told of the program's end, since mpirun's
 * own exit status is worth nothing once a rank or a host has been lost. */
#ifndef BASE_DONE_H
#define BASE_DONE_H

#include <stdbool.h>

/* All of these do nothing unless WEFT_DONE_FILE names a file. The file is there whole, or not at
 * all; what cannot be written is passed over, since the launcher then goes by what it sees. */

/* Tells that all ranks have started and that from now on one may be lost without ending the job. */
void done_begin(void);

/* Tells the exit status: rank 0's word, or, `bereft`, that of a rank which does without the others:
 * it counts only if rank 0 turns out to be gone and has said nothing. */
void done_write(int status, bool bereft);

#endif
