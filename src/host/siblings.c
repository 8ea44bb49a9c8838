/* SPDX-License-Identifier: BSD-3-Clause */
/* Siblings: the processes of the same program that a launcher has started beside this one. */
#define _GNU_SOURCE 1
#include "host/siblings.h"

#include "base/thread.h"
#include "host/host.h"

#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/* Between two looks: at first siblings begin one after the other, and none is to be overlooked that
 * dies soon. */
enum { LOOK_FIRST_NS = 5000000, LOOK_LAST_NS = 250000000, LOOK_SHARE = 4 };

/* How long a sibling has to be missing: MPI may start all the same. One that was never seen may not
 * have been started yet. */
static const int64_t missed_after_ns = INT64_C(1000000000);
static const int64_t never_seen_after_ns = INT64_C(5000000000);

static struct {
    pthread_t thread;
    pthread_mutex_t mutex;
    pthread_cond_t stirred;
    bool running;
    bool stop;
    int started;
    int exit_status;
    const char *line;
} watch = {.mutex = PTHREAD_MUTEX_INITIALIZER, .stirred = PTHREAD_COND_INITIALIZER};

/* The program that a process runs; "" if that cannot be known. */
static void read_program(const char *pid, char *name, size_t room)
{
    char path[64];
    (void)snprintf(path, sizeof path, "/proc/%.20s/exe", pid);
    const ssize_t length = readlink(path, name, room - 1);
    name[length > 0 ? length : 0] = '\0';
}

/* Children of the same parent: those that run this program, and those that run at all. */
typedef struct siblings {
    char program[PATH_MAX];
    int alike;
    int alive;
} siblings;

/* Each of the parent's threads has a list of children. */
static void count_children(int folder, const char *thread, void *context)
{
    siblings *count = context;
    char path[64];
    char pid[24];
    char theirs[PATH_MAX];
    (void)folder;
    (void)snprintf(path, sizeof path, "/proc/%ld/task/%.20s/children", (long)getppid(), thread);
    FILE *file = fopen(path, "re");
    while (file != NULL && fscanf(file, "%23s", pid) == 1) {
        read_program(pid, theirs, sizeof theirs);
        count->alike += theirs[0] != '\0' && strcmp(theirs, count->program) == 0;
        count->alive += theirs[0] != '\0'; /* of one that has ended there is no program */
    }
    if (file != NULL) {
        (void)fclose(file);
    }
}

static siblings count_siblings(void)
{
    char threads[64];
    siblings count = {.alike = 0};
    read_program("self", count.program, sizeof count.program);
    (void)snprintf(threads, sizeof threads, "/proc/%ld/task", (long)getppid());
    host_visit_folder(AT_FDCWD, threads, count_children, &count);
    return count;
}

/* Whether the parent is what starts Open MPI's ranks, and no script or program around this one. */
static bool parent_is_launcher(void)
{
    static const char *const launchers[] = {"orterun", "orted", "prterun", "prted", "prte"};
    char pid[24];
    char program[PATH_MAX];
    (void)snprintf(pid, sizeof pid, "%ld", (long)getppid());
    read_program(pid, program, sizeof program);
    const char *slash = strrchr(program, '/');
    for (size_t i = 0; slash != NULL && i < sizeof launchers / sizeof launchers[0]; i++) {
        if (strcmp(slash + 1, launchers[i]) == 0) {
            return true;
        }
    }
    return false;
}

/* True once it is to look no longer. */
static bool pause_for(int64_t ns)
{
    struct timespec until;
    (void)clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_nsec += ns;
    until.tv_sec += until.tv_nsec / 1000000000;
    until.tv_nsec %= 1000000000;
    (void)pthread_mutex_lock(&watch.mutex);
    if (!watch.stop) {
        (void)pthread_cond_clockwait(&watch.stirred, &watch.mutex, CLOCK_MONOTONIC, &until);
    }
    const bool stop = watch.stop;
    (void)pthread_mutex_unlock(&watch.mutex);
    return stop;
}

static void *look_after(void *nothing)
{
    int most = 0;
    int64_t missed_ns = 0;
    int64_t never_seen_ns = 0;
    int64_t pause_ns = LOOK_FIRST_NS;
    const int started = parent_is_launcher() ? watch.started : 0;
    (void)nothing;
    thread_set_other(true);
    while (missed_ns < missed_after_ns && never_seen_ns < never_seen_after_ns &&
           !pause_for(pause_ns)) {
        const siblings now = count_siblings();
        most = now.alike > most ? now.alike : most;
        missed_ns = now.alike < most ? missed_ns + pause_ns : 0;
        never_seen_ns = now.alive < started && now.alive > 0 ? never_seen_ns + pause_ns : 0;
        pause_ns += pause_ns / LOOK_SHARE;
        pause_ns = pause_ns < LOOK_LAST_NS ? pause_ns : LOOK_LAST_NS;
    }
    if (missed_ns >= missed_after_ns || never_seen_ns >= never_seen_after_ns) {
        if (write(STDERR_FILENO, watch.line, strlen(watch.line)) < 0) {
            /* Nothing can be done about it here. */
        }
        _exit(watch.exit_status);
    }
    return NULL;
}

void siblings_watch(int started, int exit_status, const char *line)
{
    watch.started = started;
    watch.exit_status = exit_status;
    watch.line = line;
    watch.stop = false;
    watch.running = pthread_create(&watch.thread, NULL, look_after, NULL) == 0;
}

void siblings_forget(void)
{
    if (watch.running) {
        (void)pthread_mutex_lock(&watch.mutex);
        watch.stop = true;
        (void)pthread_cond_signal(&watch.stirred);
        (void)pthread_mutex_unlock(&watch.mutex);
        (void)pthread_join(watch.thread, NULL);
        watch.running = false;
    }
}
