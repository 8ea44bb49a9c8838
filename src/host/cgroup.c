/* SPDX-License-Identifier: BSD-3-Clause */
/* What the system's control groups say of this process. */
#define _GNU_SOURCE 1
#include "host/cgroup.h"

#include "base/number.h"
#include "host/host.h"

#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

enum { LINE_BYTES = 4096, TEXT_BYTES = 64, EVENTS_BYTES = 1 << 15 };

static bool read_text(const char *folder, const char *name, char text[TEXT_BYTES])
{
    return host_read_file(text, TEXT_BYTES, "%s/%s", folder, name) > 0;
}

/* Of a group of version 2, "150000 100000", or of version 1: microseconds in each period. 0: none,
 * which is "max" or -1. */
static double read_quota(const char *folder)
{
    char line[TEXT_BYTES];
    const char *at = line;
    uint64_t most = 0;
    uint64_t period = 0;
    const bool both = read_text(folder, "cpu.max", line);
    if ((!both && !read_text(folder, "cpu.cfs_quota_us", line)) || !number_take(&at, &most)) {
        return 0;
    }
    if (!both) {
        at = read_text(folder, "cpu.cfs_period_us", line) ? line : "";
    }
    at += both && *at == ' ';
    (void)number_take(&at, &period);
    return most > 0 && period > 0 ? (double)most / (double)period : 0;
}

/* A number for a group: its folder's. */
static uint64_t identify(const char *folder)
{
    struct stat found;
    return stat(folder, &found) == 0 ? (uint64_t)found.st_ino * 31 + (uint64_t)found.st_dev : 0;
}

/* Goes up from a group to the root. In a container the upper part of the path may not be there. */
static void climb(const char *mounted, const char *group, cgroup_quota *q)
{
    char folder[PATH_MAX];
    const size_t root = strlen(mounted);
    const int length = snprintf(folder, sizeof folder, "%s%s", mounted, group);
    if (length < 0 || (size_t)length >= sizeof folder) {
        return;
    }
    while (true) {
        const double cores = read_quota(folder);
        if (cores > 0 && (q->cores <= 0 || cores < q->cores)) {
            *q = (cgroup_quota){.cores = cores, .group = identify(folder)};
        }
        char *slash = strrchr(folder, '/');
        if (slash == NULL || (size_t)(slash - folder) < root) {
            return;
        }
        *slash = '\0';
    }
}

/* Whether "cpu" is one of the controllers, "cpu,cpuacct". */
static bool has_cpu(const char *controllers)
{
    const size_t length = strlen(controllers);
    for (const char *at = controllers; at <= controllers + length; at += strcspn(at, ",") + 1) {
        if (strcspn(at, ",") == 3 && strncmp(at, "cpu", 3) == 0) {
            return true;
        }
    }
    return false;
}

/* A line "0::/group" is of version 2, "4:cpu,cpuacct:/group" of version 1. */
static void take_line(char *line, const char *mounted, cgroup_quota *q)
{
    char folder[PATH_MAX];
    line[strcspn(line, "\n")] = '\0';
    char *controllers = strchr(line, ':');
    char *group = controllers == NULL ? NULL : strchr(controllers + 1, ':');
    if (group == NULL) {
        return;
    }
    controllers++;
    *group++ = '\0';
    if (*controllers == '\0') {
        climb(mounted, group, q);
        (void)snprintf(folder, sizeof folder, "%s/unified", mounted);
        climb(folder, group, q);
    } else if (has_cpu(controllers)) {
        (void)snprintf(folder, sizeof folder, "%s/%s", mounted, controllers);
        climb(folder, group, q);
        (void)snprintf(folder, sizeof folder, "%s/cpu", mounted);
        climb(folder, group, q);
    }
}

void cgroup_find_quota(const char *groups, const char *mounted, cgroup_quota *q)
{
    char line[LINE_BYTES];
    *q = (cgroup_quota){.cores = 0};
    FILE *file = fopen(groups, "re");
    if (file == NULL) {
        return;
    }
    while (fgets(line, sizeof line, file) != NULL) {
        take_line(line, mounted, q);
    }
    (void)fclose(file);
}

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

int64_t cgroup_memory_kills_in(const char *path)
{
    char text[EVENTS_BYTES];
    uint64_t kills = 0;
    (void)host_read_file(text, sizeof text, "%s", path);
    const char *at = find_line(text, "oom_kill ");
    return at != NULL && number_take(&at, &kills) && kills <= INT64_MAX ? (int64_t)kills : -1;
}

/* The path of the process's own group of version 2, "0::/…". */
static bool own_group(char path[PATH_MAX])
{
    char text[PATH_MAX - 64];
    (void)host_read_file(text, sizeof text, "/proc/self/cgroup");
    const char *group = find_line(text, "0::");
    if (group != NULL) {
        (void)snprintf(path, PATH_MAX, "/sys/fs/cgroup%.*s/memory.events",
                       (int)strcspn(group, "\n"), group);
    }
    return group != NULL;
}

int64_t cgroup_memory_kills(void)
{
    char path[PATH_MAX];
    const int64_t kills = own_group(path) ? cgroup_memory_kills_in(path) : -1;
    return kills >= 0 ? kills : cgroup_memory_kills_in("/proc/vmstat");
}
