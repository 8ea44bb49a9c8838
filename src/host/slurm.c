/* SPDX-License-Identifier: BSD-3-Clause */
/* The Slurm job that this process is part of: when its time is up. */
#include "host/slurm.h"

#include "base/clock.h"
#include "base/number.h"
#include "host/host.h"

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

enum { LINE_BYTES = 256, READ_BYTES = 4096 };

/* What squeue's answer, which may be of any length, is searched for, line by line. */
typedef struct search {
    const char *job;
    bool found;
    int64_t end_s;
    char line[LINE_BYTES]; /* the present one, so far; the end of a long one is left out */
    size_t used;
    char first[LINE_BYTES]; /* the first: where none is found, it may say why */
} search;

extern char **environ;

/* A whole number that fills its word; any other is left alone. */
static bool read_number(const char *word, int64_t *number)
{
    return *word != '-' && number_read_int64(word, number);
}

/* Of a job without a limit squeue says NONE. */
bool slurm_read_line(const char *line, const char *job, int64_t *end_s)
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

static void end_line(search *s)
{
    s->line[s->used] = '\0';
    if (s->first[0] == '\0') {
        memcpy(s->first, s->line, sizeof s->first);
    }
    s->found = s->found || slurm_read_line(s->line, s->job, &s->end_s);
    s->used = 0;
}

static void search_bytes(search *s, const char *bytes, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (bytes[i] == '\n') {
            end_line(s);
        } else if (s->used < sizeof s->line - 1) {
            s->line[s->used++] = bytes[i];
        }
    }
}

/* Starts a program with no input, and all of its output in a pipe. It is spawned, so that nothing
 * of this process's memory, and of what a network has registered in it, is copied. */
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

/* Reads until it is found or the other end is closed; false if that has not happened in time. */
static bool search_all(search *s, int from, int64_t limit_ns)
{
    const int64_t until_ns = clock_now_ns() + limit_ns;
    while (!s->found) {
        char bytes[READ_BYTES];
        struct pollfd waiting = {.fd = from, .events = POLLIN};
        const int64_t left_ms = (until_ns - clock_now_ns()) / 1000000;
        if (left_ms <= 0 || (poll(&waiting, 1, (int)left_ms) < 0 && errno != EINTR)) {
            return false;
        }
        if (waiting.revents == 0) {
            continue;
        }
        const ssize_t count = read(from, bytes, sizeof bytes);
        if (count == 0) {
            end_line(s);
            break;
        }
        search_bytes(s, bytes, count > 0 ? (size_t)count : 0);
    }
    return true;
}

/* The last task of an array has the array's own number, by which squeue lists all of its tasks. */
static void name_job(const char *job, char word[LINE_BYTES])
{
    const char *array = getenv("SLURM_ARRAY_JOB_ID");
    const char *task = getenv("SLURM_ARRAY_TASK_ID");
    if (array != NULL && task != NULL) {
        (void)snprintf(word, LINE_BYTES, "%s_%s", array, task);
    } else {
        (void)snprintf(word, LINE_BYTES, "%s", job);
    }
}

/* Its process is gone afterwards, whatever it does. */
static weft_status ask_squeue(search *s, int64_t limit_ns, error *e)
{
    char job_word[LINE_BYTES];
    name_job(s->job, job_word);
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
    if (!search_all(s, out, limit_ns)) {
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
    search s = {.job = job};
    if (job != NULL && (known == NULL || !read_number(known, &s.end_s))) {
        const weft_status status = ask_squeue(&s, limit_ns, e);
        if (status != WEFT_OK) {
            return status;
        }
        if (!s.found) {
            return error_set(e, WEFT_ERR_SYSTEM, "squeue does not tell the end of job %s: %s", job,
                             s.first);
        }
    }
    *end_s = s.end_s;
    return WEFT_OK;
}

bool slurm_groups_differ(const char *groups, const char *environment_job, int64_t *job)
{
    static const char mark[] = "/job_";
    bool other = false;
    for (const char *at = strstr(groups, mark); at != NULL; at = strstr(at + 1, mark)) {
        const char *number = at + sizeof mark - 1;
        const char *end = number;
        uint64_t value = 0;
        if (!number_take(&end, &value) || value > INT64_MAX ||
            (*end != '/' && *end != '\n' && *end != '\0')) {
            continue;
        }
        const size_t digits = (size_t)(end - number);
        if (digits == strlen(environment_job) && strncmp(number, environment_job, digits) == 0) {
            return false;
        }
        *job = (int64_t)value;
        other = true;
    }
    return other;
}

bool slurm_environment_is_old(int64_t *job)
{
    char groups[READ_BYTES];
    const char *environment_job = getenv("SLURM_JOB_ID");
    return environment_job != NULL &&
           host_read_file(groups, sizeof groups, "/proc/self/cgroup") > 0 &&
           slurm_groups_differ(groups, environment_job, job);
}
