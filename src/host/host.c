/* SPDX-License-Identifier: BSD-3-Clause */
/* The host, its cores and its processes. */
#define _GNU_SOURCE 1
#include "host/host.h"

#include "base/number.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { SETS = HOST_MOST_CORES / CPU_SETSIZE, HOST_FILE_BYTES = 256, STAT_BYTES = 1024 };

void host_name(char name[HOST_NAME_BYTES])
{
    if (gethostname(name, HOST_NAME_BYTES) != 0) {
        (void)snprintf(name, HOST_NAME_BYTES, "unknown");
    }
    name[HOST_NAME_BYTES - 1] = '\0';
}

size_t host_read_file(char *text, size_t room, const char *path, ...)
{
    char name[2 * PATH_MAX];
    va_list arguments;
    va_start(arguments, path);
    (void)vsnprintf(name, sizeof name, path, arguments);
    va_end(arguments);
    const int fd = open(name, O_RDONLY | O_CLOEXEC);
    size_t length = 0;
    ssize_t more = 1;
    while (fd >= 0 && more > 0 && length < room - 1) {
        more = read(fd, text + length, room - 1 - length);
        length += more > 0 ? (size_t)more : 0;
    }
    if (fd >= 0) {
        (void)close(fd);
    }
    text[length] = '\0';
    return length;
}

void host_visit_folder(int at, const char *name,
                       void (*visit)(int folder, const char *entry, void *context), void *context)
{
    const int folder = openat(at, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    DIR *entries = folder < 0 ? NULL : fdopendir(folder);
    const struct dirent *entry = NULL;
    if (entries == NULL) {
        if (folder >= 0) {
            (void)close(folder);
        }
        return;
    }
    while ((entry = readdir(entries)) != NULL) {
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0) {
            visit(folder, entry->d_name, context);
        }
    }
    (void)closedir(entries);
}

/* A kernel that can have more cores than there is room for refuses, and nothing is known. */
void host_get_cores(host_cores *cores)
{
    cpu_set_t sets[SETS];
    memset(cores, 0, sizeof *cores);
    if (sched_getaffinity(0, sizeof sets, sets) != 0) {
        cores->mask[0] = 1;
        return;
    }
    for (int core = 0; core < HOST_MOST_CORES; core++) {
        if (CPU_ISSET_S((size_t)core, sizeof sets, sets)) {
            host_add_core(cores, core);
        }
    }
}

bool host_bind_thread(const host_cores *cores)
{
    cpu_set_t sets[SETS];
    CPU_ZERO_S(sizeof sets, sets);
    for (int i = 0; i < HOST_MASK_WORDS; i++) {
        for (int bit = 0; bit < 64 && cores->mask[i] >> bit != 0; bit++) {
            if ((cores->mask[i] >> bit & 1) != 0) {
                CPU_SET_S((size_t)(64 * i + bit), sizeof sets, sets);
            }
        }
    }
    return sched_setaffinity(0, sizeof sets, sets) == 0;
}

/* As the system wants it, which glibc has no name for yet. */
typedef struct slice_request {
    uint32_t bytes;
    uint32_t policy;
    uint64_t flags;
    int32_t nice;
    uint32_t priority;
    uint64_t runtime_ns; /* a share of a core */
    uint64_t deadline_ns;
    uint64_t period_ns;
} slice_request;

static const uint64_t short_slice_ns = 100000;
static const int short_slack_ns = 1000;

/* What a thread had that has got short ones; 0: there was none. */
static _Atomic uint64_t usual_slice_ns = 0;
static atomic_int usual_slack_ns = 0;

static bool get_slice(slice_request *r)
{
    memset(r, 0, sizeof *r);
    return syscall(SYS_sched_getattr, 0, r, (unsigned)sizeof *r, 0U) == 0 &&
           r->policy == SCHED_OTHER && r->runtime_ns != 0;
}

static void set_slice(slice_request *r, uint64_t slice_ns)
{
    r->runtime_ns = slice_ns;
    (void)syscall(SYS_sched_setattr, 0, r, 0U);
}

void host_shorten_slice(void)
{
    slice_request r;
    if (get_slice(&r) && r.runtime_ns != short_slice_ns) {
        atomic_store(&usual_slice_ns, r.runtime_ns);
        set_slice(&r, short_slice_ns);
    }
    const int slack_ns = prctl(PR_GET_TIMERSLACK, 0UL, 0UL, 0UL, 0UL);
    if (slack_ns > short_slack_ns) {
        atomic_store(&usual_slack_ns, slack_ns);
        (void)prctl(PR_SET_TIMERSLACK, (unsigned long)short_slack_ns, 0UL, 0UL, 0UL);
    }
}

void host_restore_slice(void)
{
    slice_request r;
    const uint64_t usual_ns = atomic_load(&usual_slice_ns);
    if (usual_ns != 0 && get_slice(&r)) {
        set_slice(&r, usual_ns);
    }
    const int slack_ns = atomic_load(&usual_slack_ns);
    if (slack_ns != 0) {
        (void)prctl(PR_SET_TIMERSLACK, (unsigned long)slack_ns, 0UL, 0UL, 0UL);
    }
}

int host_this_core(void)
{
    return sched_getcpu();
}

bool host_has_core(const host_cores *cores, int core)
{
    return core >= 0 && core < HOST_MOST_CORES && (cores->mask[core / 64] >> (core % 64) & 1) != 0;
}

void host_add_core(host_cores *cores, int core)
{
    cores->mask[core / 64] |= UINT64_C(1) << (core % 64);
}

int host_count_cores(const host_cores *cores)
{
    int count = 0;
    for (int i = 0; i < HOST_MASK_WORDS; i++) {
        for (uint64_t left = cores->mask[i]; left != 0; left &= left - 1) {
            count++;
        }
    }
    return count;
}

int host_online_cores(void)
{
    const long cores = sysconf(_SC_NPROCESSORS_ONLN);
    return cores > 0 ? (int)cores : 1;
}

/* What the system says of a process, behind its name, which is in brackets and may hold anything;
 * NULL if there is no such process. */
static const char *read_process(int64_t pid, char line[STAT_BYTES])
{
    (void)host_read_file(line, STAT_BYTES, "/proc/%lld/stat", (long long)pid);
    return strrchr(line, ')');
}

/* A field of that, counted as in proc(5), from 4 on; 0 if there is no such process. */
static uint64_t process_field(int64_t pid, int field)
{
    char line[STAT_BYTES];
    const char *at = read_process(pid, line);
    for (int i = 2; at != NULL && i < field; i++) {
        at = strchr(at + 1, ' ');
    }
    uint64_t value = 0;
    if (at != NULL) {
        at++;
        (void)number_take(&at, &value);
    }
    return value;
}

int64_t host_process_session(int64_t pid)
{
    char line[STAT_BYTES];
    const char *at = read_process(pid, line);
    const bool lives = at != NULL && strncmp(at, ") Z", 3) != 0 && strncmp(at, ") X", 3) != 0;
    return lives ? (int64_t)process_field(pid, 6) : 0;
}

uint64_t host_process_start(int64_t pid)
{
    return process_field(pid, 22);
}

int64_t host_process_parent(int64_t pid)
{
    return (int64_t)process_field(pid, 4);
}

void host_this_process(host_process *p)
{
    struct stat space;
    memset(p, 0, sizeof *p);
    (void)host_read_file(p->boot, sizeof p->boot, "/proc/sys/kernel/random/boot_id");
    p->boot[strcspn(p->boot, "\n")] = '\0';
    p->space = stat("/proc/self/ns/pid", &space) == 0 ? space.st_ino : 0;
    p->pid = (int64_t)getpid();
    p->start = host_process_start(p->pid);
}

bool host_process_near(const host_process *a, const host_process *b)
{
    return a->boot[0] != '\0' && strcmp(a->boot, b->boot) == 0 && a->space == b->space;
}

bool host_process_lives(const host_process *p)
{
    const uint64_t start = host_process_start(p->pid);
    if (start != 0 && p->start != 0) {
        return start == p->start;
    }
    /* The system may have no file to spare for a look. */
    return kill((pid_t)p->pid, 0) == 0 || errno != ESRCH;
}

/* What a process's stderr is, by name; "" if that cannot be known. */
static void name_stderr(int64_t pid, char name[HOST_FILE_BYTES])
{
    char path[64];
    (void)snprintf(path, sizeof path, "/proc/%lld/fd/2", (long long)pid);
    const ssize_t length = readlink(path, name, HOST_FILE_BYTES - 1);
    name[length > 0 ? length : 0] = '\0';
}

bool host_on_terminal(void)
{
    if (isatty(STDERR_FILENO)) {
        return true;
    }
    if (getenv("OMPI_COMM_WORLD_RANK") == NULL) {
        return false;
    }
    char mine[HOST_FILE_BYTES];
    char theirs[HOST_FILE_BYTES];
    int64_t pid = (int64_t)getppid();
    name_stderr((int64_t)getpid(), mine);
    name_stderr(pid, theirs);
    /* Between mpirun and this process there may be a shell, with the same pipe. */
    while (theirs[0] != '\0' && strcmp(theirs, mine) == 0) {
        pid = host_process_parent(pid);
        name_stderr(pid, theirs);
    }
    return strncmp(theirs, "/dev/pts/", 9) == 0 || strncmp(theirs, "/dev/tty", 8) == 0;
}

void host_occupy_streams(void)
{
    for (int i = STDIN_FILENO; i <= STDERR_FILENO; i++) {
        if (fcntl(i, F_GETFD) < 0 && errno == EBADF) {
            /* The lowest number that is free is this one. */
            (void)open("/dev/null", i == STDIN_FILENO ? O_WRONLY : O_RDONLY);
        }
    }
}
