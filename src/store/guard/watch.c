/* SPDX-License-Identifier: BSD-3-Clause */
/* Notices that a result is taken away from under the run that writes it. */
#include "store/guard/watch.h"

#include "store/io/fault.h"

#include <errno.h>
#include <inttypes.h>
#include <stdbool.h>
#include <sys/stat.h>

/* The name leads elsewhere, or nowhere. */
static weft_status tell_lost(const char *path, bool exists, bool removed, error *e)
{
    const char *now = exists ? "there is another file now" : "there is none now";
    if (removed) {
        return error_set(e, WEFT_ERR_SYSTEM,
                         "%s was removed while the run was writing to it (%s): its results are "
                         "lost; if there is a copy, put it there; then run the same command again",
                         path, now);
    }
    return error_set(e, WEFT_ERR_SYSTEM,
                     "%s was moved away while the run was writing to it (%s): what is recorded is "
                     "in the file, wherever it is; move it back, then run the same command again "
                     "to continue",
                     path, now);
}

weft_status watch_file(int fd, const char *path, int64_t least_bytes, error *e)
{
    struct stat mine;
    struct stat there;
    if (fstat(fd, &mine) != 0) {
        const int number = errno;
        return fault_set(e, number, path, "cannot examine %s", path);
    }
    const bool exists = stat(path, &there) == 0;
    const bool gone = !exists && (errno == ENOENT || errno == ENOTDIR);
    const bool other = exists && (mine.st_ino != there.st_ino || mine.st_dev != there.st_dev);
    if (gone || other) {
        return tell_lost(path, exists, mine.st_nlink == 0, e);
    }
    if (mine.st_size < least_bytes) {
        return error_set(e, WEFT_ERR_CORRUPT,
                         "%s was cut to %" PRId64 " bytes while the run was writing to it, and "
                         "needs %" PRId64 ": results are lost; put a copy there, or start over "
                         "with --fresh",
                         path, (int64_t)mine.st_size, least_bytes);
    }
    return WEFT_OK;
}
