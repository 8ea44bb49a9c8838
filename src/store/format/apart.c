/* SPDX-License-Identifier: BSD-3-Clause */
/* Work that may crash, hang or eat memory, done in a process of its own. */
#define _GNU_SOURCE 1
#include "store/format/apart.h"

#include "base/clock.h"
#include "base/number.h"
#include "base/sanitized.h"
#include "host/host.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

/* What is done here takes milliseconds, unless something is wrong, or the disk slow. A sanitizer's
 * locks do not know fork(): a child that is made while another thread begins or ends may stand
 * still for ever, and another one is tried. */
enum {
    CPU_LIMIT_S = 3,
    TRIES = SANITIZED_MEMORY ? 4 : 1,
    WAIT_LIMIT_S = 120 / TRIES,
    LOOK_MS = 100,
    MORE_MEMORY_BYTES = 256 << 20
};

static pthread_mutex_t in_use = PTHREAD_MUTEX_INITIALIZER;

void apart_hold(void)
{
    (void)pthread_mutex_lock(&in_use);
}

void apart_release(void)
{
    (void)pthread_mutex_unlock(&in_use);
}

/* Lowers a limit that has been read; false if it is low enough. */
static bool lower(struct rlimit *limit, rlim_t most)
{
    const bool higher = limit->rlim_cur > most;
    limit->rlim_cur = higher ? most : limit->rlim_cur;
    return higher;
}

/* What a resource is differs in type with the C library, so that no variable has it. */
#define SET_LIMIT(RESOURCE, MOST)                                      \
    do {                                                               \
        struct rlimit limit;                                           \
        if (getrlimit(RESOURCE, &limit) == 0 && lower(&limit, MOST)) { \
            (void)setrlimit(RESOURCE, &limit);                         \
        }                                                              \
    } while (false)

/* The bytes of addresses that this process has now; 0: not known. */
static rlim_t address_space(void)
{
    char text[64];
    const char *at = text;
    uint64_t pages = 0;
    (void)host_read_file(text, sizeof text, "/proc/self/statm");
    (void)number_take(&at, &pages);
    return (rlim_t)pages * (rlim_t)sysconf(_SC_PAGESIZE);
}

/* It ends by its faults, without a word and without a core file; inherited handlers would speak for
 * the wrong process. */
static void lie_low(void)
{
    static const int faults[] = {SIGSEGV, SIGBUS, SIGABRT, SIGFPE,
                                 SIGILL,  SIGSYS, SIGTRAP, SIGXCPU};
    const struct sigaction action = {.sa_handler = SIG_DFL};
    sigset_t set;
    (void)sigemptyset(&set);
    for (size_t i = 0; i < sizeof faults / sizeof faults[0]; i++) {
        (void)sigaction(faults[i], &action, NULL);
        (void)sigaddset(&set, faults[i]);
    }
    (void)sigprocmask(SIG_UNBLOCK, &set, NULL);
    const int nowhere = open("/dev/null", O_WRONLY | O_CLOEXEC);
    if (nowhere >= 0) {
        (void)dup2(nowhere, STDERR_FILENO);
    }
    SET_LIMIT(RLIMIT_CORE, 0);
    SET_LIMIT(RLIMIT_CPU, CPU_LIMIT_S);
    const rlim_t used = address_space();
    /* A sanitizer's own memory is beyond any limit. */
    if (!SANITIZED_MEMORY && used > 0) {
        SET_LIMIT(RLIMIT_AS, used + MORE_MEMORY_BYTES);
    }
}

static _Noreturn void be_child(apart_fn f, void *context, void *answer, size_t bytes, int out,
                               pid_t parent)
{
    (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent) {
        _exit(1);
    }
    lie_low();
    f(answer, context);
    const char *from = answer;
    while (bytes > 0) {
        const ssize_t written = write(out, from, bytes);
        if (written <= 0 && errno != EINTR) {
            _exit(1);
        }
        from += written > 0 ? written : 0;
        bytes -= written > 0 ? (size_t)written : 0;
    }
    _exit(0);
}

/* What is known of a child, whose end may be another's to hear of. */
typedef struct child {
    pid_t pid;
    int in;
    bool ended;
    int status; /* -1: not known */
} child;

/* False: it goes on. */
static bool has_ended(child *c, int flags)
{
    if (!c->ended) {
        pid_t ended = -1;
        do {
            ended = waitpid(c->pid, &c->status, flags);
        } while (ended < 0 && errno == EINTR);
        c->ended = ended != 0;
        c->status = ended < 0 ? -1 : c->status;
    }
    return c->ended;
}

typedef enum outcome { ANSWERED, ENDED, OVERDUE } outcome;

/* Reads the answer. The child may end without one, which another process that has inherited the
 * pipe would hide: so the child is looked for as well, and what it wrote before it ended is read.
 */
static outcome read_answer(child *c, char *to, size_t bytes)
{
    const int64_t limit_ns = clock_now_ns() + WAIT_LIMIT_S * INT64_C(1000000000);
    while (bytes > 0) {
        struct pollfd ready = {.fd = c->in, .events = POLLIN};
        const bool over = has_ended(c, WNOHANG);
        if (poll(&ready, 1, over ? 0 : LOOK_MS) > 0) {
            const ssize_t got = read(c->in, to, bytes);
            if (got == 0 || (got < 0 && errno != EINTR)) {
                return ENDED;
            }
            to += got > 0 ? got : 0;
            bytes -= got > 0 ? (size_t)got : 0;
        } else if (over) {
            return ENDED;
        } else if (clock_now_ns() > limit_ns) {
            return OVERDUE;
        }
    }
    return ANSWERED;
}

/* Says how it ended without an answer. The system kills what it has no memory for. */
static apart_end describe(outcome end, const child *c, char what[APART_TEXT_BYTES])
{
    const int number = c->status != -1 && WIFSIGNALED(c->status) ? WTERMSIG(c->status) : 0;
    if (end == OVERDUE) {
        (void)snprintf(what, APART_TEXT_BYTES, "gave no answer in %d s", WAIT_LIMIT_S);
    } else if (number == SIGXCPU) {
        (void)snprintf(what, APART_TEXT_BYTES, "computed for more than %d s", CPU_LIMIT_S);
    } else if (number == SIGKILL) {
        (void)snprintf(what, APART_TEXT_BYTES, "was killed");
    } else if (number != 0) {
        (void)snprintf(what, APART_TEXT_BYTES, "crashed (%s)", strsignal(number));
    } else {
        (void)snprintf(what, APART_TEXT_BYTES, "ended its process");
    }
    return end == OVERDUE || number == SIGKILL ? APART_CUT_SHORT : APART_FAILED;
}

/* One that does not even die of SIGKILL, since a disk holds it, is left to itself. */
static void end_child(child *c, outcome end)
{
    if (end == OVERDUE) {
        (void)kill(c->pid, SIGKILL);
        (void)has_ended(c, WNOHANG);
    } else {
        (void)has_ended(c, 0);
    }
    (void)close(c->in);
}

static apart_end try_apart(apart_fn f, void *context, void *answer, size_t bytes,
                           char what[APART_TEXT_BYTES])
{
    int ends[2] = {-1, -1};
    const pid_t parent = getpid();
    if (pipe2(ends, O_CLOEXEC) != 0) {
        f(answer, context);
        return APART_ANSWERED;
    }
    apart_hold();
    const pid_t pid = fork();
    apart_release();
    if (pid == 0) {
        be_child(f, context, answer, bytes, ends[1], parent);
    }
    (void)close(ends[1]);
    if (pid < 0) {
        (void)close(ends[0]);
        f(answer, context);
        return APART_ANSWERED;
    }
    child c = {.pid = pid, .in = ends[0], .status = -1};
    const outcome end = read_answer(&c, answer, bytes);
    end_child(&c, end);
    return end == ANSWERED ? APART_ANSWERED : describe(end, &c, what);
}

apart_end apart_call(apart_fn f, void *context, void *answer, size_t bytes,
                     char what[APART_TEXT_BYTES])
{
    apart_end end = try_apart(f, context, answer, bytes, what);
    for (int i = 1; i < TRIES && end == APART_CUT_SHORT; i++) {
        end = try_apart(f, context, answer, bytes, what);
    }
    return end;
}
