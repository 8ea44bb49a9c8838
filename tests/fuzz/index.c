/* SPDX-License-Identifier: BSD-3-Clause */
/* Fuzzes the index of a result, with a check that always fits: whatever it says, what is believed
 * of it lies in the file, and no two things have the same place. */
#define _GNU_SOURCE 1
#include "store/format/index.h"
#include "store/format/extent.h"
#include "store/format/xxh3.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum { FILE_BYTES = 20000, TAIL_BYTES = 32, MAPS = 2 };

static job *jobs[MAPS];
static unsigned char index_bytes[8192];
static size_t count;
static int fd;
static char path[64];

static void demand(bool holds)
{
    if (!holds) {
        abort();
    }
}

/* What HDF5 would have made: a few bytes, and the places of the datasets. */
static void make_file(void)
{
    static const int64_t ten = 10;
    metadata_layout layouts[MAPS];
    error e = {.status = WEFT_OK};
    int64_t at = 1000;
    for (int i = 0; i < MAPS; i++) {
        demand(job_create(i == 0 ? "one" : "two", 1, &ten, &jobs[i], &e) == WEFT_OK);
        demand(job_add_field(jobs[i], "a", WEFT_FLOAT64, 0, NULL, NULL, NULL, &e) == WEFT_OK);
        demand(job_settle(jobs[i], 0, 1, &e) == WEFT_OK);
        layouts[i] = (metadata_layout){.tiles_offset = at,
                                       .leases_offset = at + 640,
                                       .failures_offset = at + 700,
                                       .failure_rows = 10,
                                       .map = i,
                                       .runs_offset = 10000,
                                       .run_rows = 2,
                                       .file_bytes = FILE_BYTES};
        layouts[i].field_offset[0] = at + 2000;
        at += 4000;
    }
    fd = memfd_create("fuzz", MFD_CLOEXEC);
    (void)snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    demand(fd >= 0 && ftruncate(fd, FILE_BYTES) == 0 && pwrite(fd, "metadata", 8, 0) == 8);
    demand(index_append(fd, path, MAPS, jobs, layouts, &e) == WEFT_OK);
    count = (size_t)lseek(fd, 0, SEEK_END) - FILE_BYTES;
    demand(count > TAIL_BYTES && count <= sizeof index_bytes &&
           pread(fd, index_bytes, count, FILE_BYTES) == (ssize_t)count);
}

static void check(const metadata_layout layouts[])
{
    extents all = {.list = NULL};
    extents_collect(&all, MAPS, jobs, layouts);
    extents_sort(&all);
    for (int64_t i = 0; i < all.count; i++) {
        demand(all.list[i].offset >= 0 && all.list[i].bytes <= FILE_BYTES - all.list[i].offset);
    }
    demand(extents_find_overlap(&all) == NULL);
    extents_clear(&all);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Of three bytes each, two say which byte of the index the third replaces. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (jobs[0] == NULL) {
        make_file();
    }
    unsigned char changed[sizeof index_bytes];
    memcpy(changed, index_bytes, count);
    for (size_t at = 0; at + 3 <= size; at += 3) {
        const size_t place = (data[at] | (size_t)data[at + 1] << 8) % count;
        changed[place] = data[at + 2];
    }
    const uint64_t seal = XXH3_64bits(changed, count - TAIL_BYTES);
    memcpy(changed + count - 24, &seal, sizeof seal);
    demand(pwrite(fd, changed, count, FILE_BYTES) == (ssize_t)count);
    metadata_layout layouts[MAPS];
    char build[BUILD_TEXT_BYTES];
    demand(size > 0 || index_read(path, MAPS, jobs, false, layouts, build));
    if (index_read(path, MAPS, jobs, size % 2 == 1, layouts, build)) {
        check(layouts);
        demand(memchr(build, '\0', sizeof build) != NULL);
    }
    return 0;
}
