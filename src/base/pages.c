/* SPDX-License-Identifier: BSD-3-Clause */
/* Large arrays of which every part is touched once or twice. */
#define _GNU_SOURCE 1
#include "base/pages.h"

#include <stdlib.h>
#include <sys/mman.h>

/* Less than a large page is the heap's. */
enum { LARGE_BYTES = 1 << 21 };

void *pages_create(size_t bytes)
{
    if (bytes < LARGE_BYTES) {
        return calloc(bytes, 1);
    }
    const int protection = PROT_READ | PROT_WRITE;
    /* cppcheck-suppress invalidFunctionArg ; no file belongs to anonymous memory */
    void *memory = mmap(NULL, bytes, protection, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED) {
        return NULL;
    }
    (void)madvise(memory, bytes, MADV_HUGEPAGE);
    return memory;
}

void pages_destroy(void *memory, size_t bytes)
{
    if (bytes < LARGE_BYTES) {
        free(memory);
    } else if (memory != NULL) {
        (void)munmap(memory, bytes);
    }
}
