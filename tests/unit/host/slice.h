/* SPDX-License-Identifier: BSD-3-Clause */
/* How long a thread computes at a time. Needs _GNU_SOURCE. */
#ifndef TESTS_HOST_SLICE_H
#define TESTS_HOST_SLICE_H

#include <stdint.h>
#include <sys/syscall.h>
#include <unistd.h>

/* The calling thread's shares of a core, as the system tells them from Linux 6.12 on; 0: it does
 * not. */
static inline uint64_t slice_ns(void)
{
    uint64_t words[7] = {0}; /* of struct sched_attr */
    const long code = syscall(SYS_sched_getattr, 0, words, (unsigned)sizeof words, 0U);
    return code == 0 ? words[3] : 0;
}

#endif
