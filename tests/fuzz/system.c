/* SPDX-License-Identifier: BSD-3-Clause */
/* libFuzzer target: what Slurm and the kernel say, in arbitrary bytes: a line of squeue's, the
 * process's control groups, the files in them. */
#define _GNU_SOURCE 1
#include "host/cgroup.h"
#include "host/slurm.h"

#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum { MOST_BYTES = 4096, UNTOUCHED = -7 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void demand(bool holds)
{
    if (!holds) {
        abort();
    }
}

/* The bytes as a file: its path. */
static int make_file(const uint8_t *data, size_t size, char path[64])
{
    const int fd = memfd_create("fuzz", MFD_CLOEXEC);
    demand(fd >= 0 && write(fd, data, size) == (ssize_t)size);
    (void)snprintf(path, 64, "/proc/self/fd/%d", fd);
    return fd;
}

static void check_texts(const char *text)
{
    static const char job[] = "7";
    int64_t end_s = UNTOUCHED;
    int64_t other = UNTOUCHED;
    demand(slurm_read_line(text, job, &end_s) ? end_s >= 0 : end_s == UNTOUCHED);
    demand(!slurm_groups_differ(text, job, &other) || other >= 0);
}

static void check_files(const char *path)
{
    cgroup_quota q;
    demand(cgroup_memory_kills_in(path) >= -1);
    cgroup_find_quota(path, "/proc/self/fd", &q);
    demand(isfinite(q.cores) && q.cores >= 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char path[64];
    char text[MOST_BYTES + 1] = "";
    size = size < MOST_BYTES ? size : MOST_BYTES;
    memcpy(text, data, size);
    check_texts(text);
    const int fd = make_file(data, size, path);
    check_files(path);
    (void)close(fd);
    return 0;
}
