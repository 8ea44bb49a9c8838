/* SPDX-License-Identifier: BSD-3-Clause */
/* The CPU time of a thread, and how long it waited for a core. */
#ifndef HOST_USAGE_H
#define HOST_USAGE_H

#include <stdint.h>

typedef struct usage {
    int fd; /* of the thread's own statistics; -1: the system keeps none */
} usage;

/* To be called by the thread itself, and closed by any. */
void usage_open(usage *u);
void usage_close(usage *u);

/* The CPU time of the calling thread since it began; a system call. */
int64_t usage_cpu_ns(void);

/* Another process has computed for the calling thread, for `cpu_ns` of CPU time: that counts as
 * well.
 */
void usage_charge(int64_t cpu_ns);

/* How long the thread has been ready to run while others had its core; 0 if that is not known. Much
 * dearer than usage_cpu_ns(). */
int64_t usage_wait_ns(const usage *u);

#endif
