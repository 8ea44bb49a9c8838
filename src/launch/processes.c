/* SPDX-License-Identifier: BSD-3-Clause */
/* The processes of a run on this host. */
#include "launch/processes.h"

#include "base/number.h"
#include "host/host.h"
#include "host/outcome_file.h"
#include "host/process.h"

#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

/* A process that forks while it is looked for may be missed the first time. */
enum { ROUNDS = 5 };

typedef struct wanted {
    pid_t session;
    const char *variable;
    const char *value;
    int number;
    int count;
} wanted;

static void signal_one(int folder, const char *name, void *context)
{
    wanted *w = context;
    int pid = 0;
    (void)folder;
    if (number_read_count(name, 1, &pid) && pid != (int)getpid() &&
        (w->session == 0 || host_process_session(pid) == (int64_t)w->session) &&
        (w->variable == NULL || process_started_with(pid, w->variable, w->value))) {
        w->count++;
        (void)kill(pid, w->number);
    }
}

int processes_signal(pid_t session, const char *variable, const char *value, int number)
{
    wanted w = {.session = session, .variable = variable, .value = value, .number = number};
    host_visit_folder(AT_FDCWD, "/proc", signal_one, &w);
    return w.count;
}

void processes_end_run(const char *done_file)
{
    int count = 1;
    for (int i = 0; i < ROUNDS && count > 0; i++) {
        count = processes_signal(0, OUTCOME_VARIABLE, done_file, SIGKILL);
    }
}
