/* SPDX-License-Identifier: BSD-3-Clause */
/* The place of a result: where its path leads, and how an earlier file there is put aside. */
#define _GNU_SOURCE 1
#include "store/guard/place.h"

#include "base/array.h"
#include "base/log.h"
#include "store/io/fault.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { MOST_LINKS = 40, MOST_BACKUPS = 1000, PLACE_MAGIC_BYTES = 64 };

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

/* Whether a path is that of a folder, or can be that of one only. */
static bool is_folder(const char *path)
{
    struct stat there;
    const char *slash = strrchr(path, '/');
    const char *name = slash == NULL ? path : slash + 1;
    return name[0] == '\0' || strcmp(name, ".") == 0 || strcmp(name, "..") == 0 ||
           (stat(path, &there) == 0 && S_ISDIR(there.st_mode));
}

weft_status place_find(const char *given, char path[PLACE_PATH_BYTES], error *e)
{
    bool followed = true;
    if (is_folder(given)) {
        return error_set(e, WEFT_ERR_USAGE,
                         "'%s' names a folder, and not a file in it; --out with a '/' at its end "
                         "makes a file of the map's name there",
                         given);
    }
    if (snprintf(path, PLACE_PATH_BYTES, "%s", given) >= PLACE_PATH_BYTES) {
        return too_long(given, e);
    }
    for (int links = 0; followed; links++) {
        if (links == MOST_LINKS) {
            return error_set(e, WEFT_ERR_USAGE,
                             "%s is a link that leads from link to link without "
                             "end",
                             given);
        }
        if (!follow(path, &followed)) {
            return too_long(given, e);
        }
    }
    return WEFT_OK;
}

bool place_whole(const char *given, char path[PLACE_PATH_BYTES])
{
    char end[PLACE_PATH_BYTES];
    error ignored = {.status = WEFT_OK};
    const char *found = place_find(given, end, &ignored) == WEFT_OK ? end : given;
    char *target = realpath(found, NULL);
    char *copy = target != NULL ? NULL : strdup(found);
    char *folder = copy == NULL ? NULL : realpath(dirname(copy), NULL);
    const char *slash = strrchr(found, '/');
    int length = 0;
    if (folder != NULL) {
        length = snprintf(path, PLACE_PATH_BYTES, "%s/%s", strcmp(folder, "/") == 0 ? "" : folder,
                          slash != NULL ? slash + 1 : found);
    } else {
        length = snprintf(path, PLACE_PATH_BYTES, "%s", target != NULL ? target : found);
    }
    free(folder);
    free(copy);
    free(target);
    return length < PLACE_PATH_BYTES;
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

/* The files that this session has written to. */
typedef struct written {
    dev_t device;
    ino_t inode;
} written;

static written *all_written;
static size_t written_count;
static int64_t written_room;

static bool is_written(const struct stat *file)
{
    for (size_t i = 0; i < written_count; i++) {
        if (all_written[i].device == file->st_dev && all_written[i].inode == file->st_ino) {
            return true;
        }
    }
    return false;
}

weft_status place_remember(int fd, error *e)
{
    struct stat file;
    if (fstat(fd, &file) != 0 || is_written(&file)) {
        return WEFT_OK;
    }
    if (!ARRAY_RESERVE(all_written, written_room, (int64_t)written_count + 1)) {
        return error_memory(e, "the list of files that are written");
    }
    all_written[written_count++] = (written){.device = file.st_dev, .inode = file.st_ino};
    return WEFT_OK;
}

void place_forget(void)
{
    free(all_written);
    all_written = NULL;
    written_count = 0;
    written_room = 0;
}

weft_status place_look(const char *path, bool *earlier, error *e)
{
    struct stat file;
    const bool exists = stat(path, &file) == 0;
    if (exists && !S_ISREG(file.st_mode)) {
        return error_set(e, WEFT_ERR_FORMAT, "--fresh: %s is not a file; it is left alone", path);
    }
    *earlier = exists && !is_written(&file);
    return WEFT_OK;
}

weft_status place_clear(const char *path, error *e)
{
    char backup[PLACE_PATH_BYTES];
    int number = EEXIST;
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

int place_open(const char *path, int flags)
{
    struct stat file;
    /* To open a device may do something to it. */
    if (lstat(path, &file) != 0) {
        return -1;
    }
    const int fd = S_ISREG(file.st_mode)
                       ? open(path, flags | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC)
                       : -1;
    if (!S_ISREG(file.st_mode) || (fd >= 0 && (fstat(fd, &file) != 0 || !S_ISREG(file.st_mode)))) {
        if (fd >= 0) {
            (void)close(fd);
        }
        errno = EMEDIUMTYPE;
        return -1;
    }
    return fd;
}

bool place_is_foreign(const char *path, const char *magic, size_t bytes)
{
    char text[PLACE_MAGIC_BYTES];
    const size_t wanted = bytes < sizeof text ? bytes : sizeof text;
    const int fd = place_open(path, O_RDONLY);
    if (fd < 0) {
        return errno != ENOENT;
    }
    const ssize_t length = pread(fd, text, wanted, 0);
    (void)close(fd);
    return length != 0 && (length != (ssize_t)wanted || memcmp(text, magic, wanted) != 0);
}

bool place_is_file(const char *path, int fd)
{
    struct stat mine;
    struct stat there;
    return fstat(fd, &mine) == 0 && stat(path, &there) == 0 && mine.st_ino == there.st_ino &&
           mine.st_dev == there.st_dev;
}

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

weft_status place_check(int fd, const char *path, int64_t least_bytes, error *e)
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
