/* SPDX-License-Identifier: BSD-3-Clause */
/* A call of exit() by a kernel, a library, OpenMP or the program while maps are under way. */
#ifndef HOST_EXITS_H
#define HOST_EXITS_H

/* From here on exit() ends the process at once, with status 1 and an error in the log, instead of
 * ending MPI and the program's libraries while other threads are still at work. */
void exits_watch(void);

/* As often as exits_watch(). */
void exits_unwatch(void);

/* What a thread is doing, so that the error names the cause. */
typedef enum exits_place {
    EXITS_ELSEWHERE,
    EXITS_IN_KERNEL,
    EXITS_IN_OPENMP /* it creates threads */
} exits_place;

/* Where the calling thread is from now on. */
void exits_enter(exits_place place);

#endif
