/* SPDX-License-Identifier: BSD-3-Clause */
/* Siblings: the processes of the same program that a launcher has started beside this one. */
#define _GNU_SOURCE 1
#include "host/siblings.h"

#include <glob.h>
#include <limits.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/* Between two looks: at first siblings begin one after the other, and none is to be overlooked that
 * dies soon. */
enum { LOOK_FIRST_NS = 5000000, LOOK_LAST_NS = 250000000, LOOK_SHARE = 4 };

/* So long one has to be missing: MPI may start all the same. */
enum { MISSED_NS = 1000000000 };

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
    int64_t pause_ns = LOOK_FIRST_NS;
    (void)nothing;
    while (missed_ns < MISSED_NS && !pause_for(pause_ns)) {
        const int siblings = count_siblings();
        most = siblings > most ? siblings : most;
        missed_ns = siblings < most ? missed_ns + pause_ns : 0;
        pause_ns += pause_ns / LOOK_SHARE;
        pause_ns = pause_ns < LOOK_LAST_NS ? pause_ns : LOOK_LAST_NS;
    }
    if (missed_ns >= MISSED_NS) {
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
