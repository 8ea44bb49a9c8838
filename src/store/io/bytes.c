/* SPDX-License-Identifier: BSD-3-Clause */
/* Whole reads and writes at an offset: interrupted and short ones are continued. */
#include "store/io/bytes.h"

#include "store/io/fault.h"

#include <errno.h>
#include <unistd.h>

/* Linux was seen to take several times as long for the same bytes in larger writes. */
enum { PIECE_BYTES = 1 << 20 };

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
