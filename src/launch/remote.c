/* SPDX-License-Identifier: BSD-3-Clause */
/* `weft run --remote`: the remote shell that the launcher gives to mpirun.
 *
 * mpirun ends the whole job if its remote shell fails. Once the program has begun, a lost host may
 * cost its own ranks only; so from then on a failure is told, and not passed on. */
#include "launch/remote.h"

#include "host/outcome_file.h"
#include "launch/message.h"
#include "launch/spawn.h"

#include <stdlib.h>
#include <string.h>
#include <sys/types.h>

/* The remote shell that becomes a line of shell on a host: srun passes words on as they are, ssh
 * and its like as one line to the user's shell. */
static void remote_words(words *w, const char *host, const char *line)
{
    const char *shell = getenv(REMOTE_VARIABLE);
    words_split(w, shell == NULL || *shell == '\0' ? "ssh -x" : shell);
    const char *slash = w->count == 0 ? NULL : strrchr(w->word[0], '/');
    const char *name = slash != NULL ? slash + 1 : w->count == 0 ? "" : w->word[0];
    if (strcmp(name, "srun") == 0) {
        words_add(w, "--nodelist=%s", host);
        words_split(w, "/bin/sh -c");
        words_add(w, "unset SLURM_PROCID PMI_RANK PMI_SIZE; %s", line);
        return;
    }
    char *quoted = words_quoted(line);
    words_add(w, "%s", host);
    words_add(w, "/bin/sh -c %s", quoted);
    free(quoted);
}

/* A line of shell that ends the processes of a run on the host that it runs on. They all have the
 * run's done file in their environment, wherever they have moved to. */
#define ENDING "kill -9 $(grep -lsF %s /proc/[0-9]*/environ | cut -d/ -f3) 2>/dev/null"

static char *quoted_run(const char *done_file)
{
    char *run = words_text("%s=%s", OUTCOME_VARIABLE, done_file);
    char *quoted = words_quoted(run);
    free(run);
    return quoted;
}

void remote_end_words(words *w, const char *host, const char *done_file)
{
    char *run = quoted_run(done_file);
    char *line = words_text(ENDING "; true", run);
    remote_words(w, host, line);
    free(line);
    free(run);
}

/* mpirun's command, in the language of this user's shell, with the run's name around it. */
static char *daemon_line(const char *done_file, const char *command)
{
    char *run = quoted_run(done_file);
    char *quoted = words_quoted(command);
    char *line =
        words_text("env %s %s -c %s; s=$?; " ENDING "; exit $s", run,
                   strstr(command, "set path = (") != NULL ? "/bin/csh" : "/bin/sh", quoted, run);
    free(quoted);
    free(run);
    return line;
}

/* What the remote shell's end says of the host. */
static int judge(const char *host, int status)
{
    if (status == 0) {
        /* The launcher may have gone before, with its folder. */
        outcome_file_mark(OUTCOME_LEFT, host);
        outcome_file_unmark(OUTCOME_DAEMON, host);
        return 0;
    }
    outcome_file_mark(OUTCOME_LOST, host);
    if (outcome_file_is_marked("", "")) {
        return 0;
    }
    if (!outcome_file_is_marked(OUTCOME_BEGUN, "")) {
        return message_fail(
            status, "the daemon on %s ended with status %d before the program began", host, status);
    }
    return message_fail(0, "lost host %s (its remote shell ended with status %d)", host, status);
}

/* The remote shell is none of the run's own processes, which are ended by their done file. */
static pid_t start_remote(const words *w, const char *done_file)
{
    const spawn_options options = {.is_mute = false};
    (void)unsetenv(OUTCOME_VARIABLE);
    const pid_t pid = spawn(w->word, &options);
    (void)setenv(OUTCOME_VARIABLE, done_file, 1);
    return pid;
}

/* mpirun gives a command as one word or as several. */
static char *join(char *const part[])
{
    char *text = words_text("%s", part[0]);
    for (int i = 1; part[i] != NULL; i++) {
        char *longer = words_text("%s %s", text, part[i]);
        free(text);
        text = longer;
    }
    return text;
}

static int run_daemon(const char *host, const char *command, const char *done_file)
{
    words shell = {.count = 0};
    char *line = daemon_line(done_file, command);
    outcome_file_mark(OUTCOME_DAEMON, host);
    remote_words(&shell, host, line);
    const pid_t pid = start_remote(&shell, done_file);
    const int status = judge(host, pid < 0 ? 1 : spawn_wait(pid));
    words_free(&shell);
    free(line);
    return status;
}

static int run_plainly(const char *host, const char *command)
{
    words shell = {.count = 0};
    const spawn_options options = {.keeps_stdin = true};
    remote_words(&shell, host, command);
    const pid_t pid = spawn(shell.word, &options);
    words_free(&shell);
    return pid < 0 ? 1 : spawn_wait(pid);
}

int remote_run(char *const arguments[])
{
    while (arguments[0] != NULL && arguments[0][0] == '-') {
        arguments++;
    }
    if (arguments[0] == NULL || arguments[1] == NULL) {
        return message_fail(2, "--remote needs a host and a command; it is for mpirun to call");
    }
    const char *variable = getenv(OUTCOME_VARIABLE);
    char *done_file = words_text("%s", variable == NULL ? "" : variable);
    char *command = join(arguments + 1);
    const int status = *done_file == '\0' ? run_plainly(arguments[0], command)
                                          : run_daemon(arguments[0], command, done_file);
    free(command);
    free(done_file);
    return status;
}
