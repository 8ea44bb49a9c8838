/* SPDX-License-Identifier: BSD-3-Clause */
/* The host: its name, the cores this process may use, processes by pid, whether a person looks on.
 */
#define _GNU_SOURCE 1
#include "base/host.h"

#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { SETS = HOST_MOST_CORES / CPU_SETSIZE };

void host_name(char name[HOST_NAME_BYTES])
{
    if (gethostname(name, HOST_NAME_BYTES) != 0) {
        (void)snprintf(name, HOST_NAME_BYTES, "unknown");
    }
    name[HOST_NAME_BYTES - 1] = '\0';
}

/* A kernel that can have more cores than there is room for refuses, and nothing is known. */
void host_get_cores(host_cores *cores)
{
    cpu_set_t sets[SETS];
    memset(cores, 0, sizeof *cores);
    if (sched_getaffinity(0, sizeof sets, sets) != 0) {
        cores->mask[0] = 1;
        return;
    }
    for (int core = 0; core < HOST_MOST_CORES; core++) {
        if (CPU_ISSET_S((size_t)core, sizeof sets, sets)) {
            host_add_core(cores, core);
        }
    }
}

bool host_bind_thread(const host_cores *cores)
{
    cpu_set_t sets[SETS];
    CPU_ZERO_S(sizeof sets, sets);
    for (int core = 0; core < HOST_MOST_CORES; core++) {
        if (host_has_core(cores, core)) {
            CPU_SET_S((size_t)core, sizeof sets, sets);
        }
    }
    return sched_setaffinity(0, sizeof sets, sets) == 0;
}

bool host_has_core(const host_cores *cores, int core)
{
    return core >= 0 && core < HOST_MOST_CORES && (cores->mask[core / 64] >> (core % 64) & 1) != 0;
}

void host_add_core(host_cores *cores, int core)
{
    cores->mask[core / 64] |= UINT64_C(1) << (core % 64);
}

int host_count_cores(const host_cores *cores)
{
    int count = 0;
    for (int i = 0; i < HOST_MASK_WORDS; i++) {
        for (uint64_t left = cores->mask[i]; left != 0; left &= left - 1) {
            count++;
        }
    }
    return count;
}

int host_online_cores(void)
{
    const long cores = sysconf(_SC_NPROCESSORS_ONLN);
    return cores > 0 ? (int)cores : 1;
}

bool host_cores_overlap(const host_cores *a, const host_cores *b)
{
    for (int i = 0; i < HOST_MASK_WORDS; i++) {
        if ((a->mask[i] & b->mask[i]) != 0) {
            return true;
        }
    }
    return false;
}

uint64_t host_process_start(int64_t pid)
{
    char path[64];
    char line[1024];
    (void)snprintf(path, sizeof path, "/proc/%lld/stat", (long long)pid);
    FILE *file = fopen(path, "re");
    if (file == NULL) {
        return 0;
    }
    const size_t length = fread(line, 1, sizeof line - 1, file);
    (void)fclose(file);
    line[length] = '\0';
    /* The program's name, in brackets, may hold anything; field 22 is the 20th behind it. */
    const char *at = strrchr(line, ')');
    for (int i = 0; at != NULL && i < 20; i++) {
        at = strchr(at + 1, ' ');
    }
    return at == NULL ? 0 : strtoull(at, NULL, 10);
}

bool host_on_terminal(void)
{
    if (isatty(STDERR_FILENO)) {
        return true;
    }
    if (getenv("OMPI_COMM_WORLD_RANK") == NULL) {
        return false;
    }
    char path[64];
    char target[256];
    (void)snprintf(path, sizeof path, "/proc/%ld/fd/2", (long)getppid());
    const ssize_t length = readlink(path, target, sizeof target - 1);
    if (length <= 0) {
        return false;
    }
    target[length] = '\0';
    return strncmp(target, "/dev/pts/", 9) == 0 || strncmp(target, "/dev/tty", 8) == 0;
}
