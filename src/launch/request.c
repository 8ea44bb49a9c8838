/* SPDX-License-Identifier: BSD-3-Clause */
/* What the launcher is asked for: its command line. */
#include "launch/request.h"

#include "base/number.h"
#include "base/suggestion.h"
#include "launch/message.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <weft/version.h>

static const char help[] =
    "usage: weft run [OPTION...] [--] PROGRAM [ARGUMENT...]\n"
    "\n"
    "Runs a program built on weft under mpirun, with the options that the Open MPI here needs for\n"
    "a run that outlives lost ranks and hosts, and ends with the program's own exit status.\n"
    "weft-run is the same.\n"
    "\n"
    "  -n, --ranks N       ranks, spread evenly over the hosts\n"
    "                      (default: one per host; in a Slurm job that asked for tasks, those)\n"
    "  -t, --threads N     workers per rank, as WEFT_THREADS; the program's own --threads wins\n"
    "                      (default: the cores of the host, shared by its ranks;\n"
    "                      in a Slurm job --cpus-per-task, or the CPUs that it has there)\n"
    "  --hosts A,B:16,...  the hosts to run on, with the number of their cores where it is known\n"
    "                      (default: this one, or those of the Slurm job)\n"
    "  --hostfile FILE     the same, a host per line; \"A slots=16\" gives the cores\n"
    "  --rsh COMMAND       the remote shell (default: ssh; in a Slurm job srun)\n"
    "  --done-dir DIR      a folder that all hosts see, for word of how the program ends\n"
    "                      (default: that of the program's --out, or the current one)\n"
    "  --grace SECONDS     how long mpirun has to end by itself when the program has ended\n"
    "                      (default: 4); after the loss of a host it hangs\n"
    "  --stdin             let rank 0 read the standard input; else programs read nothing\n"
    "  --mca NAME VALUE    passed on to mpirun; may be repeated\n"
    "  --mpirun-options \"OPTION...\"   the same, for any other option of mpirun\n"
    "  --dry-run           print the mpirun line, and run nothing\n"
    "  --log LEVEL         error, warning, info (default) or debug: the mpirun line, and what\n"
    "                      mpirun and weft run do\n"
    "  -v, --verbose       the same as --log debug\n"
    "  -q, --quiet         the same as --log warning\n"
    "  --version           which version of weft this is\n"
    "  -h, --help          this text\n"
    "\n"
    "Signals: USR1 is passed on, and so are INT, TERM, HUP and XCPU, as USR2, for which ranks "
    "have\n"
    "little time: they stop in good order, and the exit status is 75. A second INT ends "
    "everything\n"
    "at once.\n"
    "\n"
    "Exit status: the program's (0 complete, 1 error, 2 wrong usage, 3 complete but some items\n"
    "failed, 75 stopped early: run the same command again), or mpirun's if the program never "
    "began;\n"
    "1 if no word came of how it ended, 2 for wrong usage of weft run, 75 if what runs it, or all\n"
    "ranks, were killed, 127 if there is no such program, 130 after a second INT.\n";

typedef enum kind {
    RANKS,
    WORKERS,
    HOST_LIST,
    HOST_FILE,
    REMOTE_SHELL,
    DONE_FOLDER,
    GRACE,
    MPIRUN_OPTIONS,
    LEVEL,
    MCA,
    STDIN,
    DRY_RUN,
    VERBOSE,
    QUIET,
    VERSION,
    HELP
} kind;

typedef struct option_row {
    const char *name;
    kind kind;
    int arguments;
} option_row;

const char *request_help(void)
{
    return help;
}

static const option_row rows[] = {
    {"-n", RANKS, 1},
    {"-np", RANKS, 1},
    {"--ranks", RANKS, 1},
    {"-t", WORKERS, 1},
    {"--threads", WORKERS, 1},
    {"--hosts", HOST_LIST, 1},
    {"--hostfile", HOST_FILE, 1},
    {"--rsh", REMOTE_SHELL, 1},
    {"--done-dir", DONE_FOLDER, 1},
    {"--grace", GRACE, 1},
    {"--mpirun-options", MPIRUN_OPTIONS, 1},
    {"--log", LEVEL, 1},
    {"--mca", MCA, 2},
    {"--stdin", STDIN, 0},
    {"--dry-run", DRY_RUN, 0},
    {"-v", VERBOSE, 0},
    {"--verbose", VERBOSE, 0},
    {"-q", QUIET, 0},
    {"--quiet", QUIET, 0},
    {"--version", VERSION, 0},
    {"-h", HELP, 0},
    {"--help", HELP, 0},
};

enum { ROWS = sizeof rows / sizeof rows[0] };

static const option_row *find_option(const char *word, size_t length)
{
    for (int i = 0; i < ROWS; i++) {
        if (strlen(rows[i].name) == length && strncmp(rows[i].name, word, length) == 0) {
            return &rows[i];
        }
    }
    return NULL;
}

static int wrong_usage(const char *what, const char *word, const char *more)
{
    return message_fail(2, "%s%s%s; weft run --help says more", what, word, more);
}

static int take_number(const char *name, const char *value, int *number)
{
    if (!number_read_count(value, 1, number)) {
        char *what = words_text("%s: '%s' is not a whole number of at least 1", name, value);
        const int status = wrong_usage(what, "", "");
        free(what);
        return status;
    }
    return REQUEST_GO_ON;
}

static int take_level(const char *value)
{
    log_level level = LOG_INFO;
    if (!log_find_level(value, &level)) {
        return wrong_usage("--log: there is no level '", value, "'");
    }
    log_set(level, -1);
    return REQUEST_GO_ON;
}

static void take_mca(request *r, char *const value[])
{
    words_add(&r->options, "--mca");
    words_add(&r->options, "%s", value[0]);
    words_add(&r->options, "%s", value[1]);
}

static int take_flag(request *r, kind flag)
{
    if (flag == HELP) {
        (void)fputs(help, stdout);
        return fflush(stdout) == 0 ? 0 : 1;
    }
    if (flag == VERSION) {
        (void)printf("weft %s\n", WEFT_VERSION);
        return fflush(stdout) == 0 ? 0 : 1;
    }
    if (flag == VERBOSE || flag == QUIET) {
        log_set(flag == VERBOSE ? LOG_DEBUG : LOG_WARNING, -1);
    }
    r->takes_stdin = r->takes_stdin || flag == STDIN;
    r->dry_run = r->dry_run || flag == DRY_RUN;
    return REQUEST_GO_ON;
}

/* An option with its arguments, which begin at `value`. */
static int take(request *r, const option_row *option, char *const value[])
{
    if (option->arguments == 1 && option->kind != MPIRUN_OPTIONS && value[0][0] == '\0') {
        return wrong_usage(option->name, "", ": its value is empty");
    }
    switch (option->kind) {
    case RANKS:
        return take_number(option->name, value[0], &r->ranks);
    case WORKERS:
        return take_number(option->name, value[0], &r->workers);
    case GRACE:
        return take_number(option->name, value[0], &r->grace_s);
    case LEVEL:
        return take_level(value[0]);
    case HOST_LIST:
        r->host_list = value[0];
        return REQUEST_GO_ON;
    case HOST_FILE:
        r->host_file = value[0];
        return REQUEST_GO_ON;
    case REMOTE_SHELL:
        r->remote_shell = value[0];
        return REQUEST_GO_ON;
    case DONE_FOLDER:
        r->done_folder = value[0];
        return REQUEST_GO_ON;
    case MPIRUN_OPTIONS:
        words_split(&r->options, value[0]);
        return REQUEST_GO_ON;
    case MCA:
        take_mca(r, value);
        return REQUEST_GO_ON;
    case STDIN:
    case DRY_RUN:
    case VERBOSE:
    case QUIET:
    case VERSION:
    case HELP:
        break;
    }
    return take_flag(r, option->kind);
}

static int refuse_option(const char *word, size_t length)
{
    suggestion s = suggestion_for(word + strspn(word, "-"));
    for (int i = 0; i < ROWS && length > 2; i++) {
        if (strncmp(rows[i].name, "--", 2) == 0) {
            suggestion_try(&s, rows[i].name + 2);
        }
    }
    char *more =
        s.name == NULL ? words_text("%s", "") : words_text(" (did you mean --%s?)", s.name);
    const int status = wrong_usage("there is no option ", word, more);
    free(more);
    return status;
}

/* Takes the option that *at begins with, and moves *at to what is behind it. */
static int take_next(request *r, char ***at)
{
    char *const word = (*at)[0];
    char *equals = strncmp(word, "--", 2) == 0 ? strchr(word, '=') : NULL;
    const size_t length = equals == NULL ? strlen(word) : (size_t)(equals - word);
    const option_row *option = find_option(word, length);
    if (option == NULL) {
        return refuse_option(word, length);
    }
    if (equals != NULL) {
        char *const value[] = {equals + 1, NULL};
        *at += 1;
        return option->arguments == 1 ? take(r, option, value)
                                      : wrong_usage(option->name, "", " takes no =VALUE");
    }
    for (int i = 1; i <= option->arguments; i++) {
        if ((*at)[i] == NULL) {
            return wrong_usage(option->name, "",
                               option->arguments == 1 ? " needs a value" : " needs two values");
        }
    }
    char *const *value = *at + 1;
    *at += 1 + option->arguments;
    return take(r, option, value);
}

int request_read(request *r, char *arguments[])
{
    char **at = arguments;
    memset(r, 0, sizeof *r);
    r->grace_s = 4;
    while (*at != NULL && (*at)[0] == '-' && strcmp(*at, "--") != 0) {
        const int status = take_next(r, &at);
        if (status != REQUEST_GO_ON) {
            return status;
        }
    }
    if (*at != NULL && strcmp(*at, "--") == 0) {
        at++;
    }
    r->program = at;
    if (*at == NULL) {
        return wrong_usage("no program is named", "", "");
    }
    if (r->host_list != NULL && r->host_file != NULL) {
        return wrong_usage("--hosts and --hostfile exclude each other", "", "");
    }
    return REQUEST_GO_ON;
}
