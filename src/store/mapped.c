/* SPDX-License-Identifier: BSD-3-Clause */
/* Memory that is mapped from a file, and whose file may become unusable under it. */
#define _GNU_SOURCE 1
#include "store/mapped.h"

#include <signal.h>
#include <stdatomic.h>
#include <stdint.h>
#include <sys/mman.h>

static _Atomic(unsigned char *) start = NULL;
static size_t length;
static struct sigaction before;

/* The instruction that faulted is then done again, on other memory. mmap() is a plain system call,
 * though no standard lists it among those a handler may use. A fault elsewhere is not ours: done
 * again under the handler that was there before. */
static void on_fault(int number, siginfo_t *info, void *context)
{
    (void)context;
    unsigned char *from = atomic_load(&start);
    const uintptr_t at = (uintptr_t)info->si_addr;
    const int flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED;
    void *instead = MAP_FAILED;
    if (from != NULL && at >= (uintptr_t)from && at - (uintptr_t)from < length) {
        /* cppcheck-suppress invalidFunctionArg ; no file belongs to anonymous memory */
        instead = mmap(from, length, PROT_READ | PROT_WRITE, flags, -1, 0);
    }
    if (instead == MAP_FAILED) {
        (void)sigaction(number, &before, NULL);
    }
}

void mapped_guard(void *memory, size_t bytes)
{
    struct sigaction action = {.sa_sigaction = on_fault, .sa_flags = SA_SIGINFO};
    (void)sigemptyset(&action.sa_mask);
    length = bytes;
    atomic_store(&start, memory);
    (void)sigaction(SIGBUS, &action, &before);
}

void mapped_unguard(void)
{
    (void)sigaction(SIGBUS, &before, NULL);
    atomic_store(&start, NULL);
}
