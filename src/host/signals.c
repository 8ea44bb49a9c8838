/* SPDX-License-Identifier: BSD-3-Clause */
/* The signals that ask a run to stop, and those that must not end it. */
#include "host/signals.h"

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stddef.h>
#include <unistd.h>
#include <weft/status.h>

/* Whether weft's handler takes the place of what it finds. */
typedef enum taken {
    SIGNAL_ALWAYS,
    SIGNAL_UNLESS_IGNORED,
    SIGNAL_IF_DEFAULT,
} taken;

/* Those that ask a run to stop, and those of a write that fails, which says so itself. A program
 * under nohup has SIGHUP ignored, and that is left so. */
static const struct {
    int number;
    taken taken;
    const char *name;
} rows[] = {
    {SIGTERM, SIGNAL_ALWAYS, "SIGTERM"}, /* a batch system, mpirun or a person; a kill may follow */
    {SIGINT, SIGNAL_ALWAYS, "SIGINT"},   /* Ctrl-C; a second one ends the process at once */
    {SIGHUP, SIGNAL_UNLESS_IGNORED, "SIGHUP"},   /* the terminal, or the connection, is gone */
    {SIGXCPU, SIGNAL_UNLESS_IGNORED, "SIGXCPU"}, /* the soft limit on CPU time, `ulimit -St` */
    {SIGUSR1, SIGNAL_ALWAYS, "SIGUSR1"}, /* the early warning of a batch system: there is time */
    {SIGUSR2, SIGNAL_ALWAYS,
     "SIGUSR2"}, /* SIGTERM for ranks under mpirun, which only passes this on */
    {SIGPIPE, SIGNAL_IF_DEFAULT, "SIGPIPE"}, /* the reader of a pipe or socket is gone */
    {SIGXFSZ, SIGNAL_IF_DEFAULT, "SIGXFSZ"}, /* the file would be larger than `ulimit -f` allows */
};

enum { ROWS = sizeof rows / sizeof rows[0] };

/* Who had the signals before the session, and before the run. */
typedef enum level { LEVEL_SESSION, LEVEL_RUN, LEVELS } level;
static struct sigaction before[LEVELS][ROWS];

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static int watches = 0; /* runs that are under way; under the mutex */

static bool in_session = false;
static atomic_int seen = 0;
static atomic_int interrupts = 0;
static void (*_Atomic told)(void);

/* Before the session's end; then it is the status with which a signal ends the process. */
enum { NOT_OVER = -1 };
static atomic_int status_if_over = NOT_OVER;

static void on_stop(int number)
{
    if (number == SIGINT && atomic_fetch_add(&interrupts, 1) > 0) {
        _exit(128 + SIGINT);
    }
    const int status = atomic_load(&status_if_over);
    if (atomic_exchange(&seen, number) == 0 && status != NOT_OVER) {
        _exit(status);
    }
    void (*const hook)(void) = atomic_load(&told);
    if (hook != NULL) {
        hook();
    }
}

/* Other than SIG_IGN, a handler is not handed on to programs that are started from here. */
static void on_quiet(int number)
{
    (void)number;
}

static bool is_mine(const struct sigaction *action)
{
    return action->sa_handler == on_stop || action->sa_handler == on_quiet;
}

static bool is_to_be_taken(taken how, const struct sigaction *found)
{
    return !is_mine(found) && (how == SIGNAL_ALWAYS || found->sa_handler == SIG_DFL ||
                               (how == SIGNAL_UNLESS_IGNORED && found->sa_handler != SIG_IGN));
}

static void take(level of)
{
    for (size_t i = 0; i < ROWS; i++) {
        struct sigaction action = {.sa_flags = SA_RESTART};
        action.sa_handler = rows[i].taken == SIGNAL_IF_DEFAULT ? on_quiet : on_stop;
        (void)sigemptyset(&action.sa_mask);
        (void)sigaction(rows[i].number, NULL, &before[of][i]);
        if (is_to_be_taken(rows[i].taken, &before[of][i])) {
            (void)sigaction(rows[i].number, &action, NULL);
        }
    }
}

/* A handler that was installed in the meantime stays. */
static void put_back(level of, size_t i)
{
    struct sigaction now;
    if (sigaction(rows[i].number, NULL, &now) == 0 && is_mine(&now)) {
        (void)sigaction(rows[i].number, &before[of][i], NULL);
    }
}

void signals_begin(void)
{
    atomic_store(&seen, 0);
    atomic_store(&interrupts, 0);
    atomic_store(&status_if_over, NOT_OVER);
    take(LEVEL_SESSION);
    in_session = true;
}

void signals_take_back(void)
{
    take(LEVEL_RUN);
}

void signals_watch(void)
{
    (void)pthread_mutex_lock(&mutex);
    if (watches++ == 0) {
        take(LEVEL_RUN);
    }
    (void)pthread_mutex_unlock(&mutex);
}

void signals_unwatch(void)
{
    (void)pthread_mutex_lock(&mutex);
    if (--watches == 0) {
        for (size_t i = 0; i < ROWS; i++) {
            put_back(LEVEL_RUN, i);
        }
    }
    (void)pthread_mutex_unlock(&mutex);
}

void signals_end(int exit_status)
{
    const bool complete = exit_status == weft_status_exit(WEFT_OK) ||
                          exit_status == weft_status_exit(WEFT_ITEMS_FAILED);
    if (!in_session) {
        return;
    }
    in_session = false;
    atomic_store(&status_if_over, complete ? weft_status_exit(WEFT_STOPPED) : exit_status);
    for (size_t i = 0; i < ROWS; i++) {
        if (rows[i].taken == SIGNAL_IF_DEFAULT || before[LEVEL_SESSION][i].sa_handler != SIG_DFL) {
            put_back(LEVEL_SESSION, i);
        }
    }
}

int signals_seen(void)
{
    return atomic_load(&seen);
}

void signals_tell(void (*hook)(void))
{
    atomic_store(&told, hook);
}

static void pass_on(int number)
{
    (void)kill(getppid(), number);
}

void signals_leave_to_parent(void)
{
    for (size_t i = 0; i < ROWS; i++) {
        struct sigaction action = {.sa_flags = SA_RESTART};
        action.sa_handler = rows[i].number == SIGXCPU ? pass_on : on_quiet;
        (void)sigemptyset(&action.sa_mask);
        (void)sigaction(rows[i].number, &action, NULL);
    }
}

const char *signals_name(int number)
{
    for (size_t i = 0; i < ROWS; i++) {
        if (rows[i].number == number) {
            return rows[i].name;
        }
    }
    return "a signal";
}
