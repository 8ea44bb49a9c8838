/* SPDX-License-Identifier: BSD-3-Clause */
/* faulty: a file system that fails on demand, for LD_PRELOAD.
 *
 * FAULTY holds rules with semicolons between them; a rule is words with commas between them:
 * - call=NAME: pwrite, pread, fdatasync, fsync, fallocate, close, open, futimens,
 *   stat, link or renameat2; MPI_Comm_idup, on the path MPI
 * - path=SUFFIX: only on files whose names end so
 * - rank=R: only on that rank of Open MPI's
 * - thread=main: only from the main thread of a process
 * - from=OFFSET, before=OFFSET: only where that part of the file is read or written
 * - after=N: not before N such calls; times=N: not more often than N times
 * - errno=NUMBER: the call fails so
 * - short=BYTES: it writes no more than that
 * - delay=SECONDS: before all else
 *
 * FAULTY_LOG names a file that gets a line for each call that a rule has struck.
 *
 * FAULTY_NFS=SUFFIX puts files whose names end so on NFS, each process being a client: what it
 * writes is kept until it syncs or closes the file, or reads from it. That files are opened so that
 * they are read without the client's memory is logged, and not done.
 *
 * FAULTY_CLOCK=SECONDS,FILE sets the time of day by so much, as soon as there is that file. */
#define _GNU_SOURCE 1
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/magic.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/vfs.h>
#include <time.h>
#include <unistd.h>

enum { MOST_RULES = 8, WORD_BYTES = 64 };

typedef struct rule {
    char call[WORD_BYTES];
    char path[WORD_BYTES];
    bool other_rank;
    bool main_thread;
    off_t from;
    off_t before;
    long after;
    long times;
    int number;
    long short_bytes;
    double delay_s;
    atomic_long seen;
} rule;

static rule rules[MOST_RULES];
static int rule_count;

static void read_word(rule *r, const char *name, const char *value)
{
    const char *rank = getenv("OMPI_COMM_WORLD_RANK");
    if (strcmp(name, "call") == 0) {
        (void)snprintf(r->call, sizeof r->call, "%s", value);
    } else if (strcmp(name, "path") == 0) {
        (void)snprintf(r->path, sizeof r->path, "%s", value);
    } else if (strcmp(name, "rank") == 0) {
        r->other_rank = strcmp(value, rank == NULL ? "0" : rank) != 0;
    } else if (strcmp(name, "thread") == 0) {
        r->main_thread = true;
    } else if (strcmp(name, "from") == 0) {
        r->from = strtol(value, NULL, 10);
    } else if (strcmp(name, "before") == 0) {
        r->before = strtol(value, NULL, 10);
    } else if (strcmp(name, "after") == 0) {
        r->after = strtol(value, NULL, 10);
    } else if (strcmp(name, "times") == 0) {
        r->times = strtol(value, NULL, 10);
    } else if (strcmp(name, "errno") == 0) {
        r->number = (int)strtol(value, NULL, 10);
    } else if (strcmp(name, "short") == 0) {
        r->short_bytes = strtol(value, NULL, 10);
    } else if (strcmp(name, "delay") == 0) {
        r->delay_s = strtod(value, NULL);
    } else {
        (void)fprintf(stderr, "faulty: no word %s\n", name);
        abort();
    }
}

__attribute__((constructor)) static void read_rules(void)
{
    char *text = strdup(getenv("FAULTY") == NULL ? "" : getenv("FAULTY"));
    char *rest = text;
    for (char *each = strtok_r(text, ";", &rest); each != NULL && rule_count < MOST_RULES;
         each = strtok_r(NULL, ";", &rest)) {
        rule *r = &rules[rule_count++];
        r->times = LONG_MAX;
        r->before = LONG_MAX;
        r->short_bytes = -1;
        char *words = each;
        for (char *word = strtok_r(each, ",", &words); word != NULL;
             word = strtok_r(NULL, ",", &words)) {
            char *equals = strchr(word, '=');
            if (equals != NULL) {
                *equals = '\0';
                read_word(r, word, equals + 1);
            }
        }
    }
    free(text);
}

static bool ends_with(const char *path, const char *suffix)
{
    const size_t length = strlen(path);
    const size_t tail = strlen(suffix);
    return length >= tail && strcmp(path + length - tail, suffix) == 0;
}

static bool name_of(int fd, char path[4096])
{
    char link[64];
    (void)snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    const ssize_t length = readlink(link, path, 4095);
    path[length > 0 ? length : 0] = '\0';
    /* So does the system mark a file that has been removed. */
    char *mark = strstr(path, " (deleted)");
    if (mark != NULL) {
        *mark = '\0';
    }
    return length > 0;
}

static void write_log(const char *call, const char *path)
{
    const char *log = getenv("FAULTY_LOG");
    char line[256];
    const int length = snprintf(line, sizeof line, "%s %s\n", call, strrchr(path, '/') + 1);
    const int fd =
        log == NULL ? -1
                    : (int)syscall(SYS_openat, AT_FDCWD, log, O_WRONLY | O_CREAT | O_APPEND, 0666);
    if (fd >= 0) {
        (void)!syscall(SYS_write, fd, line, (size_t)length);
        (void)syscall(SYS_close, fd);
    }
}

/* The rule that strikes a call, after its delay; NULL: the call goes on as it is. */
static rule *strike_path(const char *call, const char *path, off_t offset, size_t count)
{
    for (int i = 0; i < rule_count; i++) {
        rule *r = &rules[i];
        if (strcmp(r->call, call) != 0 || !ends_with(path, r->path) || r->other_rank ||
            offset + (off_t)count <= r->from || offset >= r->before ||
            (r->main_thread && gettid() != getpid())) {
            continue;
        }
        const long seen = atomic_fetch_add(&r->seen, 1);
        if (seen < r->after || seen - r->after >= r->times) {
            continue;
        }
        write_log(call, path);
        struct timespec pause = {.tv_sec = (time_t)r->delay_s,
                                 .tv_nsec =
                                     (long)(1e9 * (r->delay_s - (double)(time_t)r->delay_s))};
        while (r->delay_s > 0 && nanosleep(&pause, &pause) != 0) {
        }
        errno = r->number;
        return r->number != 0 || r->short_bytes >= 0 ? r : NULL;
    }
    return NULL;
}

static rule *strike(const char *call, int fd, off_t offset, size_t count)
{
    char path[4096];
    return rule_count > 0 && name_of(fd, path) ? strike_path(call, path, offset, count) : NULL;
}

/* Seconds by which the time of day is off. */
static long clock_shift(void)
{
    const char *text = getenv("FAULTY_CLOCK");
    char *file = NULL;
    const long shift_s = text == NULL ? 0 : strtol(text, &file, 10);
    return shift_s != 0 && *file == ',' && access(file + 1, F_OK) == 0 ? shift_s : 0;
}

#define NEXT(name) __typeof__(&(name)) next = (__typeof__(&(name)))dlsym(RTLD_NEXT, #name)

int clock_gettime(clockid_t clock, struct timespec *now)
{
    const int result = (int)syscall(SYS_clock_gettime, clock, now);
    if (clock == CLOCK_REALTIME && result == 0) {
        now->tv_sec += clock_shift();
    }
    return result;
}

/* What a client of NFS has written and kept. */
typedef struct kept {
    struct kept *next;
    int fd;
    off_t offset;
    size_t count;
    unsigned char bytes[];
} kept;

static kept *first_kept;
static kept **last_kept = &first_kept;
static pthread_mutex_t kept_mutex = PTHREAD_MUTEX_INITIALIZER;
static pid_t client;

__attribute__((constructor)) static void become_client(void)
{
    client = getenv("FAULTY_NFS") == NULL ? -1 : getpid();
}

/* In a child of the client nobody may hold the mutex. */
static bool is_on_nfs(int fd)
{
    char path[4096];
    return client == getpid() && name_of(fd, path) && ends_with(path, getenv("FAULTY_NFS"));
}

static void keep(int fd, const void *bytes, size_t count, off_t offset)
{
    kept *k = malloc(sizeof *k + count);
    if (k == NULL) {
        abort();
    }
    *k = (kept){.fd = fd, .offset = offset, .count = count};
    memcpy(k->bytes, bytes, count);
    (void)pthread_mutex_lock(&kept_mutex);
    *last_kept = k;
    last_kept = &k->next;
    (void)pthread_mutex_unlock(&kept_mutex);
}

/* Sends all that is kept of a file. */
static void send_kept(int fd)
{
    NEXT(pwrite);
    struct stat mine;
    (void)fstat(fd, &mine);
    (void)pthread_mutex_lock(&kept_mutex);
    kept **link = &first_kept;
    while (*link != NULL) {
        kept *k = *link;
        struct stat its;
        if (fstat(k->fd, &its) == 0 && its.st_ino == mine.st_ino && its.st_dev == mine.st_dev) {
            if (next(k->fd, k->bytes, k->count, k->offset) != (ssize_t)k->count) {
                abort();
            }
            *link = k->next;
            free(k);
        } else {
            link = &k->next;
        }
    }
    last_kept = link;
    (void)pthread_mutex_unlock(&kept_mutex);
}

int fstatfs(int fd, struct statfs *system)
{
    NEXT(fstatfs);
    const int result = next(fd, system);
    if (result == 0 && is_on_nfs(fd)) {
        system->f_type = NFS_SUPER_MAGIC;
    }
    return result;
}

int fcntl(int fd, int command, ...)
{
    NEXT(fcntl);
    char path[4096];
    va_list arguments;
    va_start(arguments, command);
    void *argument = va_arg(arguments, void *);
    va_end(arguments);
    if (command == F_SETFL && is_on_nfs(fd) && name_of(fd, path)) {
        write_log("direct", path);
        return 0;
    }
    return next(fd, command, argument);
}

int fcntl64(int fd, int command, ...)
{
    va_list arguments;
    va_start(arguments, command);
    void *argument = va_arg(arguments, void *);
    va_end(arguments);
    return fcntl(fd, command, argument);
}

ssize_t pwrite(int fd, const void *bytes, size_t count, off_t offset)
{
    NEXT(pwrite);
    if (is_on_nfs(fd)) {
        keep(fd, bytes, count, offset);
        return (ssize_t)count;
    }
    const rule *r = strike("pwrite", fd, offset, count);
    if (r != NULL && r->number != 0) {
        return -1;
    }
    if (r != NULL && (size_t)r->short_bytes < count) {
        count = (size_t)r->short_bytes;
    }
    return next(fd, bytes, count, offset);
}

ssize_t pwrite64(int fd, const void *bytes, size_t count, off_t offset)
{
    return pwrite(fd, bytes, count, offset);
}

/* Each piece as if it were written by itself. */
ssize_t pwritev(int fd, const struct iovec piece[], int pieces, off_t offset)
{
    ssize_t all = 0;
    for (int i = 0; i < pieces; i++) {
        const ssize_t written = pwrite(fd, piece[i].iov_base, piece[i].iov_len, offset + all);
        if (written < 0) {
            return all > 0 ? all : -1;
        }
        all += written;
        if ((size_t)written < piece[i].iov_len) {
            break;
        }
    }
    return all;
}

ssize_t pwritev64(int fd, const struct iovec piece[], int pieces, off_t offset)
{
    return pwritev(fd, piece, pieces, offset);
}

ssize_t pread(int fd, void *bytes, size_t count, off_t offset)
{
    NEXT(pread);
    if (is_on_nfs(fd)) {
        send_kept(fd);
    }
    return strike("pread", fd, offset, count) != NULL ? -1 : next(fd, bytes, count, offset);
}

ssize_t pread64(int fd, void *bytes, size_t count, off_t offset)
{
    return pread(fd, bytes, count, offset);
}

int fdatasync(int fd)
{
    NEXT(fdatasync);
    if (is_on_nfs(fd)) {
        send_kept(fd);
    }
    return strike("fdatasync", fd, 0, 1) != NULL ? -1 : next(fd);
}

int fsync(int fd)
{
    NEXT(fsync);
    if (is_on_nfs(fd)) {
        send_kept(fd);
    }
    return strike("fsync", fd, 0, 1) != NULL ? -1 : next(fd);
}

int fallocate(int fd, int mode, off_t offset, off_t length)
{
    NEXT(fallocate);
    return strike("fallocate", fd, 0, 1) != NULL ? -1 : next(fd, mode, offset, length);
}

/* Closes it all the same, as the system does. */
int close(int fd)
{
    NEXT(close);
    const rule *r = strike("close", fd, 0, 1);
    const int number = errno;
    if (is_on_nfs(fd)) {
        send_kept(fd);
    }
    const int result = next(fd);
    if (r == NULL) {
        return result;
    }
    errno = number;
    return -1;
}

int open(const char *path, int flags, ...)
{
    NEXT(open);
    va_list arguments;
    va_start(arguments, flags);
    const mode_t mode = (flags & O_CREAT) != 0 ? va_arg(arguments, mode_t) : 0;
    va_end(arguments);
    return strike_path("open", path, 0, 1) != NULL ? -1 : next(path, flags, mode);
}

int futimens(int fd, const struct timespec times[2])
{
    NEXT(futimens);
    return strike("futimens", fd, 0, 1) != NULL ? -1 : next(fd, times);
}

int stat(const char *path, struct stat *file)
{
    NEXT(stat);
    return strike_path("stat", path, 0, 1) != NULL ? -1 : next(path, file);
}

int link(const char *from, const char *to)
{
    NEXT(link);
    return strike_path("link", from, 0, 1) != NULL ? -1 : next(from, to);
}

int renameat2(int from_folder, const char *from, int to_folder, const char *to, unsigned flags)
{
    NEXT(renameat2);
    return strike_path("renameat2", from, 0, 1) != NULL
               ? -1
               : next(from_folder, from, to_folder, to, flags);
}

/* Open MPI's handles are pointers. */
int MPI_Comm_idup(void *from, void **to, void **request);

int MPI_Comm_idup(void *from, void **to, void **request)
{
    NEXT(MPI_Comm_idup);
    return strike_path("MPI_Comm_idup", "/MPI", 0, 1) != NULL ? 1 : next(from, to, request);
}
