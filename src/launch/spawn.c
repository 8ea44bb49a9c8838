/* SPDX-License-Identifier: BSD-3-Clause */
/* Starting programs. */
#define _GNU_SOURCE 1
#include "launch/spawn.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

enum { READ_BYTES = 1 << 16, CANNOT_RUN = 126, NOT_FOUND = 127 };

/* Signals that are ignored stay so, other than those that have a handler here, or that this process
 * itself ignores. */
static void restore_signals(bool ignores_pipe)
{
    sigset_t none;
    (void)sigemptyset(&none);
    (void)signal(SIGPIPE, ignores_pipe ? SIG_IGN : SIG_DFL);
    (void)sigprocmask(SIG_SETMASK, &none, NULL);
}

static void redirect(int from, int to)
{
    if (from >= 0 && from != to) {
        (void)dup2(from, to);
    }
}

static _Noreturn void become(char *const line[], const spawn_options *options, pid_t parent)
{
    const int nothing = open("/dev/null", O_RDWR | O_CLOEXEC);
    if (!options->keeps_stdin) {
        redirect(nothing, STDIN_FILENO);
    }
    if (options->is_mute || options->out > 0) {
        redirect(options->is_mute ? nothing : options->out, STDOUT_FILENO);
        redirect(options->is_mute ? nothing : options->out, STDERR_FILENO);
    }
    if (options->leads_session) {
        (void)setsid();
        (void)prctl(PR_SET_PDEATHSIG, SIGTERM);
        if (getppid() != parent) {
            _exit(CANNOT_RUN);
        }
    }
    restore_signals(options->ignores_pipe);
    (void)execvp(line[0], line);
    _exit(errno == ENOENT ? NOT_FOUND : CANNOT_RUN);
}

void spawn_forget(bool (*is_forgotten)(const char *variable))
{
    for (int i = 0; environ[i] != NULL;) {
        char *name = words_text("%.*s", (int)strcspn(environ[i], "="), environ[i]);
        i = is_forgotten(environ[i]) && unsetenv(name) == 0 ? 0 : i + 1;
        free(name);
    }
}

pid_t spawn(char *const line[], const spawn_options *options)
{
    const pid_t parent = getpid();
    const pid_t pid = fork();
    if (pid == 0) {
        become(line, options, parent);
    }
    return pid;
}

int spawn_wait(pid_t pid)
{
    int state = 0;
    while (waitpid(pid, &state, 0) < 0) {
        if (errno != EINTR) {
            return 1;
        }
    }
    return WIFSIGNALED(state) ? 128 + WTERMSIG(state) : WEXITSTATUS(state);
}

bool spawn_has_ended(pid_t pid, int *status)
{
    siginfo_t info = {.si_pid = 0};
    if (waitid(P_PID, (id_t)pid, &info, WEXITED | WNOHANG | WNOWAIT) != 0 || info.si_pid != pid) {
        return false;
    }
    *status = info.si_code == CLD_EXITED ? info.si_status : 128 + info.si_status;
    return true;
}

/* What there is no room for is read as well, so that the program comes to its end. */
static void read_all(int from, char text[READ_BYTES])
{
    size_t used = 0;
    char rest[512] = "";
    ssize_t count = 1;
    while (count > 0 || (count < 0 && errno == EINTR)) {
        const size_t room = READ_BYTES - 1 - used;
        count = read(from, room > 0 ? text + used : rest, room > 0 ? room : sizeof rest);
        used += room > 0 && count > 0 ? (size_t)count : 0;
    }
}

char *spawn_read(char *const line[], int *status)
{
    int ends[2];
    char *text = calloc(1, READ_BYTES);
    *status = NOT_FOUND;
    if (text == NULL || pipe2(ends, O_CLOEXEC) != 0) {
        free(text);
        return words_text("%s", "");
    }
    const spawn_options options = {.out = ends[1]};
    const pid_t pid = spawn(line, &options);
    (void)close(ends[1]);
    if (pid > 0) {
        read_all(ends[0], text);
        *status = spawn_wait(pid);
    }
    (void)close(ends[0]);
    return text;
}
