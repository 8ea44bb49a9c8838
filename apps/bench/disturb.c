/* SPDX-License-Identifier: BSD-3-Clause */
/* Owns the process that disturbs another. */
#define _GNU_SOURCE 1
#include "disturb.h"

#include "base/clock.h"

#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

enum { STOPPED_MS = 50, GOING_MS = 50, CORES_MOST = CPU_SETSIZE };

struct disturber {
    int line; /* to the process, and back */
    pid_t process;
};

typedef struct order {
    trouble kind;
    cpu_set_t cores; /* of the one to disturb */
} order;

static volatile sig_atomic_t spun;

/* Waits for the next order for some time; -1: as long as it takes. False: none has come. */
static bool await_order(int line, int ms, order *o)
{
    struct pollfd ready = {.fd = line, .events = POLLIN};
    if (poll(&ready, 1, ms) <= 0) {
        return false;
    }
    /* The other one has gone, and so there is nothing left to do. */
    if (read(line, o, sizeof *o) != (ssize_t)sizeof *o) {
        _exit(0);
    }
    return true;
}

/* Only ever the process that has started this one, as long as it is there. */
static void signal_other(pid_t other, int number)
{
    if (getppid() == other) {
        (void)kill(other, number);
    }
}

static void stop_again_and_again(int line, pid_t other, order *o)
{
    do {
        signal_other(other, SIGSTOP);
        clock_sleep_ns(STOPPED_MS * 1000000L);
        signal_other(other, SIGCONT);
    } while (!await_order(line, GOING_MS, o));
}

static void spin_on(size_t core)
{
    cpu_set_t only;
    CPU_ZERO(&only);
    CPU_SET(core, &only);
    (void)sched_setaffinity(0, sizeof only, &only);
    while (true) {
        spun = !spun;
    }
}

/* A process per core, since each of them has to compete. */
static void spin_until_told(int line, order *o)
{
    static pid_t spinners[CORES_MOST];
    int count = 0;
    for (size_t core = 0; core < CORES_MOST; core++) {
        if (!CPU_ISSET(core, &o->cores)) {
            continue;
        }
        const pid_t spinner = fork();
        if (spinner == 0) {
            (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
            (void)close(line);
            spin_on(core);
        }
        if (spinner > 0) {
            spinners[count++] = spinner;
        }
    }
    while (!await_order(line, -1, o)) {
        ;
    }
    for (int i = 0; i < count; i++) {
        (void)kill(spinners[i], SIGKILL);
        (void)waitpid(spinners[i], NULL, 0);
    }
}

static void follow_orders(int line, pid_t other)
{
    order o;
    /* A stopped process must be let go, whatever ends the program. */
    (void)signal(SIGINT, SIG_IGN);
    (void)signal(SIGTERM, SIG_IGN);
    (void)signal(SIGHUP, SIG_IGN);
    for (;;) {
        while (!await_order(line, -1, &o)) {
            ;
        }
        if (o.kind == TROUBLE_STOP) {
            stop_again_and_again(line, other, &o);
        } else if (o.kind == TROUBLE_SPIN) {
            spin_until_told(line, &o);
        }
        if (write(line, &o.kind, sizeof o.kind) < 0) {
            _exit(1);
        }
    }
}

disturber *disturber_create(void)
{
    int ends[2] = {-1, -1};
    const pid_t self = getpid();
    disturber *d = malloc(sizeof *d);
    if (d == NULL || socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0) {
        free(d);
        return NULL;
    }
    d->line = ends[0];
    d->process = fork();
    if (d->process == 0) {
        (void)close(ends[0]);
        follow_orders(ends[1], self);
    }
    (void)close(ends[1]);
    if (d->process < 0) {
        (void)close(d->line);
        free(d);
        d = NULL;
    }
    return d;
}

void disturber_pin(int rank, int ranks)
{
    cpu_set_t all, mine;
    CPU_ZERO(&mine);
    if (sched_getaffinity(0, sizeof all, &all) != 0) {
        return;
    }
    const int cores = CPU_COUNT(&all);
    const int first = ranks <= cores ? rank * cores / ranks : rank % cores;
    const int end = ranks <= cores ? (rank + 1) * cores / ranks : first + 1;
    int seen = 0;
    for (size_t core = 0; core < CORES_MOST; core++) {
        if (!CPU_ISSET(core, &all)) {
            continue;
        }
        if (seen >= first && seen < end) {
            CPU_SET(core, &mine);
        }
        seen++;
    }
    (void)sched_setaffinity(0, sizeof mine, &mine);
}

void disturber_begin(const disturber *d, trouble kind)
{
    order o = {.kind = kind};
    (void)sched_getaffinity(0, sizeof o.cores, &o.cores);
    (void)send(d->line, &o, sizeof o, MSG_NOSIGNAL);
}

void disturber_end(const disturber *d)
{
    const order o = {.kind = TROUBLE_NONE};
    trouble ceased;
    if (send(d->line, &o, sizeof o, MSG_NOSIGNAL) > 0) {
        (void)recv(d->line, &ceased, sizeof ceased, 0);
    }
}

void disturber_destroy(disturber *d)
{
    if (d == NULL) {
        return;
    }
    (void)close(d->line);
    (void)waitpid(d->process, NULL, 0);
    free(d);
}
