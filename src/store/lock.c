/* SPDX-License-Identifier: BSD-3-Clause */
/* The lock beside a result, FILE.lock: one run writes at a time. */
#define _GNU_SOURCE 1
#include "store/lock.h"

#include "base/clock.h"
#include "base/host.h"
#include "store/fault.h"
#include "store/place.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { STALE_S = 60, OWNER_BYTES = 192, MOST_TRIES = 100 };

struct lock {
    int fd;
    char *result; /* its path as it was given */
    char path[4096];
};

/* Who a lock file names. */
typedef struct owner {
    char host[HOST_NAME_BYTES];
    int64_t pid;
    uint64_t started;
    char since[CLOCK_TEXT_BYTES];
} owner;

/* Beside the file itself, also where the result is named by a symbolic link, and still there when
 * the program goes to another folder. */
static bool lock_path(const char *result, char path[4096])
{
    char *target = realpath(result, NULL);
    char *copy = strdup(result);
    char *folder = target != NULL || copy == NULL ? NULL : realpath(dirname(copy), NULL);
    int length = 0;
    if (folder != NULL) {
        const char *slash = strrchr(result, '/');
        length = snprintf(path, 4096, "%s/%s.lock", folder, slash != NULL ? slash + 1 : result);
    } else {
        length = snprintf(path, 4096, "%s.lock", target != NULL ? target : result);
    }
    free(folder);
    free(copy);
    free(target);
    return length < 4096;
}

static bool read_owner(int fd, owner *o)
{
    char text[OWNER_BYTES + 1];
    const ssize_t length = pread(fd, text, OWNER_BYTES, 0);
    if (length <= 0) {
        return false;
    }
    text[length] = '\0';
    char pid[24];
    char started[24];
    if (sscanf(text, "host %63s pid %23s started %23s since %31s", o->host, pid, started,
               o->since) != 4) {
        return false;
    }
    o->pid = strtoll(pid, NULL, 10);
    o->started = strtoull(started, NULL, 10);
    return true;
}

static void write_owner(int fd)
{
    char host[HOST_NAME_BYTES];
    char since[CLOCK_TEXT_BYTES];
    char text[OWNER_BYTES];
    host_name(host);
    clock_format_wall(clock_wall_s(), since);
    const int length = snprintf(text, sizeof text, "host %s pid %ld started %" PRIu64 " since %s\n",
                                host, (long)getpid(), host_process_start(getpid()), since);
    if (ftruncate(fd, 0) != 0 || pwrite(fd, text, (size_t)length, 0) != length) {
        /* The name is for people; the lock itself holds without it. */
        return;
    }
}

/* Seconds since the file was touched, by the file system's own clock where it can be asked. */
static double age_s(int fd)
{
    struct stat status;
    if (fstat(fd, &status) != 0) {
        return 0;
    }
    return clock_wall_s() - (double)status.st_mtim.tv_sec;
}

/* Where no lock of the operating system can be had: whether the process that the file names lives.
 */
static bool owner_alive(int fd)
{
    owner o;
    char host[HOST_NAME_BYTES];
    if (!read_owner(fd, &o)) {
        return false;
    }
    host_name(host);
    if (strcmp(host, o.host) == 0) {
        return host_process_start(o.pid) == o.started;
    }
    return age_s(fd) < STALE_S;
}

static struct flock whole_file(short type)
{
    const struct flock region = {.l_type = type, .l_whence = SEEK_SET};
    return region;
}

/* Whether an open lock file is held by a live process other than through this descriptor. */
static bool is_held(int fd)
{
    struct flock region = whole_file(F_WRLCK);
    if (fcntl(fd, F_OFD_GETLK, &region) == 0) {
        return region.l_type != F_UNLCK;
    }
    return owner_alive(fd);
}

static void describe_owner(int fd, char *text, size_t bytes)
{
    owner o;
    if (read_owner(fd, &o)) {
        (void)snprintf(text, bytes, "pid %" PRId64 " on host %s since %s", o.pid, o.host, o.since);
    } else {
        (void)snprintf(text, bytes, "a process that has not written its name yet");
    }
}

/* Whether it holds something that no run has written. */
static bool is_foreign(int fd)
{
    char text[sizeof "host "] = "";
    const ssize_t length = pread(fd, text, sizeof text - 1, 0);
    return length > 0 && text[0] != '\0' && strncmp(text, "host ", (size_t)length) != 0;
}

typedef enum attempt { TAKEN, HELD, FOREIGN, REMOVED } attempt;

static attempt try_take(int fd, const char *path)
{
    struct flock region = whole_file(F_WRLCK);
    if (is_foreign(fd)) {
        return FOREIGN;
    }
    if (fcntl(fd, F_OFD_SETLK, &region) != 0) {
        const bool unsupported = errno != EAGAIN && errno != EACCES;
        if (!unsupported || owner_alive(fd)) {
            return HELD;
        }
    }
    /* Its last holder may have removed it. */
    return place_is_file(path, fd) ? TAKEN : REMOVED;
}

static weft_status refuse(const lock *l, int fd, attempt result, error *e)
{
    char holder[OWNER_BYTES];
    switch (result) {
    case HELD:
        describe_owner(fd, holder, sizeof holder);
        return error_set(e, WEFT_ERR_BUSY,
                         "%s is in use by %s; wait for it, or give another --out (if you are "
                         "sure that it is gone: rm %s)",
                         l->result, holder, l->path);
    case FOREIGN:
        return error_set(e, WEFT_ERR_FORMAT,
                         "%s is in the way: that file is not a lock of weft; it is left alone, "
                         "move it away or give another --out",
                         l->path);
    case TAKEN:
    case REMOVED:
        break;
    }
    return error_set(e, WEFT_ERR_SYSTEM, "cannot take the lock %s: it vanishes time and again",
                     l->path);
}

/* Opens the lock file and takes it; the descriptor, once that has worked. */
static weft_status take_file(const lock *l, int *taken, error *e)
{
    attempt result = REMOVED;
    for (int tries = 0; result == REMOVED && tries < MOST_TRIES; tries++) {
        const int fd = open(l->path, O_RDWR | O_CREAT | O_CLOEXEC, 0666);
        if (fd < 0) {
            const int number = errno;
            return fault_set(e, number, l->path,
                             "cannot create %s, and the folder must exist and be writable",
                             l->path);
        }
        result = try_take(fd, l->path);
        if (result == TAKEN) {
            write_owner(fd);
            *taken = fd;
            return WEFT_OK;
        }
        if (result != REMOVED) {
            (void)refuse(l, fd, result, e);
        }
        (void)close(fd);
    }
    return result == REMOVED ? refuse(l, -1, result, e) : e->status;
}

static void free_lock(lock *l)
{
    free(l->result);
    free(l);
}

weft_status lock_take(const char *path, lock **out, error *e)
{
    lock *l = calloc(1, sizeof *l);
    char *result = strdup(path);
    if (l == NULL || result == NULL) {
        free(result);
        free(l);
        return error_set(e, WEFT_ERR_MEMORY, "out of memory for the lock of %s", path);
    }
    l->result = result;
    const weft_status status =
        lock_path(path, l->path)
            ? take_file(l, &l->fd, e)
            : error_set(e, WEFT_ERR_USAGE, "the path %.80s… is too long", path);
    if (status != WEFT_OK) {
        free_lock(l);
        return status;
    }
    *out = l;
    return WEFT_OK;
}

weft_status lock_touch(lock *l, error *e)
{
    (void)futimens(l->fd, NULL);
    if (place_is_file(l->path, l->fd)) {
        return WEFT_OK;
    }
    int fd = -1;
    const weft_status status = take_file(l, &fd, e);
    if (status == WEFT_OK) {
        (void)close(l->fd);
        l->fd = fd;
    }
    if (status == WEFT_ERR_BUSY) {
        return error_set(e, WEFT_ERR_SYSTEM,
                         "%s was removed, and another run has begun to write to %s: this one ends, "
                         "the other goes on",
                         l->path, l->result);
    }
    /* That it cannot be made again harms nobody as long as there is no other run. */
    return WEFT_OK;
}

void lock_release(lock *l)
{
    if (l != NULL) {
        /* First the name, then the lock, so that nobody can take a file that is about to go. */
        if (place_is_file(l->path, l->fd)) {
            (void)unlink(l->path);
        }
        (void)close(l->fd);
        free_lock(l);
    }
}

void lock_forget(lock *l)
{
    if (l != NULL) {
        (void)close(l->fd);
        free(l);
    }
}

bool lock_holder(const char *path, char *text, size_t bytes)
{
    char name[4096];
    text[0] = '\0';
    if (!lock_path(path, name)) {
        return false;
    }
    const int fd = open(name, O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        return false;
    }
    const bool held = is_held(fd);
    if (held) {
        describe_owner(fd, text, bytes);
    }
    (void)close(fd);
    return held;
}
