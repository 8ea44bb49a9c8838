/* SPDX-License-Identifier: BSD-3-Clause */
/* The Slurm job that this process is part of: when its time is up. */
#include "base/slurm.h"

#include "base/clock.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { ANSWER_BYTES = 4096 };

extern char **environ;

/* A whole number that fills its word; any other is left alone. */
static bool read_number(const char *word, int64_t *number)
{
    char *end = NULL;
    errno = 0;
    const long long value = strtoll(word, &end, 10);
    const bool whole = *word >= '0' && *word <= '9' && *end == '\0' && errno == 0;
    *number = whole ? value : *number;
    return whole;
}

/* Of a job without a limit squeue says NONE. */
static bool read_line(const char *line, const char *job, int64_t *end_s)
{
    char number[32];
    char end[32];
    char more;
    if (sscanf(line, "%31s %31s %c", number, end, &more) != 2 || strcmp(number, job) != 0) {
        return false;
    }
    if (strcmp(end, "NONE") == 0) {
        *end_s = 0;
        return true;
    }
    return read_number(end, end_s);
}

bool slurm_read_end(const char *text, const char *job, int64_t *end_s)
{
    bool found = false;
    const char *at = text;
    while (at != NULL && !found) {
        char line[80];
        (void)snprintf(line, sizeof line, "%s", at);
        line[strcspn(line, "\n")] = '\0';
        found = read_line(line, job, end_s);
        const char *newline = strchr(at, '\n');
        at = newline == NULL ? NULL : newline + 1;
    }
    return found;
}

/* Starts a program with no input, and all of its output in a pipe. A new process image, not a fork:
 * networks do not bear that a process with MPI in it is copied. */
static int start(char *const words[], pid_t *pid, int *out)
{
    int ends[2];
    if (pipe(ends) != 0) {
        return errno;
    }
    posix_spawn_file_actions_t files;
    posix_spawnattr_t attributes;
    sigset_t none;
    (void)sigemptyset(&none);
    (void)posix_spawn_file_actions_init(&files);
    (void)posix_spawn_file_actions_addopen(&files, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    (void)posix_spawn_file_actions_adddup2(&files, ends[1], STDOUT_FILENO);
    (void)posix_spawn_file_actions_adddup2(&files, ends[1], STDERR_FILENO);
    (void)posix_spawn_file_actions_addclose(&files, ends[0]);
    (void)posix_spawn_file_actions_addclose(&files, ends[1]);
    (void)posix_spawnattr_init(&attributes);
    (void)posix_spawnattr_setsigmask(&attributes, &none);
    (void)posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK);
    const int failed = posix_spawnp(pid, words[0], &files, &attributes, words, environ);
    (void)posix_spawnattr_destroy(&attributes);
    (void)posix_spawn_file_actions_destroy(&files);
    (void)close(ends[1]);
    if (failed != 0) {
        (void)close(ends[0]);
        return failed;
    }
    *out = ends[0];
    return 0;
}

/* Reads until the other end is closed; false if that has not happened in time. */
static bool read_all(int from, int64_t limit_ns, char answer[ANSWER_BYTES])
{
    const int64_t until_ns = clock_now_ns() + limit_ns;
    size_t used = 0;
    answer[0] = '\0';
    for (;;) {
        struct pollfd waiting = {.fd = from, .events = POLLIN};
        const int64_t left_ms = (until_ns - clock_now_ns()) / 1000000;
        if (left_ms <= 0 || (poll(&waiting, 1, (int)left_ms) < 0 && errno != EINTR)) {
            return false;
        }
        if (waiting.revents == 0) {
            continue;
        }
        const ssize_t count = read(from, answer + used, ANSWER_BYTES - 1 - used);
        if (count == 0) {
            return true;
        }
        used += count > 0 ? (size_t)count : 0;
        answer[used] = '\0';
    }
}

/* Its process is gone afterwards, whatever it does. */
static weft_status ask_squeue(const char *job, int64_t limit_ns, char answer[ANSWER_BYTES],
                              error *e)
{
    char job_word[32];
    (void)snprintf(job_word, sizeof job_word, "%s", job);
    /* The first words make squeue print times as seconds since 1970. */
    char set[] = "env", time_format[] = "SLURM_TIME_FORMAT=%s", squeue[] = "squeue";
    char no_header[] = "--noheader", jobs[] = "--jobs", format[] = "--format", line[] = "%A %e";
    char *const words[] = {set, time_format, squeue, no_header, jobs, job_word, format, line, NULL};
    pid_t pid = 0;
    int out = -1;
    const int failed = start(words, &pid, &out);
    if (failed != 0) {
        return error_system(e, failed, "squeue cannot be started");
    }
    weft_status status = WEFT_OK;
    if (!read_all(out, limit_ns, answer)) {
        status = error_set(e, WEFT_ERR_SYSTEM, "squeue has not answered in %g seconds",
                           1e-9 * (double)limit_ns);
    }
    (void)close(out);
    (void)kill(pid, SIGKILL);
    while (waitpid(pid, NULL, 0) < 0 && errno == EINTR) {
    }
    return status;
}

weft_status slurm_job_end(int64_t limit_ns, int64_t *end_s, error *e)
{
    const char *job = getenv("SLURM_JOB_ID");
    const char *known = getenv("SLURM_JOB_END_TIME");
    char answer[ANSWER_BYTES];
    int64_t found_s = 0;
    if (job != NULL && (known == NULL || !read_number(known, &found_s))) {
        const weft_status status = ask_squeue(job, limit_ns, answer, e);
        if (status != WEFT_OK) {
            return status;
        }
        if (!slurm_read_end(answer, job, &found_s)) {
            return error_set(e, WEFT_ERR_SYSTEM, "squeue does not tell the end of job %s: %.*s",
                             job, (int)strcspn(answer, "\n"), answer);
        }
    }
    *end_s = found_s;
    return WEFT_OK;
}
