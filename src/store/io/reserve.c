/* SPDX-License-Identifier: BSD-3-Clause */
/* Disk space for a result, reserved where the file system can, so that a full disk is an error
 * before anything is computed. */
#define _GNU_SOURCE 1
#include "store/io/reserve.h"

#include "base/log.h"
#include "store/io/bytes.h"
#include "store/io/fault.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

/* More than what a file has at its beginning. */
enum { SOME_BYTES = 1 << 20, BLOCK_BYTES = 512 };

/* The bytes that this process may still write to the disk of a file; false: that is not known. What
 * is set aside on a disk is for root. */
static bool find_room(int fd, double *bytes)
{
    struct statvfs disk;
    if (fstatvfs(fd, &disk) != 0 || disk.f_blocks == 0) {
        return false;
    }
    const fsblkcnt_t blocks = geteuid() == 0 ? disk.f_bfree : disk.f_bavail;
    *bytes = (double)blocks * (double)disk.f_frsize;
    return true;
}

/* 0, or errno. */
static int allocate(int fd, int64_t bytes)
{
    int failed = -1;
    do {
        failed = fallocate(fd, 0, 0, bytes);
    } while (failed != 0 && errno == EINTR);
    return failed == 0 ? 0 : errno;
}

static bool is_beyond_limit(int64_t bytes)
{
    struct rlimit limit;
    return getrlimit(RLIMIT_FSIZE, &limit) == 0 && limit.rlim_cur != RLIM_INFINITY &&
           (rlim_t)bytes > limit.rlim_cur;
}

/* Takes a file's first bytes, which tells whether space can be reserved there, and looks whether
 * the rest should fit; 0, or errno, and *room is what was free before. */
static int try_some(int fd, int64_t bytes, double *room)
{
    struct stat file;
    const bool known = find_room(fd, room);
    const int failed =
        is_beyond_limit(bytes) ? EFBIG : allocate(fd, bytes < SOME_BYTES ? bytes : SOME_BYTES);
    if (failed == 0 && known && fstat(fd, &file) == 0 &&
        (double)bytes - (double)file.st_blocks * BLOCK_BYTES > *room) {
        return ENOSPC;
    }
    return failed;
}

static bool is_unsupported(int number)
{
    return number == EOPNOTSUPP || number == ENOSYS;
}

static weft_status tell_failure(int number, const char *path, int64_t bytes, double room, error *e)
{
    return fault_set_full(e, number, room, "cannot reserve the %.1f MB that %s needs",
                          1e-6 * (double)bytes, path);
}

/* Some file systems find out that they are full only when they have to write. */
static weft_status write_some(int fd, const char *path, error *e)
{
    const off_t behind = lseek(fd, 0, SEEK_END);
    void *zeros = calloc(1, SOME_BYTES);
    if (zeros == NULL) {
        return error_memory(e, "the bytes of %s", path);
    }
    weft_status status = bytes_write(fd, path, zeros, SOME_BYTES, behind, e);
    if (status == WEFT_OK && fsync(fd) != 0) {
        const int number = errno;
        status = fault_set(e, number, path, "cannot write %s to disk", path);
    }
    free(zeros);
    return status;
}

static void warn_if_short(int fd, const char *path, int64_t bytes)
{
    double room = 0;
    if (find_room(fd, &room) && room < (double)bytes) {
        log_print(LOG_WARNING,
                  "%s needs %.1f MB, and of the %.1f MB that are free there none can be reserved: "
                  "the run will end when the disk is full, unless room is made before",
                  path, 1e-6 * (double)bytes, 1e-6 * room);
    }
}

weft_status reserve_check(int fd, const char *path, int64_t bytes, error *e)
{
    double room = 0;
    /* To take what is given back at once costs more than all else that is done for a small file. */
    if (bytes < SOME_BYTES && find_room(fd, &room) && room > SOME_BYTES &&
        !is_beyond_limit(bytes)) {
        return WEFT_OK;
    }
    const int number = try_some(fd, bytes, &room);
    return number == 0 || is_unsupported(number) ? WEFT_OK
                                                 : tell_failure(number, path, bytes, room, e);
}

weft_status reserve_new(int fd, const char *path, int64_t bytes, error *e)
{
    struct stat file = {.st_size = 0};
    const int number = allocate(fd, bytes);
    double room = 0;
    if (number != 0 && !is_unsupported(number)) {
        (void)find_room(fd, &room);
        return tell_failure(number, path, bytes, room, e);
    }
    weft_status status = WEFT_OK;
    if (number != 0) {
        warn_if_short(fd, path, bytes);
        status = write_some(fd, path, e);
    }
    if (status == WEFT_OK && (fstat(fd, &file) != 0 || file.st_size != bytes) &&
        ftruncate(fd, bytes) != 0) {
        const int failed = errno;
        status = fault_set(e, failed, path, "cannot write %s", path);
    }
    return status;
}

weft_status reserve_all(int fd, const char *path, error *e)
{
    struct stat file;
    double room = 0;
    if (fstat(fd, &file) != 0) {
        const int number = errno;
        return fault_set(e, number, path, "cannot examine %s", path);
    }
    int number = file.st_size == 0 ? 0 : try_some(fd, file.st_size, &room);
    if (number == 0 && file.st_size > SOME_BYTES) {
        number = allocate(fd, file.st_size);
    }
    return number == 0 || is_unsupported(number)
               ? WEFT_OK
               : tell_failure(number, path, file.st_size, room, e);
}
