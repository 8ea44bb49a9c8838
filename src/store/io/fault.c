/* SPDX-License-Identifier: BSD-3-Clause */
/* What a failed file-system call means to a user: which host, which file, why, and what to do. */
#include "store/io/fault.h"

#include "base/number.h"
#include "host/host.h"

#include <errno.h>
#include <libgen.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/statvfs.h>

static void append(error *e, const char *text)
{
    number_append(e->text, sizeof e->text, "%s", text);
}

/* The disk of a file, or of the folder that it would be in. */
static bool find_disk(const char *path, struct statvfs *disk)
{
    char folder[4096];
    if (statvfs(path, disk) == 0) {
        return true;
    }
    return snprintf(folder, sizeof folder, "%s", path) < (int)sizeof folder &&
           statvfs(dirname(folder), disk) == 0;
}

static void append_room(error *e, double free_bytes, bool inodes)
{
    char text[80];
    (void)number_print(text, sizeof text, " (%.1f MB are free there%s)", 1e-6 * free_bytes,
                       inodes ? "" : ", and no inode");
    append(e, text);
}

/* How full the disk is; nothing, if it does not say. */
static void append_free(error *e, const char *path)
{
    struct statvfs disk;
    if (find_disk(path, &disk)) {
        append_room(e, (double)disk.f_bavail * (double)disk.f_frsize,
                    disk.f_files == 0 || disk.f_favail > 0);
    }
}

/* What to do before the same command is run again. */
static const char *advice(int number)
{
    switch (number) {
    case ENOSPC:
        return "make room there";
    case EDQUOT:
        return "your quota there is used up: make room, or ask for more";
    case EROFS:
        return "the file system is read-only, perhaps since it found itself damaged: see dmesg on "
               "that host, have it repaired";
    case EIO:
        return "the disk, or its server, is failing: see dmesg on that host, have it repaired, "
               "look "
               "at the file with weft verify";
    case ESTALE:
        return "the file server does not know the file any more: it was removed or replaced from "
               "another host, or the server has changed; see that the file is there";
    case EFBIG:
        return "files may not be that large there: see ulimit -f, or take another file system";
    case EACCES:
    case EPERM:
        return "see the permissions there";
    default:
        return "fix the cause";
    }
}

static bool is_full(int number)
{
    return number == ENOSPC || number == EDQUOT;
}

static weft_status set_list(error *e, int number, const char *format, va_list arguments)
    WEFT_PRINTF(3, 0);

static weft_status set_list(error *e, int number, const char *format, va_list arguments)
{
    char what[ERROR_TEXT_BYTES / 2];
    char host[HOST_NAME_BYTES];
    (void)number_print_list(what, sizeof what, format, arguments);
    host_name(host);
    return error_system(e, number, "host %s: %s", host, what);
}

static void append_advice(error *e, int number)
{
    append(e, "; ");
    append(e, advice(number));
    append(e, ", then run the same command again");
}

weft_status fault_set(error *e, int number, const char *path, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    const weft_status status = set_list(e, number, format, arguments);
    va_end(arguments);
    if (is_full(number)) {
        append_free(e, path);
    }
    append_advice(e, number);
    return status;
}

weft_status fault_set_full(error *e, int number, double free_bytes, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    const weft_status status = set_list(e, number, format, arguments);
    va_end(arguments);
    if (is_full(number)) {
        append_room(e, free_bytes, true);
    }
    append_advice(e, number);
    return status;
}
