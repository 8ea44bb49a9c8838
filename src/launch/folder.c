/* SPDX-License-Identifier: BSD-3-Clause */
/* A run's folder, and whose it is. */
#define _GNU_SOURCE 1
#include "launch/folder.h"

#include "host/host.h"
#include "host/outcome_file.h"
#include "host/owner.h"
#include "host/process.h"
#include "launch/message.h"
#include "launch/words.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

static const char owner_name[] = "owner";

/* Colons, since no name of a host has one. */
static char *begin_name(void)
{
    char host[HOST_NAME_BYTES];
    host_name(host);
    return words_text(".weft-run-%s:", host);
}

/* Where the file system has no locks, the process alone says whether the launcher lives. */
static weft_status write_owner(folder *f, error *e)
{
    char *path = words_text("%s/%s", f->path, owner_name);
    f->lock = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    free(path);
    if (f->lock < 0) {
        return error_system(e, errno, "cannot create a file in %s", f->path);
    }
    (void)flock(f->lock, LOCK_EX | LOCK_NB);
    return owner_write(f->lock) ? WEFT_OK : error_system(e, errno, "cannot write to %s", f->path);
}

weft_status folder_make(folder *f, const char *parent, error *e)
{
    char *beginning = begin_name();
    f->lock = -1;
    f->path = words_text("%s/%s%ld:XXXXXX", parent, beginning, (long)getpid());
    free(beginning);
    if (mkdtemp(f->path) == NULL) {
        const int number = errno;
        free(f->path);
        f->path = NULL;
        return error_system(e, number, "cannot make a folder in %s", parent);
    }
    f->done = words_text("%s/%s", f->path, OUTCOME_FILE);
    const weft_status status = write_owner(f, e);
    if (status != WEFT_OK) {
        folder_remove(f);
    }
    return status;
}

/* A file, or a folder that is empty; what does not go stays. */
static void remove_entry(int at, const char *entry, void *nothing)
{
    (void)nothing;
    if (unlinkat(at, entry, 0) != 0) {
        (void)unlinkat(at, entry, AT_REMOVEDIR);
    }
}

static void remove_all(int parent, const char *name)
{
    host_visit_folder(parent, name, remove_entry, NULL);
    (void)unlinkat(parent, name, AT_REMOVEDIR);
}

/* On NFS a file that is open leaves another name behind, and the folder could not go. Meanwhile the
 * process, which lives, protects it. */
void folder_remove(folder *f)
{
    if (f->lock >= 0) {
        (void)close(f->lock);
        f->lock = -1;
    }
    if (f->path != NULL) {
        remove_all(AT_FDCWD, f->path);
    }
    free(f->path);
    free(f->done);
    f->path = f->done = NULL;
}

/* Whether the launcher that made a folder is dead: only if that is certain. */
static bool is_stale(int parent, const char *name)
{
    struct stat is;
    owner launcher;
    if (fstatat(parent, name, &is, AT_SYMLINK_NOFOLLOW) != 0 || !S_ISDIR(is.st_mode) ||
        is.st_uid != geteuid()) {
        return false;
    }
    char *path = words_text("%s/%s", name, owner_name);
    const int fd = openat(parent, path, O_RDWR | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    free(path);
    if (fd < 0) {
        return false;
    }
    const bool is_free = flock(fd, LOCK_EX | LOCK_NB) == 0 || errno != EWOULDBLOCK;
    const bool stale =
        is_free && owner_read(fd, &launcher) == OWNER_NAMED && !owner_lives(&launcher, 0);
    (void)close(fd);
    return stale;
}

typedef struct search {
    const char *parent;
    const char *beginning; /* of the names of this host's folders */
} search;

static void remove_if_stale(int at, const char *entry, void *context)
{
    const search *s = context;
    if (strncmp(entry, s->beginning, strlen(s->beginning)) != 0) {
        return;
    }
    if (!is_stale(at, entry)) {
        message_print(LOG_DEBUG, "%s may be of a live run, and stays", entry);
        return;
    }
    char *done = words_text("%s/%s/%s", s->parent, entry, OUTCOME_FILE);
    message_print(LOG_DEBUG, "ending what is left of the run of %s", entry);
    process_end_all(OUTCOME_VARIABLE, done);
    free(done);
    remove_all(at, entry);
}

void folder_remove_stale(const char *parent)
{
    char *beginning = begin_name();
    search s = {.parent = parent, .beginning = beginning};
    host_visit_folder(AT_FDCWD, parent, remove_if_stale, &s);
    free(beginning);
}
