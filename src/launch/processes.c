/* SPDX-License-Identifier: BSD-3-Clause */
/* The processes of a run on this host. */
#include "launch/processes.h"

#include "base/number.h"
#include "host/host.h"
#include "host/outcome_file.h"
#include "host/process.h"
#include "launch/entries.h"

#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <unistd.h>

/* A process that forks while it is looked for may be missed the first time. */
enum { ROUNDS = 5 };

typedef struct wanted {
    pid_t session;        /* 0: any */
    const char *variable; /* in the environment; NULL: any, … */
    const char *value;    /* … and of any value */
    int number;           /* of the signal that they get; 0: none */
    int count;
} wanted;

static bool is_wanted(const wanted *w, const char *name, int *pid)
{
    if (!number_read_count(name, 1, pid) || *pid == (int)getpid()) {
        return false;
    }
    const int64_t session = host_process_session(*pid);
    if (session == 0 && w->session != 0) {
        return false;
    }
    return (w->session == 0 || session == (int64_t)w->session) &&
           (w->variable == NULL || process_started_with(*pid, w->variable, w->value));
}

static void signal_one(int folder, const char *name, void *context)
{
    wanted *w = context;
    int pid = 0;
    (void)folder;
    if (is_wanted(w, name, &pid)) {
        w->count++;
        (void)kill(pid, w->number);
    }
}

static int signal_all(wanted *w)
{
    entries_visit(AT_FDCWD, "/proc", signal_one, w);
    return w->count;
}

int processes_of_session(pid_t session, int number)
{
    wanted w = {.session = session, .number = number};
    return signal_all(&w);
}

int processes_ranks_of_session(pid_t session, int number)
{
    wanted w = {.session = session, .variable = "OMPI_COMM_WORLD_RANK", .number = number};
    return signal_all(&w);
}

void processes_end_run(const char *done_file)
{
    int count = 1;
    for (int i = 0; i < ROUNDS && count > 0; i++) {
        wanted w = {.variable = OUTCOME_VARIABLE, .value = done_file, .number = SIGKILL};
        count = signal_all(&w);
    }
}
