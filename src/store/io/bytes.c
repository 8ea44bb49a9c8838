/* SPDX-License-Identifier: BSD-3-Clause */
/* Whole reads and writes at an offset: interrupted and short ones are continued. */
#define _GNU_SOURCE 1
#include "store/io/bytes.h"

#include "store/io/fault.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <stdbool.h>
#include <sys/vfs.h>
#include <unistd.h>

/* Linux was seen to take several times as long for the same bytes in larger writes. */
enum { PIECE_BYTES = 1 << 20 };

static bool is_on_nfs(int fd)
{
    struct statfs system;
    return fstatfs(fd, &system) == 0 && system.f_type == NFS_SUPER_MAGIC;
}

weft_status bytes_open(const char *path, int *fd, error *e)
{
    *fd = open(path, O_RDONLY | O_CLOEXEC);
    if (*fd < 0) {
        const int number = errno;
        return fault_set(e, number, path, "cannot open %s for reading", path);
    }
    if (is_on_nfs(*fd)) {
        /* There it has no rules of alignment. */
        (void)fcntl(*fd, F_SETFL, O_DIRECT);
    }
    return WEFT_OK;
}

void bytes_forget(int fd)
{
    if (is_on_nfs(fd)) {
        (void)posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED);
    }
}

weft_status bytes_write(int fd, const char *path, const void *bytes, size_t count, int64_t offset,
                        error *e)
{
    const char *from = bytes;
    while (count > 0) {
        const size_t interval = count < PIECE_BYTES ? count : PIECE_BYTES;
        const ssize_t written = pwrite(fd, from, interval, (off_t)offset);
        if (written < 0 && errno == EINTR) {
            continue;
        }
        if (written <= 0) {
            const int number = written < 0 ? errno : ENOSPC;
            return fault_set(e, number, path, "cannot write %zu bytes at %lld of %s", count,
                             (long long)offset, path);
        }
        from += written;
        offset += written;
        count -= (size_t)written;
    }
    return WEFT_OK;
}

weft_status bytes_read(int fd, const char *path, void *bytes, size_t count, int64_t offset,
                       error *e)
{
    char *to = bytes;
    while (count > 0) {
        const ssize_t got = pread(fd, to, count, (off_t)offset);
        if (got < 0 && errno == EINTR) {
            continue;
        }
        if (got < 0) {
            const int number = errno;
            return fault_set(e, number, path, "cannot read %zu bytes at %lld of %s", count,
                             (long long)offset, path);
        }
        if (got == 0) {
            return error_set(e, WEFT_ERR_CORRUPT, "%s is truncated: it ends before byte %lld", path,
                             (long long)offset + (long long)count);
        }
        to += got;
        offset += got;
        count -= (size_t)got;
    }
    return WEFT_OK;
}
