/* SPDX-License-Identifier: BSD-3-Clause */
/* Processes that the operating system has killed because memory ran out. */
#include "host/memory_kills.h"

#include "base/number.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

enum { PATH_BYTES = 4096 };

int64_t memory_kills_in(const char *path)
{
    FILE *file = fopen(path, "re");
    char line[128];
    int64_t kills = -1;
    while (file != NULL && kills < 0 && fgets(line, sizeof line, file) != NULL) {
        const char *at = line + 9;
        uint64_t number = 0;
        if (strncmp(line, "oom_kill ", 9) == 0 && number_take(&at, &number)) {
            kills = (int64_t)number;
        }
    }
    if (file != NULL) {
        (void)fclose(file);
    }
    return kills;
}

/* The path of the process's own group of version 2, "0::/…". */
static bool own_group(char path[PATH_BYTES])
{
    FILE *file = fopen("/proc/self/cgroup", "re");
    char line[PATH_BYTES - 64];
    bool found = false;
    while (file != NULL && !found && fgets(line, sizeof line, file) != NULL) {
        line[strcspn(line, "\n")] = '\0';
        if (strncmp(line, "0::", 3) == 0) {
            (void)snprintf(path, PATH_BYTES, "/sys/fs/cgroup%s/memory.events", line + 3);
            found = true;
        }
    }
    if (file != NULL) {
        (void)fclose(file);
    }
    return found;
}

int64_t memory_kills(void)
{
    char path[PATH_BYTES];
    const int64_t kills = own_group(path) ? memory_kills_in(path) : -1;
    return kills >= 0 ? kills : memory_kills_in("/proc/vmstat");
}
