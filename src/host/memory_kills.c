/* SPDX-License-Identifier: BSD-3-Clause */
/* Processes that the operating system has killed because memory ran out. */
#include "host/memory_kills.h"

#include "base/number.h"
#include "host/host.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

enum { PATH_BYTES = 4096, TEXT_BYTES = 1 << 15 };

/* What is behind a word at the beginning of a line; NULL if there is no such line. */
static const char *find_line(const char *text, const char *word)
{
    const size_t length = strlen(word);
    while (text != NULL && strncmp(text, word, length) != 0) {
        const char *end = strchr(text, '\n');
        text = end == NULL ? NULL : end + 1;
    }
    return text == NULL ? NULL : text + length;
}

int64_t memory_kills_in(const char *path)
{
    char text[TEXT_BYTES];
    uint64_t kills = 0;
    (void)host_read_file(text, sizeof text, "%s", path);
    const char *at = find_line(text, "oom_kill ");
    return at != NULL && number_take(&at, &kills) && kills <= INT64_MAX ? (int64_t)kills : -1;
}

/* The path of the process's own group of version 2, "0::/…". */
static bool own_group(char path[PATH_BYTES])
{
    char text[PATH_BYTES - 64];
    (void)host_read_file(text, sizeof text, "/proc/self/cgroup");
    const char *group = find_line(text, "0::");
    if (group != NULL) {
        (void)snprintf(path, PATH_BYTES, "/sys/fs/cgroup%.*s/memory.events",
                       (int)strcspn(group, "\n"), group);
    }
    return group != NULL;
}

int64_t memory_kills(void)
{
    char path[PATH_BYTES];
    const int64_t kills = own_group(path) ? memory_kills_in(path) : -1;
    return kills >= 0 ? kills : memory_kills_in("/proc/vmstat");
}
