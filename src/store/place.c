/* SPDX-License-Identifier: BSD-3-Clause */
/* The place of a result: where its path leads, and how an earlier file there is put aside. */
#define _GNU_SOURCE 1
#include "store/place.h"

#include "base/log.h"
#include "store/fault.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { MOST_LINKS = 40, MOST_BACKUPS = 1000 };

static weft_status too_long(const char *path, error *e)
{
    return error_set(e, WEFT_ERR_USAGE, "the path %.80s… is too long", path);
}

/* Follows one link, if the path is one; false: what comes out is too long. */
static bool follow(char path[PLACE_PATH_BYTES], bool *followed)
{
    char target[PLACE_PATH_BYTES];
    const ssize_t length = readlink(path, target, sizeof target);
    *followed = length >= 0;
    if (length < 0) {
        return true;
    }
    const char *slash = target[0] == '/' ? NULL : strrchr(path, '/');
    const size_t folder = slash == NULL ? 0 : (size_t)(slash - path) + 1;
    if (folder + (size_t)length >= PLACE_PATH_BYTES) {
        return false;
    }
    memcpy(path + folder, target, (size_t)length);
    path[folder + (size_t)length] = '\0';
    return true;
}

weft_status place_find(const char *given, char path[PLACE_PATH_BYTES], error *e)
{
    bool followed = true;
    if (snprintf(path, PLACE_PATH_BYTES, "%s", given) >= PLACE_PATH_BYTES) {
        return too_long(given, e);
    }
    for (int links = 0; followed; links++) {
        if (links == MOST_LINKS) {
            return fault_set(e, ELOOP, given, "cannot find %s", given);
        }
        if (!follow(path, &followed)) {
            return too_long(given, e);
        }
    }
    return WEFT_OK;
}

/* Gives a file a name that none has; 0, or why not: EEXIST if one has it. */
static int rename_to_new(const char *from, const char *to)
{
    if (renameat2(AT_FDCWD, from, AT_FDCWD, to, RENAME_NOREPLACE) == 0) {
        return 0;
    }
    if (errno != EINVAL && errno != ENOSYS) {
        return errno;
    }
    /* NFS, for one, cannot do that. */
    if (link(from, to) == 0) {
        return unlink(from) == 0 ? 0 : errno;
    }
    if (errno != EPERM && errno != EOPNOTSUPP && errno != ENOSYS) {
        return errno;
    }
    /* Nor have all file systems links. The lock keeps other runs from doing the same meanwhile. */
    struct stat there;
    if (lstat(to, &there) == 0) {
        return EEXIST;
    }
    return rename(from, to) == 0 ? 0 : errno;
}

weft_status place_clear(const char *path, error *e)
{
    char backup[PLACE_PATH_BYTES];
    struct stat file;
    int number = EEXIST;
    if (stat(path, &file) == 0 && !S_ISREG(file.st_mode)) {
        return error_set(e, WEFT_ERR_FORMAT, "--fresh: %s is not a file; it is left alone", path);
    }
    for (int i = 1; number == EEXIST && i <= MOST_BACKUPS; i++) {
        char count[16] = "";
        if (i > 1) {
            (void)snprintf(count, sizeof count, ".%d", i);
        }
        if (snprintf(backup, sizeof backup, "%s.bak%s", path, count) >= (int)sizeof backup) {
            return too_long(path, e);
        }
        number = rename_to_new(path, backup);
    }
    if (number != 0 && number != ENOENT) {
        return fault_set(e, number, path, "--fresh: cannot move %s to %s", path, backup);
    }
    if (number == 0) {
        log_print(LOG_INFO, "--fresh: the earlier %s is %s now", path, backup);
    }
    return WEFT_OK;
}
