/* SPDX-License-Identifier: BSD-3-Clause */
/* Owns the processes that measure. */
#define _GNU_SOURCE 1
#include "launch.h"

#include "base/clock.h"
#include "base/terminal.h"
#include "disturb.h"
#include "ranks.h"

#include <errno.h>
#include <fcntl.h>
#include <omp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum { BRIEF_FACTOR = 3, WORDS_BESIDE = 16, PAUSE_NS = 20000000 };

/* Rows come through a pipe that has a name, since mpirun hands no others on. */
static const char rows_name[] = "rows";

extern char **environ;

static void set_number(const char *name, int value)
{
    char text[16];
    (void)snprintf(text, sizeof text, "%d", value);
    (void)setenv(name, text, 1);
}

/* What mpirun and srun tell the processes that they start. One that is started from there must not
 * take itself for such a process, too. */
static void leave_job(void)
{
    static const char *const of_a_job[] = {
        "PMI_",         "PMIX_",          "OMPI_COMM_WORLD_", "OMPI_UNIVERSE_",
        "OMPI_APP_",    "OMPI_NUM_APP_",  "OMPI_FIRST_RANKS", "OMPI_FILE_LOCATION",
        "OMPI_MCA_ess", "OMPI_MCA_orte_", "OMPI_MCA_pmix",    "OMPI_MCA_initial_wdir"};
    for (size_t i = 0; i < sizeof of_a_job / sizeof of_a_job[0]; i++) {
        for (char **entry = environ; *entry != NULL;) {
            char name[128];
            (void)snprintf(name, sizeof name, "%.*s", (int)strcspn(*entry, "="), *entry);
            if (strncmp(name, of_a_job[i], strlen(of_a_job[i])) == 0 && unsetenv(name) == 0) {
                entry = environ;
            } else {
                entry++;
            }
        }
    }
}

/* What a measurement fixes is set, what would change its sense is taken out, and what it only
 * prefers is left to the user. */
static void set_environment(const job *j)
{
    set_number("WEFT_THREADS", j->workers);
    if (j->sync) {
        (void)unsetenv("WEFT_SYNC");
    } else {
        (void)setenv("WEFT_SYNC", "0", 1);
    }
    if (j->schedule != NULL) {
        (void)setenv("WEFT_SCHEDULE", j->schedule, 1);
    }
    (void)unsetenv("WEFT_OUT");
    (void)unsetenv("WEFT_GRAIN");
    (void)unsetenv("WEFT_FRESH");
    (void)setenv("WEFT_LOG", "error", 0);
    (void)setenv("WEFT_PROGRESS", "never", 0);
    if (getenv("OMPI_COMM_WORLD_RANK") != NULL || getenv("PMIX_RANK") != NULL ||
        getenv("PMI_RANK") != NULL) {
        leave_job();
    }
    if (j->ranks > 1) {
        /* mpirun has nothing to add to what a program says; Open MPI 5 adds it all the same, and
         * knows no --quiet. */
        (void)setenv("OMPI_MCA_orte_execute_quiet", "1", 0);
        /* Ranks that share cores with others; on cores of their own it changes nothing. */
        (void)setenv("OMP_WAIT_POLICY", "passive", 0);
        /* Ranks that have to share cores must not spin there, and others lose by not doing so: what
         * is written by hand gets the setting that suits it. */
        (void)setenv("OMPI_MCA_mpi_yield_when_idle",
                     j->ranks * j->workers > omp_get_num_procs() ? "1" : "0", 0);
    }
}

/* The first words of the command line: mpirun's. How many. */
static int put_mpirun(char **words, const job *j, char ranks[16])
{
    static char mpirun[] = "mpirun", oversubscribe[] = "--oversubscribe", bind[] = "--bind-to",
                none[] = "none", root[] = "--allow-run-as-root", np[] = "-np";
    int count = 0;
    words[count++] = mpirun;
    words[count++] = oversubscribe;
    words[count++] = bind;
    words[count++] = none;
    if (geteuid() == 0) {
        words[count++] = root;
    }
    (void)snprintf(ranks, 16, "%d", j->ranks);
    words[count++] = np;
    words[count++] = ranks;
    return count;
}

/* Becomes the same program again, or mpirun of it; returns only on failure. */
static void execute(const request *wish, const job *j, int number)
{
    static char child[] = "--child", pipe[] = "--pipe", rows[] = "rows";
    char **words = calloc((size_t)wish->argc + WORDS_BESIDE, sizeof *words);
    char self[4096], ranks[16], which[16];
    const ssize_t length = readlink("/proc/self/exe", self, sizeof self - 1);
    int count = 0;
    if (words == NULL || length < 0) {
        return;
    }
    self[length] = '\0';
    if (j->ranks > 1) {
        count = put_mpirun(words, j, ranks);
    }
    words[count++] = self;
    for (int i = 1; i < wish->argc; i++) {
        words[count++] = wish->argv[i];
    }
    (void)snprintf(which, sizeof which, "%d", number);
    words[count++] = child;
    words[count++] = which;
    words[count++] = pipe;
    words[count++] = rows;
    set_environment(j);
    /* However this program ends, nothing that it has started goes on. */
    (void)prctl(PR_SET_PDEATHSIG, SIGTERM);
    if (j->ranks > 1) {
        (void)execvp(words[0], words);
        (void)execv(WEFT_BENCH_MPIRUN, words);
    } else {
        (void)execv(self, words);
    }
    free(words);
}

static void read_rows(int pipe, table *t)
{
    row line;
    while (read(pipe, &line, sizeof line) == (ssize_t)sizeof line) {
        table_add(t, &line);
    }
}

/* Waits for the end of it, and gives the status. */
static int attend(pid_t child, int pipe, table *t, const volatile sig_atomic_t *interrupted)
{
    int status = -1;
    bool told = false;
    for (;;) {
        const pid_t ended = waitpid(child, &status, WNOHANG);
        read_rows(pipe, t);
        if (ended == child || (ended < 0 && errno != EINTR)) {
            return status;
        }
        if (*interrupted && !told) {
            told = kill(child, SIGTERM) == 0;
        }
        clock_sleep_ns(PAUSE_NS);
    }
}

bool launch_job(const request *wish, const job *j, int number, table *t,
                const volatile sig_atomic_t *interrupted)
{
    int status = -1;
    (void)unlink(rows_name);
    const int pipe =
        mkfifo(rows_name, 0600) == 0 ? open(rows_name, O_RDONLY | O_NONBLOCK | O_CLOEXEC) : -1;
    if (pipe < 0) {
        perror("weft-bench: a pipe");
        return false;
    }
    const pid_t child = fork();
    if (child == 0) {
        execute(wish, j, number);
        perror("weft-bench: cannot start");
        _exit(1);
    }
    if (child > 0) {
        status = attend(child, pipe, t, interrupted);
    } else {
        perror("weft-bench: fork");
    }
    (void)close(pipe);
    return child > 0 && WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

static weft_status measure_job(bench *b, const request *wish, const job *j)
{
    b->rank = weft_session_rank(b->session);
    b->ranks = weft_session_ranks(b->session);
    b->workers = weft_session_workers(b->session);
    b->cores = omp_get_num_procs();
    b->slow_rank = wish->slow_rank < 0 ? b->ranks - 1 : wish->slow_rank;
    if (b->rank == 0 && (b->pipe = open(wish->pipe, O_WRONLY | O_CLOEXEC)) < 0) {
        return weft_agree(b->session, measure_system_error(b, wish->pipe));
    }
    const weft_status status = weft_agree(b->session, WEFT_OK);
    return status == WEFT_OK ? j->measure(b) : status;
}

int launch_measure(const request *wish, const job *j)
{
    char name[] = "weft-bench";
    char *arguments[] = {name, NULL};
    char **argv = arguments;
    int argc = 1;
    bench b = {.repeat = wish->repeat * (j->brief ? BRIEF_FACTOR : 1),
               .scale = wish->scale,
               .sync = j->sync,
               .workload = j->workload,
               .techniques = wish->techniques,
               .trouble = j->trouble,
               .seed = (uint64_t)wish->seed,
               .pipe = -1};
    disturber *d = j->trouble == TROUBLE_NONE ? NULL : disturber_create();
    b.disturber = d;
    if ((j->trouble != TROUBLE_NONE && d == NULL) || !ranks_start(&argc, &argv)) {
        terminal_print("weft-bench: ", "a rank cannot start");
        return 1;
    }
    weft_status status = weft_init(&argc, &argv, NULL, &b.session);
    if (status == WEFT_OK) {
        status = measure_job(&b, wish, j);
    }
    const int ending = weft_finish(b.session, status);
    if (b.pipe >= 0) {
        (void)close(b.pipe);
    }
    ranks_end();
    disturber_destroy(d);
    return ending;
}
