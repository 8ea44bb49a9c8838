/* SPDX-License-Identifier: BSD-3-Clause */
/* A thread that forks processes. OpenMP and MPI keep a state for each thread that has used them,
 * such as a pool of further threads, which does not exist in a forked process: a parallel region
 * there would wait for it for ever. This thread uses neither.
 *
 * Thread: the driver creates and destroys it; any thread may call forker_fork(). */
#ifndef ENGINE_EXEC_FORKER_H
#define ENGINE_EXEC_FORKER_H

#include "base/error.h"
#include "engine/exec/lull.h"

#include <stdint.h>
#include <sys/types.h>

typedef struct forker forker;

/* The thread itself begins with the first process. It forks in a lull, if there is one within
 * lull_ns, which is the forker's from then on; NULL: at once. */
weft_status forker_create(lull *l, int64_t lull_ns, forker **out, error *e);

/* Ends the thread: processes that have asked for a signal then (PR_SET_PDEATHSIG) get it. NULL is
 * allowed. */
void forker_destroy(forker *f);

/* Forks a process that calls live(context), which does not return, on a stack as large as that of
 * the first thread that asked, and with the same signals blocked. Returns its pid, or minus an
 * errno: ETIMEDOUT if the fork has not happened after limit_ns. Any thread; one process at a time.
 */
pid_t forker_fork(forker *f, void (*live)(void *context), void *context, int64_t limit_ns);

#endif
