/* SPDX-License-Identifier: BSD-3-Clause */
/* The processes of a run on this host. */
#include "launch/processes.h"

#include "base/number.h"
#include "host/host.h"
#include "host/outcome_file.h"
#include "launch/entries.h"

#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* A process that forks while it is looked for may be missed the first time. */
enum { ROUNDS = 5 };

typedef struct wanted {
    pid_t session;        /* 0: any */
    const char *variable; /* in the environment, or its beginning; NULL: any */
    bool whole;
    int number; /* of the signal that they get; 0: none */
    int count;
} wanted;

static bool matches(const wanted *w, const char *entry)
{
    return w->whole ? strcmp(entry, w->variable) == 0
                    : strncmp(entry, w->variable, strlen(w->variable)) == 0;
}

/* A process that may not be looked into is none of the run's. */
static bool has_variable(const wanted *w, const char *pid)
{
    char path[64];
    char *entry = NULL;
    size_t room = 0;
    bool found = false;
    (void)snprintf(path, sizeof path, "/proc/%.20s/environ", pid);
    FILE *file = fopen(path, "re");
    while (file != NULL && !found && getdelim(&entry, &room, '\0', file) > 0) {
        found = matches(w, entry);
    }
    if (file != NULL) {
        (void)fclose(file);
    }
    free(entry);
    return found;
}

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
           (w->variable == NULL || has_variable(w, name));
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
    wanted w = {.session = session, .variable = "OMPI_COMM_WORLD_RANK=", .number = number};
    return signal_all(&w);
}

int processes_of_run(const char *done_file, int number)
{
    const size_t bytes = strlen(done_file) + sizeof OUTCOME_VARIABLE + 1;
    char *variable = malloc(bytes);
    if (variable == NULL) {
        return 0;
    }
    (void)snprintf(variable, bytes, "%s=%s", OUTCOME_VARIABLE, done_file);
    wanted w = {.variable = variable, .whole = true, .number = number};
    const int count = signal_all(&w);
    free(variable);
    return count;
}

void processes_end_run(const char *done_file)
{
    for (int i = 0; i < ROUNDS && processes_of_run(done_file, SIGKILL) > 0; i++) {
    }
}
