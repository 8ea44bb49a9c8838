/* SPDX-License-Identifier: BSD-3-Clause */
/* What the tests of the public functions share: a process that is a job of one rank, sessions with
 * a command line of the test's own, a folder for results. */
#ifndef TEST_API_FIXTURE_H
#define TEST_API_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <weft/weft.h>

enum { FIXTURE_WORDS = 24, FIXTURE_PATH_BYTES = 512 };

static char fixture_folder[256];

static inline int fixture_begin(void **state)
{
    (void)state;
    static const char *const variables[] = {
        "WEFT_OUT",   "WEFT_THREADS", "WEFT_SCHEDULE", "WEFT_GRAIN",
        "WEFT_SEED",  "WEFT_SYNC",    "WEFT_PROGRESS", "WEFT_RETRY_FAILED",
        "WEFT_FRESH", "WEFT_LOG",     "WEFT_HELP",     "OMP_NUM_THREADS"};
    for (size_t i = 0; i < sizeof variables / sizeof variables[0]; i++) {
        (void)unsetenv(variables[i]);
    }
    const char *base = getenv("TMPDIR");
    (void)snprintf(fixture_folder, sizeof fixture_folder, "%.200s/weft-api-XXXXXX",
                   base == NULL ? "." : base);
    return mkdtemp(fixture_folder) == NULL ? -1 : 0;
}

static inline int fixture_end(void **state)
{
    (void)state;
    DIR *folder = opendir(fixture_folder);
    for (struct dirent *each = folder == NULL ? NULL : readdir(folder); each != NULL;
         each = readdir(folder)) {
        char path[FIXTURE_PATH_BYTES + 256];
        (void)snprintf(path, sizeof path, "%s/%s", fixture_folder, each->d_name);
        (void)unlink(path);
    }
    if (folder != NULL) {
        (void)closedir(folder);
    }
    return rmdir(fixture_folder);
}

/* A path in the folder that no test has had before. */
static inline const char *fixture_path(void)
{
    static char path[FIXTURE_PATH_BYTES];
    static int number = 0;
    (void)snprintf(path, sizeof path, "%s/%d.h5", fixture_folder, number++);
    return path;
}

/* A session with a command line; it is parsed in place, and lives until the next call. */
static inline weft_status fixture_open(const char *const words[], const weft_program *program,
                                       int *argc, char ***argv, weft_session **session)
{
    static char texts[FIXTURE_WORDS][FIXTURE_PATH_BYTES];
    static char *pointers[FIXTURE_WORDS + 1];
    *argc = 0;
    *argv = pointers;
    (void)snprintf(texts[0], sizeof texts[0], "/somewhere/tester");
    pointers[(*argc)++] = texts[0];
    for (int i = 0; words[i] != NULL; i++) {
        (void)snprintf(texts[*argc], sizeof texts[0], "%s", words[i]);
        pointers[*argc] = texts[*argc];
        *argc += 1;
    }
    pointers[*argc] = NULL;
    return weft_init(argc, argv, program, session);
}

/* The usual one: quiet, for one result, with workers, and what else is said. */
static inline weft_session *fixture_session(const char *out, int threads, const char *more)
{
    char number[16];
    (void)snprintf(number, sizeof number, "%d", threads);
    const char *const words[] = {"--log",     "error", "--progress", "never", "--out", out,
                                 "--threads", number,  "--sync",     "0",     more,    NULL};
    int argc = 0;
    char **argv = NULL;
    weft_session *session = NULL;
    assert_int_equal(fixture_open(words, NULL, &argc, &argv, &session), WEFT_OK);
    return session;
}

#endif
