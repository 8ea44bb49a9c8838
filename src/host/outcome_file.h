/* SPDX-License-Identifier: BSD-3-Clause */
/* The done file: what the launcher (src/launch) is told of the program's end, since mpirun's own
 * exit status is worth nothing once a rank or a host has been lost. */
#ifndef HOST_OUTCOME_FILE_H
#define HOST_OUTCOME_FILE_H

#include <stdbool.h>

/* Its path, for all processes of a run; its name, in a folder that all hosts see; and what is
 * behind the name of the markers beside it:
 *   (nothing)     how the program ended; written by the library, as rank 0
 *   .alone        the same by a rank that does without the others: it counts only if rank 0 turns
 *                 out to be gone and has said nothing
 *   .begun        all ranks have started; from now on one may be lost without ending the job
 *   .rank.N       with what rank N ended: rank 0, and those that fail without the library's word
 *   .daemon.HOST  Open MPI's daemon runs there, and once it does not any more:
 *   .left.HOST, .lost.HOST   whether that was in good order */
#define OUTCOME_VARIABLE "WEFT_DONE_FILE"
#define OUTCOME_FILE "status"
#define OUTCOME_ALONE ".alone"
#define OUTCOME_BEGUN ".begun"
#define OUTCOME_RANK ".rank."
#define OUTCOME_DAEMON ".daemon."
#define OUTCOME_LEFT ".left."
#define OUTCOME_LOST ".lost."

/* An empty marker, or one with a status; removes one; whether there is one. `of` is behind the
 * suffix. All of these do nothing unless WEFT_DONE_FILE names a file. A marker is there whole, or
 * not at all; what cannot be written is passed over, since the launcher then goes by what it sees.
 */
void outcome_file_mark(const char *suffix, const char *of);
void outcome_file_mark_status(const char *suffix, const char *of, int status);
void outcome_file_unmark(const char *suffix, const char *of);
bool outcome_file_is_marked(const char *suffix, const char *of);

#endif
