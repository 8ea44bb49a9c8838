/* SPDX-License-Identifier: BSD-3-Clause */
/* What the launcher is asked for: its command line. */
#include "launch/request.h"

#include "base/number.h"
#include "base/suggestion.h"
#include "launch/message.h"

#include <stddef.h>
#include <stdio.h>
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
    "Signals: USR1 is passed on, and so are INT, TERM, HUP, XCPU and USR2, all as USR2, for "
    "which\n"
    "ranks have little time: they stop in good order, and the exit status is 75. A second INT "
    "ends\n"
    "everything at once.\n"
    "\n"
    "Exit status: the program's (0 complete, 1 error, 2 wrong usage, 3 complete but some items\n"
    "failed, 75 stopped early: run the same command again), or mpirun's if the program never "
    "began;\n"
    "1 if no word came of how it ended, 2 for wrong usage of weft run, 75 if what runs it, or all\n"
    "ranks, were killed, 127 if there is no such program, 130 after a second INT.\n";

#define MORE "; weft run --help says more"

/* How an option's values get into a member of the request; REQUEST_GO_ON, or the exit status. */
typedef int take_fn(void *member, const char *name, const char *const value[]);

static int take_count(void *member, const char *name, const char *const value[])
{
    return number_read_count(value[0], 1, member)
               ? REQUEST_GO_ON
               : message_fail(2, "%s: '%s' is not a whole number of at least 1" MORE, name,
                              value[0]);
}

static int take_text(void *member, const char *name, const char *const value[])
{
    (void)name;
    memcpy(member, &value[0], sizeof value[0]);
    return REQUEST_GO_ON;
}

static int take_flag(void *member, const char *name, const char *const value[])
{
    (void)name;
    (void)value;
    *(bool *)member = true;
    return REQUEST_GO_ON;
}

static int take_words(void *member, const char *name, const char *const value[])
{
    (void)name;
    words_split(member, value[0]);
    return REQUEST_GO_ON;
}

static int take_mca(void *member, const char *name, const char *const value[])
{
    WORDS_ADD(member, name, value[0], value[1]);
    return REQUEST_GO_ON;
}

static int take_level(void *member, const char *name, const char *const value[])
{
    log_level level = LOG_INFO;
    (void)member;
    (void)name;
    if (!log_find_level(value[0], &level)) {
        return message_fail(2, "--log: there is no level '%s'" MORE, value[0]);
    }
    log_set(level, -1);
    return REQUEST_GO_ON;
}

static int show(void *member, const char *name, const char *const value[])
{
    (void)member;
    (void)name;
    (void)fputs(value[0], stdout);
    return fflush(stdout) == 0 ? 0 : 1;
}

static const struct option_row {
    const char *name;
    int values;
    take_fn *take;
    size_t member;
    const char *value; /* that it stands for, if it has none */
} rows[] = {
    {"-n", 1, take_count, offsetof(request, ranks), NULL},
    {"-np", 1, take_count, offsetof(request, ranks), NULL},
    {"--ranks", 1, take_count, offsetof(request, ranks), NULL},
    {"-t", 1, take_count, offsetof(request, workers), NULL},
    {"--threads", 1, take_count, offsetof(request, workers), NULL},
    {"--hosts", 1, take_text, offsetof(request, host_list), NULL},
    {"--hostfile", 1, take_text, offsetof(request, host_file), NULL},
    {"--rsh", 1, take_text, offsetof(request, remote_shell), NULL},
    {"--done-dir", 1, take_text, offsetof(request, done_folder), NULL},
    {"--grace", 1, take_count, offsetof(request, grace_s), NULL},
    {"--mpirun-options", 1, take_words, offsetof(request, options), NULL},
    {"--mca", 2, take_mca, offsetof(request, options), NULL},
    {"--stdin", 0, take_flag, offsetof(request, takes_stdin), NULL},
    {"--dry-run", 0, take_flag, offsetof(request, dry_run), NULL},
    {"--log", 1, take_level, 0, NULL},
    {"-v", 0, take_level, 0, "debug"},
    {"--verbose", 0, take_level, 0, "debug"},
    {"-q", 0, take_level, 0, "warning"},
    {"--quiet", 0, take_level, 0, "warning"},
    {"--version", 0, show, 0, "weft " WEFT_VERSION "\n"},
    {"-h", 0, show, 0, help},
    {"--help", 0, show, 0, help},
};

enum { ROWS = sizeof rows / sizeof rows[0] };

static int refuse_option(const char *word, size_t length)
{
    suggestion s = suggestion_for(word);
    for (int i = 0; i < ROWS && length > 2; i++) {
        if (strncmp(rows[i].name, "--", 2) == 0) {
            suggestion_try(&s, rows[i].name + 2);
        }
    }
    return message_fail(2, "there is no option %s%s%s%s" MORE, word,
                        s.name == NULL ? "" : " (did you mean --", s.name == NULL ? "" : s.name,
                        s.name == NULL ? "" : "?)");
}

/* Takes the option that *at begins with, and moves *at to what is behind it. */
static int take_next(request *r, char ***at)
{
    const char *const word = (*at)[0];
    const char *equals = strncmp(word, "--", 2) == 0 ? strchr(word, '=') : NULL;
    const size_t length = equals == NULL ? strlen(word) : (size_t)(equals - word);
    const struct option_row *option = rows;
    while (option < rows + ROWS &&
           (strlen(option->name) != length || strncmp(option->name, word, length) != 0)) {
        option++;
    }
    if (option == rows + ROWS) {
        return refuse_option(word, length);
    }
    const char *value[2] = {option->value, NULL};
    *at += 1;
    if (equals != NULL && option->values != 1) {
        return message_fail(2, "%s takes no =VALUE" MORE, option->name);
    }
    if (equals != NULL) {
        value[0] = equals + 1;
    }
    for (int i = 0; i < option->values && equals == NULL; i++) {
        if (**at == NULL) {
            return message_fail(2, "%s needs %s" MORE, option->name,
                                option->values == 1 ? "a value" : "two values");
        }
        value[i] = *(*at)++;
    }
    if (option->values == 1 && option->take != take_words && value[0][0] == '\0') {
        return message_fail(2, "%s: its value is empty" MORE, option->name);
    }
    return option->take((char *)r + option->member, option->name, value);
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
        return message_fail(2, "no program is named" MORE);
    }
    if (r->host_list != NULL && r->host_file != NULL) {
        return message_fail(2, "--hosts and --hostfile exclude each other" MORE);
    }
    return REQUEST_GO_ON;
}

const char *request_help(void)
{
    return help;
}
