/* SPDX-License-Identifier: BSD-3-Clause */
/* Siblings: the processes of the same program that a launcher has started beside this one. */
#include "base/siblings.h"

#include <glob.h>
#include <limits.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/* Between two looks; and in so many of them one has to be missing: MPI may start all the same. */
enum { LOOK_NS = 100000000, LOOKS_MISSED = 10 };

static struct {
    pthread_t thread;
    pthread_mutex_t mutex;
    pthread_cond_t stirred;
    bool running;
    bool stop;
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

/* How many of the children in a list run this program. */
static int count_alike(const char *path, const char *mine)
{
    char pid[24];
    char theirs[PATH_MAX];
    int alike = 0;
    FILE *file = fopen(path, "re");
    while (file != NULL && fscanf(file, "%23s", pid) == 1) {
        read_program(pid, theirs, sizeof theirs);
        alike += mine[0] != '\0' && strcmp(theirs, mine) == 0;
    }
    if (file != NULL) {
        (void)fclose(file);
    }
    return alike;
}

/* How many children that run this program its parent has: each of its threads has a list. */
static int count_siblings(void)
{
    char lists[64];
    char mine[PATH_MAX];
    glob_t found;
    int siblings = 0;
    read_program("self", mine, sizeof mine);
    (void)snprintf(lists, sizeof lists, "/proc/%ld/task/*/children", (long)getppid());
    if (glob(lists, GLOB_NOSORT, NULL, &found) == 0) {
        for (size_t i = 0; i < found.gl_pathc; i++) {
            siblings += count_alike(found.gl_pathv[i], mine);
        }
    }
    globfree(&found);
    return siblings;
}

/* True once it is to look no longer. */
static bool pause_between_looks(void)
{
    struct timespec until;
    (void)clock_gettime(CLOCK_REALTIME, &until);
    until.tv_nsec += LOOK_NS;
    until.tv_sec += until.tv_nsec / 1000000000;
    until.tv_nsec %= 1000000000;
    (void)pthread_mutex_lock(&watch.mutex);
    if (!watch.stop) {
        (void)pthread_cond_timedwait(&watch.stirred, &watch.mutex, &until);
    }
    const bool stop = watch.stop;
    (void)pthread_mutex_unlock(&watch.mutex);
    return stop;
}

static void *look_after(void *nothing)
{
    int most = 0;
    int missed = 0;
    (void)nothing;
    do {
        const int siblings = count_siblings();
        most = siblings > most ? siblings : most;
        missed = siblings < most ? missed + 1 : 0;
    } while (missed < LOOKS_MISSED && !pause_between_looks());
    if (missed == LOOKS_MISSED) {
        if (write(STDERR_FILENO, watch.line, strlen(watch.line)) < 0) {
            /* There is nobody left to tell. */
        }
        _exit(watch.exit_status);
    }
    return NULL;
}

void siblings_watch(int exit_status, const char *line)
{
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
