/* SPDX-License-Identifier: BSD-3-Clause */
/* The lock beside a result, FILE.lock: one run writes at a time. */
#define _GNU_SOURCE 1
#include "store/guard/lock.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/number.h"
#include "host/owner.h"
#include "store/guard/place.h"
#include "store/io/fault.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { MOST_TRIES = 100, MOST_HEIRS = 8, HOLDER_BYTES = 400 };

struct lock {
    int fd;
    char result[PLACE_PATH_BYTES]; /* its path as it was given */
    char path[PLACE_PATH_BYTES];
};

/* Beside the file itself, also where the result is named by a symbolic link, and still there when
 * the program goes to another folder. */
static bool lock_path(const char *result, char path[PLACE_PATH_BYTES])
{
    char whole[PLACE_PATH_BYTES];
    return place_whole(result, whole) &&
           snprintf(path, PLACE_PATH_BYTES, "%s.lock", whole) < PLACE_PATH_BYTES;
}

/* What the file system's clock says, which is that of a file's times: no other host's may be
 * compared with them. This host's, where no file can be made beside it. */
static double file_clock_s(const char *path)
{
    char name[PLACE_PATH_BYTES];
    struct stat file;
    double now = clock_wall_s();
    const int fd = snprintf(name, sizeof name, "%s.XXXXXX", path) < (int)sizeof name
                       ? mkostemp(name, O_CLOEXEC)
                       : -1;
    if (fd >= 0) {
        now = fstat(fd, &file) == 0 ? (double)file.st_mtim.tv_sec : now;
        (void)unlink(name);
        (void)close(fd);
    }
    return now;
}

/* Where no lock of the operating system can be had: whether the process that a file names lives. A
 * file that names none yet is about to. */
static bool owner_alive(int fd, double now_s)
{
    owner o;
    struct stat file;
    (void)owner_read(fd, &o);
    return owner_lives(&o, fstat(fd, &file) == 0 ? now_s - (double)file.st_mtim.tv_sec : 0);
}

static int set_lock(int fd, short type)
{
    struct flock region = {.l_type = type, .l_whence = SEEK_SET};
    return fcntl(fd, F_OFD_SETLK, &region) == 0 ? 0 : errno;
}

/* What stands in the way of a write lock: F_WRLCK, which every run has on its file, F_RDLCK, which
 * none has, or F_UNLCK. *pid: who that is, 0 if it is not said, as of a run. False: locks cannot be
 * had. */
static bool find_obstacle(int fd, short *type, int64_t *pid)
{
    struct flock region = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
    if (fcntl(fd, F_OFD_GETLK, &region) != 0) {
        return false;
    }
    *type = region.l_type;
    *pid = region.l_type != F_UNLCK && region.l_pid > 0 ? region.l_pid : 0;
    return true;
}

/* Who has written the file. */
static void describe_owner(int fd, char *text, size_t bytes)
{
    owner o;
    if (owner_read(fd, &o) == OWNER_NAMED) {
        owner_describe(&o, text, bytes);
    } else {
        (void)snprintf(text, bytes, "a process that has not written its name yet");
    }
}

/* Who holds the file: the process that it names, unless the system knows better. */
static void describe_holder(int fd, char *text, size_t bytes)
{
    owner o;
    short type = F_UNLCK;
    int64_t pid = 0;
    const bool named = owner_read(fd, &o) == OWNER_NAMED;
    const bool locked = find_obstacle(fd, &type, &pid) && type != F_UNLCK;
    if (pid > 0) {
        (void)snprintf(text, bytes, "process %" PRId64 ", which is no run of weft", pid);
        return;
    }
    describe_owner(fd, text, bytes);
    if (locked && named && !owner_lives(&o, 0)) {
        number_append(text, bytes, ", which is gone: by a process that it started");
    }
}

typedef enum attempt { TAKEN, HELD, FOREIGN, REMOVED, UNWRITABLE, BROKEN } attempt;

/* A try to get the lock, and what has come of it. */
typedef struct taking {
    const char *path;
    int fd;     /* the lock file; once TAKEN the lock */
    int number; /* UNWRITABLE, BROKEN: errno */
    char holder[HOLDER_BYTES];
} taking;

/* The file that is to take the place of one without a holder. */
typedef struct heir {
    int fd;
    char name[PLACE_PATH_BYTES];
} heir;

static bool heir_name(const char *path, int fd, char name[PLACE_PATH_BYTES])
{
    struct stat file;
    return fstat(fd, &file) == 0 && snprintf(name, PLACE_PATH_BYTES, "%s.%" PRIx64, path,
                                             (uint64_t)file.st_ino) < PLACE_PATH_BYTES;
}

/* Makes an heir to an open file. Its name holds the other's inode, so that of many that want to
 * inherit only one can. Where that one has died before it could, there is an heir to it in turn. */
static attempt make_heir(taking *t, int fd, int depth, heir *h)
{
    char name[PLACE_PATH_BYTES];
    attempt result = BROKEN;
    if (depth == MOST_HEIRS || !heir_name(t->path, fd, name)) {
        t->number = ENAMETOOLONG;
        return BROKEN;
    }
    h->fd = open(name, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0666);
    if (h->fd >= 0) {
        memcpy(h->name, name, sizeof name);
        return TAKEN;
    }
    t->number = errno;
    const int other = t->number == EEXIST ? place_open(name, O_RDONLY) : -1;
    if (other < 0) {
        return t->number == EEXIST && errno == ENOENT ? REMOVED : BROKEN;
    }
    if (owner_alive(other, file_clock_s(t->path))) {
        describe_owner(other, t->holder, sizeof t->holder);
        result = HELD;
    } else {
        result = make_heir(t, other, depth + 1, h);
    }
    (void)close(other);
    return result;
}

/* Heirs that died before they could inherit are not needed once another has inherited. */
static void remove_heirs(const char *path, int fd)
{
    char name[PLACE_PATH_BYTES];
    int next = heir_name(path, fd, name) ? place_open(name, O_RDONLY) : -1;
    while (next >= 0) {
        const int now = next;
        (void)unlink(name);
        next = heir_name(path, now, name) ? place_open(name, O_RDONLY) : -1;
        (void)close(now);
    }
}

/* Puts a new file in the place of one that no run holds. Where there are locks of the system, the
 * old one is locked for reading, as others do: no run can get it for writing meanwhile. */
static attempt replace(taking *t, bool locks)
{
    heir h = {.fd = -1};
    if (locks && set_lock(t->fd, F_RDLCK) != 0) {
        return REMOVED;
    }
    attempt result = make_heir(t, t->fd, 0, &h);
    if (result != TAKEN) {
        return result;
    }
    (void)owner_write(h.fd); /* without it the lock holds as well */
    if (!place_is_file(t->path, t->fd)) {
        result = REMOVED;
    } else if (locks && set_lock(h.fd, F_WRLCK) != 0) {
        describe_holder(h.fd, t->holder, sizeof t->holder);
        result = HELD;
    } else if (rename(h.name, t->path) != 0) {
        t->number = errno;
        result = BROKEN;
    }
    if (result != TAKEN) {
        (void)unlink(h.name);
        (void)close(h.fd);
        return result;
    }
    remove_heirs(t->path, t->fd);
    (void)close(t->fd);
    t->fd = h.fd;
    return TAKEN;
}

/* Somebody else has a lock on the file. One for reading keeps runs out, and says nothing of any. */
static attempt try_locked(taking *t)
{
    short type = F_UNLCK;
    int64_t pid = 0;
    if (!find_obstacle(t->fd, &type, &pid) || type == F_UNLCK) {
        return REMOVED;
    }
    if (type == F_WRLCK) {
        describe_holder(t->fd, t->holder, sizeof t->holder);
        return HELD;
    }
    const attempt result = replace(t, true);
    if (result == TAKEN) {
        char who[32] = "another process";
        if (pid > 0) {
            (void)snprintf(who, sizeof who, "process %" PRId64, pid);
        }
        log_print(
            LOG_WARNING,
            "%s was locked for reading, by %s, as no run of weft does it: a new one has taken "
            "its place",
            t->path, who);
    }
    return result;
}

static attempt try_take(taking *t, bool created)
{
    owner o;
    if (!created && owner_read(t->fd, &o) == OWNER_FOREIGN) {
        return place_is_file(t->path, t->fd) ? FOREIGN : REMOVED;
    }
    const int number = set_lock(t->fd, F_WRLCK);
    if (number == 0) {
        /* Its last holder may have removed it. */
        if (!place_is_file(t->path, t->fd)) {
            return REMOVED;
        }
        (void)owner_write(t->fd);
        return TAKEN;
    }
    if (number == EAGAIN || number == EACCES) {
        return try_locked(t);
    }
    if (created) {
        (void)owner_write(t->fd);
        return TAKEN;
    }
    if (owner_alive(t->fd, file_clock_s(t->path))) {
        describe_owner(t->fd, t->holder, sizeof t->holder);
        return HELD;
    }
    return replace(t, false);
}

/* Whether a run holds an open lock file, other than through this descriptor. Nothing may be written
 * to find that out: where there are no locks, a process that cannot be seen is judged by this
 * host's clock. */
static bool is_held(int fd)
{
    owner o;
    short type = F_UNLCK;
    int64_t pid = 0;
    if (owner_read(fd, &o) == OWNER_FOREIGN) {
        return false;
    }
    if (!find_obstacle(fd, &type, &pid)) {
        return owner_alive(fd, clock_wall_s());
    }
    return type == F_WRLCK || owner_lives(&o, (double)INFINITY);
}

/* Whether a run holds a foreign file, as far as that can be read. */
static attempt look_at_others(taking *t)
{
    struct stat file;
    const int fd = place_open(t->path, O_RDONLY);
    const unsigned long user = lstat(t->path, &file) == 0 ? (unsigned long)file.st_uid : 0;
    if (fd < 0) {
        (void)snprintf(t->holder, sizeof t->holder,
                       "a process of user %lu, perhaps: its lock cannot be read", user);
        return HELD;
    }
    const bool held = is_held(fd);
    describe_holder(fd, t->holder, sizeof t->holder);
    number_append(t->holder, sizeof t->holder, ", of user %lu", user);
    (void)close(fd);
    return held ? HELD : UNWRITABLE;
}

/* Makes the file, or opens the one that is there, and tries to get it. */
static attempt try_open(taking *t)
{
    const int flags = O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC;
    t->fd = open(t->path, flags, 0666);
    const bool created = t->fd >= 0;
    if (!created && errno != EEXIST) {
        t->number = errno;
        return BROKEN;
    }
    if (!created) {
        t->fd = place_open(t->path, O_RDWR);
        t->number = t->fd < 0 ? errno : 0;
    }
    switch (t->number) {
    case 0:
        return try_take(t, created);
    case ENOENT:
        return REMOVED;
    case EMEDIUMTYPE:
        return FOREIGN;
    case EACCES:
    case EPERM:
        return look_at_others(t);
    default:
        return BROKEN;
    }
}

/* Whether it is the path that is wrong, and not the disk. */
static bool is_wrong_path(int number)
{
    return number == ENOENT || number == ENOTDIR || number == EACCES || number == EPERM ||
           number == ENAMETOOLONG || number == ELOOP || number == EISDIR;
}

static weft_status refuse_path(const lock *l, int number, error *e)
{
    if (is_wrong_path(number)) {
        (void)error_system(e, number,
                           "%s cannot be made, for which its folder must exist, and you must be "
                           "allowed to write there",
                           l->result);
        e->status = WEFT_ERR_USAGE;
        return WEFT_ERR_USAGE;
    }
    return fault_set(e, number, l->path, "cannot lock %s: cannot create %s", l->result, l->path);
}

static weft_status refuse(const lock *l, attempt result, const taking *t, error *e)
{
    switch (result) {
    case HELD:
        return error_set(e, WEFT_ERR_BUSY,
                         "%s is in use by %s; wait for it, or give another --out (if you are "
                         "sure that it is gone: rm %s)",
                         l->result, t->holder, l->path);
    case FOREIGN:
        return error_set(e, WEFT_ERR_FORMAT,
                         "%s is in the way: that is not a lock of weft; it is left alone, move it "
                         "away or give another --out",
                         l->path);
    case UNWRITABLE:
        return error_set(
            e, WEFT_ERR_USAGE,
            "%s was in use by %s, who has left %s behind, and you may not write to it; "
            "have it removed, or give another --out",
            l->result, t->holder, l->path);
    case BROKEN:
        return refuse_path(l, t->number, e);
    case TAKEN:
    case REMOVED:
        break;
    }
    return error_set(e, WEFT_ERR_SYSTEM, "cannot take the lock %s: it keeps being removed",
                     l->path);
}

/* Opens the lock file and takes it; the descriptor, once that has worked. */
static weft_status take_file(const lock *l, int *taken, error *e)
{
    taking t = {.path = l->path, .fd = -1};
    attempt result = REMOVED;
    for (int tries = 0; result == REMOVED && tries < MOST_TRIES; tries++) {
        t.number = 0;
        result = try_open(&t);
        if (result != TAKEN && t.fd >= 0) {
            (void)close(t.fd);
        }
    }
    if (result != TAKEN) {
        return refuse(l, result, &t, e);
    }
    *taken = t.fd;
    return WEFT_OK;
}

weft_status lock_take(const char *path, lock **out, error *e)
{
    lock *l = calloc(1, sizeof *l);
    if (l == NULL) {
        return error_memory(e, "the lock of %s", path);
    }
    const bool fits = snprintf(l->result, sizeof l->result, "%s", path) < (int)sizeof l->result &&
                      lock_path(path, l->path);
    const weft_status status =
        fits ? take_file(l, &l->fd, e)
             : error_set(e, WEFT_ERR_USAGE, "the path %.80s… is too long", path);
    if (status != WEFT_OK) {
        free(l);
        return status;
    }
    *out = l;
    return WEFT_OK;
}

weft_status lock_touch(lock *l, bool *lost, error *e)
{
    (void)futimens(l->fd, NULL);
    *lost = !place_is_file(l->path, l->fd);
    if (!*lost) {
        return WEFT_OK;
    }
    int fd = -1;
    const weft_status status = take_file(l, &fd, e);
    if (status == WEFT_OK) {
        (void)close(l->fd);
        l->fd = fd;
    }
    if (status == WEFT_ERR_BUSY) {
        return error_set(e, WEFT_ERR_SYSTEM,
                         "%s was removed, and another run has begun to write to %s: this one ends, "
                         "the other continues",
                         l->path, l->result);
    }
    /* That it cannot be created again does no harm as long as there is no other run. */
    return WEFT_OK;
}

void lock_release(lock *l)
{
    if (l != NULL) {
        /* First the name, then the lock, so that no run can take a file that is about to be
         * removed. */
        if (place_is_file(l->path, l->fd)) {
            (void)unlink(l->path);
        }
        (void)close(l->fd);
        free(l);
    }
}

void lock_forget(lock *l)
{
    if (l != NULL) {
        (void)close(l->fd);
        free(l);
    }
}

bool lock_holder(const char *path, char *text, size_t bytes)
{
    char name[PLACE_PATH_BYTES];
    text[0] = '\0';
    if (!lock_path(path, name)) {
        return false;
    }
    const int fd = place_open(name, O_RDONLY);
    if (fd < 0) {
        return false;
    }
    const bool held = is_held(fd);
    if (held) {
        describe_holder(fd, text, bytes);
    }
    (void)close(fd);
    return held;
}
