/* SPDX-License-Identifier: BSD-3-Clause */
/* The done file: what the launcher (src/launch) is told of the program's end. */
#include "host/outcome_file.h"

#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* The file's path with something behind it; false if there is no done file. */
static bool done_path(const char *suffix, const char *of, char path[PATH_MAX])
{
    const char *file = getenv(OUTCOME_VARIABLE);
    if (file == NULL || *file == '\0') {
        return false;
    }
    const int length = snprintf(path, PATH_MAX, "%s%s%s", file, suffix, of);
    return length > 0 && length < PATH_MAX;
}

void outcome_file_mark(const char *suffix, const char *of)
{
    char path[PATH_MAX];
    if (done_path(suffix, of, path)) {
        const int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
        if (fd >= 0) {
            (void)close(fd);
        }
    }
}

/* A new file that holds the status; `path` ends with XXXXXX, and gets its name. */
static bool write_new(char *path, int status)
{
    const int fd = mkstemp(path);
    if (fd < 0) {
        return false;
    }
    const bool written = dprintf(fd, "%d\n", status) > 0;
    return close(fd) == 0 && written;
}

void outcome_file_mark_status(const char *suffix, const char *of, int status)
{
    char path[PATH_MAX];
    char new_path[PATH_MAX];
    if (!done_path(suffix, of, path) || !done_path(".new.XXXXXX", "", new_path)) {
        return;
    }
    if (!write_new(new_path, status) || rename(new_path, path) != 0) {
        (void)unlink(new_path);
    }
}

void outcome_file_unmark(const char *suffix, const char *of)
{
    char path[PATH_MAX];
    if (done_path(suffix, of, path)) {
        (void)unlink(path);
    }
}

bool outcome_file_is_marked(const char *suffix, const char *of)
{
    char path[PATH_MAX];
    return done_path(suffix, of, path) && access(path, F_OK) == 0;
}
