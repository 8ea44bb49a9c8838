/* SPDX-License-Identifier: BSD-3-Clause */
/* deadly: ways in which a kernel ends its process. */
#include "deadly.h"

#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Sanitizers would come before the system does. */
#define UNCHECKED __attribute__((no_sanitize("address", "undefined"), noinline))

/* Nothing here shall eat up a machine. */
enum { MOST_MEMORY_MIB = 2048 };

static pid_t home;

void deadly_begin(void)
{
    home = getpid();
}

UNCHECKED static void read_nothing(void)
{
    volatile int *volatile nowhere = NULL;
    *nowhere = 1;
}

UNCHECKED static void divide(void)
{
    volatile int nothing = 0;
    volatile int much = 1000;
    volatile int quotient = much / nothing;
    (void)quotient;
}

UNCHECKED static int overflow_stack(volatile int *depth)
{
    volatile char room[4096];
    room[*depth % 4096] = 1;
    (*depth)++;
    return *depth < 0 ? 0 : overflow_stack(depth) + room[0];
}

/* Where nobody notices at once, it ends by itself. */
UNCHECKED static void corrupt_heap(void)
{
    for (int round = 0; round < 100; round++) {
        volatile char *block = malloc(64);
        for (int i = -16; i < 4096 && block != NULL; i++) {
            block[i] = (char)0xa5;
        }
        free(malloc((size_t)round * 100 + 1));
    }
    abort();
}

static void eat_memory(void)
{
    for (int mib = 0; mib < MOST_MEMORY_MIB; mib++) {
        volatile char *block = malloc(1 << 20);
        for (int i = 0; i < 1 << 20 && block != NULL; i += 4096) {
            block[i] = 1;
        }
    }
}

static void act(const char *kind)
{
    volatile int depth = 0;
    if (strncmp(kind, "segv:", 5) == 0) {
        read_nothing();
    } else if (strncmp(kind, "abort:", 6) == 0) {
        abort();
    } else if (strncmp(kind, "fpe:", 4) == 0) {
        divide();
    } else if (strncmp(kind, "stack:", 6) == 0) {
        (void)overflow_stack(&depth);
    } else if (strncmp(kind, "heap:", 5) == 0) {
        corrupt_heap();
    } else if (strncmp(kind, "exit:", 5) == 0) {
        exit(3);
    } else if (strncmp(kind, "kill:", 5) == 0) {
        (void)raise(SIGKILL);
    } else if (strncmp(kind, "memory:", 7) == 0) {
        eat_memory();
    } else {
        for (;;) {
            (void)pause();
        }
    }
}

/* The kind of death of an item; NULL: none. */
static const char *find(const char *list, int64_t item)
{
    for (const char *at = list; at != NULL && *at != '\0'; at = strchr(at, ',')) {
        at += *at == ',';
        const char *colon = strchr(at, ':');
        if (colon != NULL && strtoll(colon + 1, NULL, 10) == item) {
            return at;
        }
    }
    return NULL;
}

/* Whether this is the first time. */
static bool first_time(const char *prefix, int64_t item)
{
    char path[4096];
    (void)snprintf(path, sizeof path, "%s-%lld", prefix, (long long)item);
    const int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    if (fd >= 0) {
        (void)close(fd);
    }
    return fd >= 0;
}

void deadly_meet(const deadly *d, int64_t item)
{
    const char *kind = find(d->list, item);
    const bool here = d->where == NULL || getpid() == home;
    if (kind != NULL && here && (d->once == NULL || first_time(d->once, item))) {
        act(kind);
    }
}
