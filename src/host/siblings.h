/* SPDX-License-Identifier: BSD-3-Clause */
/* Siblings: the processes of the same program that a launcher has started beside this one. MPI's
 * start waits for all of them, for ever if one has died. */
#ifndef HOST_SIBLINGS_H
#define HOST_SIBLINGS_H

/* From here on the process ends, with that exit status and a line on stderr, once a sibling is
 * missing that was there before; the line lives as long. One that has died before this process saw
 * it is missed later, where Open MPI's launcher is the parent of all: it has `started` of them on
 * this host (0: not known). Where siblings cannot be seen, or have other parents, nothing happens.
 */
void siblings_watch(int started, int exit_status, const char *line);

/* Ends the watch. */
void siblings_forget(void);

#endif
