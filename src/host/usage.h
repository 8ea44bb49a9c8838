/* SPDX-License-Identifier: BSD-3-Clause */
/* What a thread has had of the cores, and how long it waited for one. */
#ifndef HOST_USAGE_H
#define HOST_USAGE_H

#include <stdint.h>

typedef struct usage {
    int fd; /* of the thread's own statistics; -1: the system keeps none */
} usage;

/* To be called by the thread itself, and closed by any. */
void usage_open(usage *u);
void usage_close(usage *u);

/* What the calling thread has had of a core since it began; a system call. */
int64_t usage_cpu_ns(void);

/* The calling thread has had another process work for it, so long on a core: that counts as well.
 */
void usage_charge(int64_t cpu_ns);

/* How long the thread has been ready to run while others had its core; 0 if that is not known. Much
 * dearer than usage_cpu_ns(). */
int64_t usage_wait_ns(const usage *u);

#endif
