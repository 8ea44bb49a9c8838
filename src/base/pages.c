/* SPDX-License-Identifier: BSD-3-Clause */
/* Large arrays of which every part is touched once or twice, and memory that is about to be. */
#define _GNU_SOURCE 1
#include "base/pages.h"

#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>

/* Less than a few pages is the heap's. */
enum { PAGE_BYTES = 4096, SMALL_BYTES = 16 * PAGE_BYTES, LARGE_BYTES = 1 << 21 };

/* A fault was measured to cost fifteen times as much as a page of such a call. A system that does
 * not know it has the faults. */
void pages_populate(void *memory, size_t bytes)
{
#ifdef MADV_POPULATE_WRITE
    const size_t before = (uintptr_t)memory % PAGE_BYTES;
    if (bytes > 0) {
        (void)madvise((char *)memory - before, before + bytes, MADV_POPULATE_WRITE);
    }
#else
    (void)memory, (void)bytes;
#endif
}

/* What glibc has from the system for a piece of its own it gives back; but once it has done so, the
 * next ones, as long as they are no larger, are the heap's, and stay there. A compiler may leave
 * out what is not used. */
void pages_populate_heap(size_t bytes)
{
    void *volatile larger = malloc(bytes + PAGE_BYTES);
    free(larger);
    void *memory = malloc(bytes);
    if (memory != NULL) {
        pages_populate(memory, bytes);
    }
    free(memory);
}

void *pages_create(size_t bytes)
{
    if (bytes < SMALL_BYTES) {
        return calloc(bytes, 1);
    }
    const int protection = PROT_READ | PROT_WRITE;
    /* cppcheck-suppress invalidFunctionArg ; no file belongs to anonymous memory */
    void *memory = mmap(NULL, bytes, protection, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED) {
        return NULL;
    }
    if (bytes < LARGE_BYTES) {
        pages_populate(memory, bytes);
    } else {
        (void)madvise(memory, bytes, MADV_HUGEPAGE);
    }
    return memory;
}

void pages_destroy(void *memory, size_t bytes)
{
    if (bytes < SMALL_BYTES) {
        free(memory);
    } else if (memory != NULL) {
        (void)munmap(memory, bytes);
    }
}
