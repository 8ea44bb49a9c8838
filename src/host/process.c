/* SPDX-License-Identifier: BSD-3-Clause */
/* Other processes of this host, seen from outside. */
#define _GNU_SOURCE 1
#include "host/process.h"

#include "base/number.h"
#include "host/host.h"

#include <fcntl.h>
#include <linux/futex.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

/* A process that forks while it is looked for may be missed the first time. */
enum { END_ROUNDS = 5, TEXT_BYTES = 512 };

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

typedef struct wanted {
    pid_t session;
    const char *variable;
    const char *value;
    int number;
    int count;
} wanted;

static void signal_one(int folder, const char *name, void *context)
{
    wanted *w = context;
    int pid = 0;
    (void)folder;
    if (number_read_count(name, 1, &pid) && pid != (int)getpid() &&
        (w->session == 0 || host_process_session(pid) == (int64_t)w->session) &&
        (w->variable == NULL || process_started_with(pid, w->variable, w->value))) {
        w->count++;
        (void)kill(pid, w->number);
    }
}

int process_signal_all(pid_t session, const char *variable, const char *value, int number)
{
    wanted w = {.session = session, .variable = variable, .value = value, .number = number};
    host_visit_folder(AT_FDCWD, "/proc", signal_one, &w);
    return w.count;
}

void process_end_all(const char *variable, const char *value)
{
    int count = 1;
    for (int i = 0; i < END_ROUNDS && count > 0; i++) {
        count = process_signal_all(0, variable, value, SIGKILL);
    }
}
