/* SPDX-License-Identifier: BSD-3-Clause */
/* Disk space for a result, reserved where the file system can, so that a full disk is an error
 * before anything is computed. */
#define _GNU_SOURCE 1
#include "store/reserve.h"

#include "base/log.h"
#include "store/bytes.h"
#include "store/fault.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

/* More than what a file has at its beginning. */
enum { SOME_BYTES = 1 << 20 };

static weft_status reserve(int fd, const char *path, int64_t bytes, bool *unsupported, error *e)
{
    int failed = -1;
    do {
        failed = fallocate(fd, 0, 0, bytes);
    } while (failed != 0 && errno == EINTR);
    *unsupported = failed != 0 && (errno == EOPNOTSUPP || errno == ENOSYS);
    if (failed != 0 && !*unsupported) {
        const int number = errno;
        return fault_set(e, number, path, "cannot reserve the %.1f MB that %s needs",
                         1e-6 * (double)bytes, path);
    }
    return WEFT_OK;
}

/* Some file systems find out that they are full only when they have to write. */
static weft_status write_some(int fd, const char *path, error *e)
{
    void *zeros = calloc(1, SOME_BYTES);
    if (zeros == NULL) {
        return error_set(e, WEFT_ERR_MEMORY, "out of memory to create %s", path);
    }
    weft_status status = bytes_write(fd, path, zeros, SOME_BYTES, 0, e);
    if (status == WEFT_OK && fsync(fd) != 0) {
        const int number = errno;
        status = fault_set(e, number, path, "cannot write %s to disk", path);
    }
    free(zeros);
    return status;
}

static void warn_if_short(int fd, const char *path, int64_t bytes)
{
    struct statvfs disk;
    if (fstatvfs(fd, &disk) != 0) {
        return;
    }
    const double room = (double)disk.f_bavail * (double)disk.f_frsize;
    if (room < (double)bytes) {
        log_print(LOG_WARNING,
                  "%s needs %.1f MB, and of the %.1f MB that are free there none can be reserved: "
                  "the run will end when the disk is full, unless room is made before",
                  path, 1e-6 * (double)bytes, 1e-6 * room);
    }
}

weft_status reserve_probe(int fd, const char *path, int64_t bytes, error *e)
{
    bool unsupported = false;
    weft_status status = reserve(fd, path, bytes, &unsupported, e);
    if (status == WEFT_OK && unsupported) {
        warn_if_short(fd, path, bytes);
        status = write_some(fd, path, e);
    }
    if (status == WEFT_OK && ftruncate(fd, 0) != 0) {
        const int number = errno;
        status = fault_set(e, number, path, "cannot write %s", path);
    }
    return status;
}

weft_status reserve_all(int fd, const char *path, error *e)
{
    struct stat file;
    bool unsupported = false;
    if (fstat(fd, &file) != 0) {
        const int number = errno;
        return fault_set(e, number, path, "cannot examine %s", path);
    }
    return file.st_size == 0 ? WEFT_OK : reserve(fd, path, file.st_size, &unsupported, e);
}
