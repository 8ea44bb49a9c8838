/* SPDX-License-Identifier: BSD-3-Clause */
/* A process that does not respond: whether it is working, or waits for what will never happen.
 *
 * Thread: any; each struct belongs to one thread. */
#ifndef ENGINE_EXEC_STILLNESS_H
#define ENGINE_EXEC_STILLNESS_H

#include <stdbool.h>
#include <stdint.h>

/* What is known of it since it was given something to do; all zero at first. */
typedef struct stillness {
    int64_t looked_ns; /* the last look; 0: none yet */
    int64_t cpu_ns;    /* what it had had of cores by then */
    int64_t for_ns;    /* how long nothing has moved */
} stillness;

/* Whether nothing moves in it at this moment: all of its threads wait for locks or events, without
 * a limit; if it has not even begun, any sleep will do. */
bool stillness_now(int64_t pid, bool begun);

/* To be called again and again: true once nothing has moved for limit_ns, and it has used no core;
 * or for six times as long, if what it waits for may be another process's. Time in which nobody
 * looked does not count. */
bool stillness_look(stillness *s, int64_t pid, bool begun, int64_t limit_ns, int64_t now_ns);

#endif
