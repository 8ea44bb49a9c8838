/* SPDX-License-Identifier: BSD-3-Clause */
/* Misuse: what a kernel asks for, or speaks of, that there is not. It gets memory to write to, and
 * the run ends with an error. */
#define _GNU_SOURCE 1
#include "engine/exec/misuse.h"

#include "base/clock.h"

#include <stdarg.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>

/* What an item gets, since nobody knows what the kernel believes: address space, mostly. */
enum { ITEM_BYTES = 4096 };

enum { STATE_NONE, STATE_TAKEN, STATE_SEEN };

/* A text that another worker, or a child that has died meanwhile, is just writing is waited for so
 * long. */
enum { WRITING_LOOKS = 100, WRITING_PAUSE_NS = 100000 };

/* A child's note must reach its parent. */
typedef struct note {
    atomic_int state;
    error error;
} note;

typedef struct scratch {
    void *memory;
    size_t bytes;
} scratch;

struct misuse {
    note *note;
    error untold; /* for want of a text */
    int workers;
    scratch scratch[];
};

static void *map_memory(size_t bytes, int sharing)
{
    const int flags = sharing | MAP_ANONYMOUS | MAP_NORESERVE;
    /* cppcheck-suppress invalidFunctionArg ; no file belongs to anonymous memory */
    void *memory = mmap(NULL, bytes, PROT_READ | PROT_WRITE, flags, -1, 0);
    /* cppcheck-suppress memleak ; the caller has it */
    return memory == MAP_FAILED ? NULL : memory;
}

weft_status misuse_create(int workers, misuse **out, error *e)
{
    misuse *m = calloc(1, sizeof *m + (size_t)workers * sizeof m->scratch[0]);
    note *shared = map_memory(sizeof *shared, MAP_SHARED);
    if (m == NULL || shared == NULL) {
        if (shared != NULL) {
            (void)munmap(shared, sizeof *shared);
        }
        free(m);
        return error_memory(e, "the state of %d workers", workers);
    }
    m->note = shared;
    (void)error_set(&m->untold, WEFT_ERR_USAGE,
                    "the kernel asks for a field that the map does not have, or says that an "
                    "item failed that it was not given");
    m->workers = workers;
    *out = m;
    return WEFT_OK;
}

static void release(scratch *s)
{
    if (s->memory != NULL) {
        (void)munmap(s->memory, s->bytes);
    }
    *s = (scratch){.memory = NULL};
}

void misuse_destroy(misuse *m)
{
    if (m != NULL) {
        for (int i = 0; i < m->workers; i++) {
            release(&m->scratch[i]);
        }
        (void)munmap(m->note, sizeof *m->note);
        free(m);
    }
}

void misuse_note(misuse *m, const char *format, ...)
{
    int none = STATE_NONE;
    if (!atomic_compare_exchange_strong(&m->note->state, &none, STATE_TAKEN)) {
        return;
    }
    va_list arguments;
    va_start(arguments, format);
    (void)error_set_list(&m->note->error, WEFT_ERR_USAGE, format, arguments);
    va_end(arguments);
    atomic_store(&m->note->state, STATE_SEEN);
}

/* Whoever finds the note taken has asked for what there is not, or works beside somebody who has:
 * in no case may it go on as if nothing had been seen. */
const error *misuse_seen(const misuse *m)
{
    int state =
        m == NULL ? STATE_NONE : atomic_load_explicit(&m->note->state, memory_order_acquire);
    for (int i = 0; i < WRITING_LOOKS && state == STATE_TAKEN; i++) {
        clock_sleep_ns(WRITING_PAUSE_NS);
        state = atomic_load_explicit(&m->note->state, memory_order_acquire);
    }
    if (state == STATE_NONE) {
        return NULL;
    }
    return state == STATE_SEEN ? &m->note->error : &m->untold;
}

void *misuse_memory(misuse *m, int worker, size_t items, size_t item_bytes)
{
    scratch *mine = &m->scratch[worker];
    const size_t least = items * item_bytes;
    const size_t wanted = item_bytes < ITEM_BYTES ? items * ITEM_BYTES : least;
    if (mine->bytes >= wanted) {
        return mine->memory;
    }
    release(mine);
    mine->bytes = wanted;
    mine->memory = map_memory(wanted, MAP_PRIVATE);
    if (mine->memory == NULL) {
        mine->memory = map_memory(least, MAP_PRIVATE);
        mine->bytes = mine->memory == NULL ? 0 : least;
    }
    return mine->memory;
}
