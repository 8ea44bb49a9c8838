/* SPDX-License-Identifier: BSD-3-Clause */
/* Another process of this host, seen from outside. */
#define _GNU_SOURCE 1
#include "host/process.h"

#include "host/host.h"

#include <fcntl.h>
#include <linux/futex.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>

enum { TEXT_BYTES = 512 };

/* Reads the beginning of a file of a thread; false if there is nothing. */
static bool read_text(int64_t pid, const char *thread, const char *name, char text[TEXT_BYTES])
{
    return host_read_file(text, TEXT_BYTES, "/proc/%lld/task/%.20s/%s", (long long)pid, thread,
                          name) > 0;
}

/* The state follows the name of the program, which may hold anything. */
static bool is_asleep(int64_t pid, const char *thread)
{
    char text[TEXT_BYTES];
    if (!read_text(pid, thread, "stat", text)) {
        return false;
    }
    const char *end = strrchr(text, ')');
    return end != NULL && end[1] == ' ' && end[2] == 'S';
}

/* A futex call that waits: the operation is the second argument, the time limit the fourth. */
static process_state judge_call(const char *text)
{
    unsigned long argument[4];
    char *end = NULL;
    if (strtol(text, &end, 10) != SYS_futex) {
        return PROCESS_ASLEEP;
    }
    for (int i = 0; i < 4; i++) {
        argument[i] = strtoul(end, &end, 16);
    }
    const unsigned long operation = argument[1] & (unsigned long)FUTEX_CMD_MASK;
    if (operation == FUTEX_LOCK_PI || operation == FUTEX_WAIT || operation == FUTEX_WAIT_BITSET) {
        const bool ours = (argument[1] & FUTEX_PRIVATE_FLAG) != 0;
        return argument[3] != 0 ? PROCESS_ASLEEP : ours ? PROCESS_STUCK : PROCESS_WAITING;
    }
    return PROCESS_ASLEEP;
}

static process_state look_at_thread(int64_t pid, const char *thread)
{
    char text[TEXT_BYTES];
    if (!is_asleep(pid, thread)) {
        return PROCESS_ACTIVE;
    }
    /* "running", and "-1 …" outside of system calls, are for threads that have just woken up. */
    if (read_text(pid, thread, "syscall", text)) {
        return text[0] >= '0' && text[0] <= '9' ? judge_call(text) : PROCESS_ACTIVE;
    }
    return read_text(pid, thread, "wchan", text) && strncmp(text, "futex", 5) == 0 ? PROCESS_WAITING
                                                                                   : PROCESS_ASLEEP;
}

typedef struct look {
    int64_t pid;
    int threads;
    process_state least;
} look;

static void add_thread(int folder, const char *thread, void *context)
{
    look *l = context;
    (void)folder;
    l->threads++;
    if (l->least != PROCESS_ACTIVE) {
        const process_state state = look_at_thread(l->pid, thread);
        l->least = state < l->least ? state : l->least;
    }
}

process_state process_look(int64_t pid)
{
    char path[64];
    look l = {.pid = pid, .least = PROCESS_STUCK};
    (void)snprintf(path, sizeof path, "/proc/%lld/task", (long long)pid);
    host_visit_folder(AT_FDCWD, path, add_thread, &l);
    return l.threads > 0 ? l.least : PROCESS_ACTIVE;
}

int64_t process_cpu_ns(int64_t pid)
{
    clockid_t clock = CLOCK_MONOTONIC;
    struct timespec now = {.tv_sec = 0};
    if (clock_getcpuclockid((pid_t)pid, &clock) != 0 || clock_gettime(clock, &now) != 0) {
        return -1;
    }
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

bool process_started_with(int64_t pid, const char *name, const char *value)
{
    char path[64];
    char *entry = NULL;
    size_t room = 0;
    bool found = false;
    const size_t length = strlen(name);
    (void)snprintf(path, sizeof path, "/proc/%lld/environ", (long long)pid);
    FILE *file = fopen(path, "re");
    while (file != NULL && !found && getdelim(&entry, &room, '\0', file) > 0) {
        found = strncmp(entry, name, length) == 0 && entry[length] == '=' &&
                (value == NULL || strcmp(entry + length + 1, value) == 0);
    }
    if (file != NULL) {
        (void)fclose(file);
    }
    free(entry);
    return found;
}
