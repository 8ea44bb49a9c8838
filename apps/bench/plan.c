/* SPDX-License-Identifier: BSD-3-Clause */
/* Owns what is measured, and the processes that do it. */
#include "plan.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

static const struct {
    const char *name;
    weft_status (*measure)(const bench *b);
    bool one_worker;
    bool brief; /* takes tenths of a second, and so is repeated more often */
    bool sync;  /* as weft does by default; else neither side forces anything to disk */
} plan[] = {
    {"span", span_measure, true, true, false},
    {"span", span_measure, false, true, false},
    {"mandelbrot", mandelbrot_measure, false, false, false},
    {"mandelbrot", mandelbrot_measure, false, false, true},
    {"coast", coast_measure, false, false, false},
    {"coast", coast_measure, false, false, true},
    {"write", write_measure, false, true, false},
    {"start", start_measure, false, false, true},
};

enum { BRIEF_FACTOR = 3 };

int plan_count(void)
{
    return (int)(sizeof plan / sizeof plan[0]);
}

const char *plan_name(int number)
{
    return plan[number].name;
}

static void set_number(const char *name, int value)
{
    char text[16];
    (void)snprintf(text, sizeof text, "%d", value);
    (void)setenv(name, text, 1);
}

/* What a measurement fixes is set, what would change its sense is taken out, and what it only
 * prefers is left to the user. */
static void set_environment(int number, const plan_sizes *sizes)
{
    set_number("WEFT_THREADS", plan[number].one_worker ? 1 : sizes->workers);
    if (plan[number].sync)
        (void)unsetenv("WEFT_SYNC");
    else
        (void)setenv("WEFT_SYNC", "0", 1);
    (void)unsetenv("WEFT_OUT");
    (void)unsetenv("WEFT_GRAIN");
    (void)unsetenv("WEFT_FRESH");
    (void)setenv("WEFT_LOG", "error", 0);
    (void)setenv("WEFT_PROGRESS", "never", 0);
}

/* Becomes the same program again; comes back only on failure. */
static void execute(int number, const plan_sizes *sizes, int pipe)
{
    char texts[4][32], self[4096];
    const ssize_t length = readlink("/proc/self/exe", self, sizeof self - 1);
    self[length > 0 ? length : 0] = '\0';
    (void)snprintf(texts[0], sizeof texts[0], "%d", number);
    (void)snprintf(texts[1], sizeof texts[1], "%d", pipe);
    (void)snprintf(texts[2], sizeof texts[2], "%d", sizes->repeat);
    (void)snprintf(texts[3], sizeof texts[3], "%.17g", sizes->scale);
    char program[] = "weft-bench", child[] = "--child", out[] = "--pipe", repeat[] = "--repeat",
         scale[] = "--scale";
    char *const arguments[] = {program, child,    texts[0], out,      texts[1],
                               repeat,  texts[2], scale,    texts[3], NULL};
    set_environment(number, sizes);
    (void)execv(self, arguments);
    perror("weft-bench: cannot start itself");
}

static void read_rows(int pipe, table *t)
{
    row line;
    ssize_t got = 0;
    while ((got = read(pipe, &line, sizeof line)) == (ssize_t)sizeof line ||
           (got < 0 && errno == EINTR))
        if (got > 0)
            table_add(t, &line);
}

bool plan_start(int number, const plan_sizes *sizes, table *t)
{
    int ends[2], status = 0;
    if (pipe(ends) != 0) {
        perror("weft-bench: pipe");
        return false;
    }
    const pid_t child = fork();
    if (child == 0) {
        (void)close(ends[0]);
        execute(number, sizes, ends[1]);
        _exit(1);
    }
    (void)close(ends[1]);
    if (child > 0)
        read_rows(ends[0], t);
    else
        perror("weft-bench: fork");
    (void)close(ends[0]);
    while (child > 0 && waitpid(child, &status, 0) < 0 && errno == EINTR)
        ;
    return child > 0 && WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

int plan_measure(int number, const plan_sizes *sizes, int pipe)
{
    char name[] = "weft-bench";
    char *arguments[] = {name, NULL};
    char **argv = arguments;
    int argc = 1;
    bench b = {.repeat = sizes->repeat, .scale = sizes->scale, .pipe = pipe};
    if (number < 0 || number >= plan_count())
        return 2;
    b.sync = plan[number].sync;
    b.repeat *= plan[number].brief ? BRIEF_FACTOR : 1;
    weft_status status = weft_init(&argc, &argv, NULL, &b.session);
    if (status == WEFT_OK) {
        b.workers = weft_session_workers(b.session);
        status = plan[number].measure(&b);
    }
    return weft_finish(b.session, status);
}
