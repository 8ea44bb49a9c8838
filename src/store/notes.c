/* SPDX-License-Identifier: BSD-3-Clause */
/* The notes beside a result, FILE.notes: what every worker has in hand, for those who are there
 * after its death.
 *
 * A header, then what has been suspect for longer, then a part per rank, mapped by it alone, with a
 * line per worker. A note is two stores to memory; that the system writes the pages to the file,
 * also after a kill, costs the worker nothing. */
#define _GNU_SOURCE 1
#include "store/notes.h"

#include "base/log.h"
#include "store/bytes.h"
#include "store/mapped.h"
#include "store/place.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

enum { PATH_BYTES = 4096, KEPT_ROOM = 1024, CACHE_LINE = 64 };

typedef struct header {
    char magic[8];
    char job[WEFT_NAME_BYTES];
    int64_t items;
    uint64_t seed;
    int64_t parts_offset;
    notes_shape shape;
    int64_t kept_count;
    suspect kept[KEPT_ROOM];
} header;

static const char magic[8] = "weftnot1";

struct notes {
    char path[PATH_BYTES];
    int fd; /* open as long as the part is mapped: NFS writes everything back when it is closed */
    notes_shape shape;
    notes_line *lines;
};

/* Beside the file itself, also where the result is named by a symbolic link. */
static bool notes_path(const char *result, const char *suffix, char path[PATH_BYTES])
{
    char *target = realpath(result, NULL);
    const int length =
        snprintf(path, PATH_BYTES, "%s.notes%s", target != NULL ? target : result, suffix);
    free(target);
    return length < PATH_BYTES;
}

static int64_t round_up(int64_t bytes, int64_t unit)
{
    return (bytes + unit - 1) / unit * unit;
}

static int64_t parts_offset(const notes_shape *shape)
{
    /* A divisor of a part's size, and so of all offsets of parts. */
    return round_up((int64_t)sizeof(header), shape->part_bytes);
}

static void add(suspect list[], int64_t *used, const suspect *one, int64_t items)
{
    if (one->first >= 0 && one->count > 0 && one->first < items &&
        one->count <= items - one->first) {
        list[(*used)++] = *one;
    }
}

static const notes_line *lines_of(const header *h, int rank)
{
    const char *part = (const char *)h + h->parts_offset + rank * h->shape.part_bytes;
    return (const notes_line *)(const void *)part;
}

/* Adds what a part's lines say. One item that its rank had in hand and nothing else is known to be
 * the one; of several any may be. */
static void add_lines(suspect list[], int64_t *used, const notes_line lines[], int workers,
                      int64_t items)
{
    const int64_t before = *used;
    int busy = 0;
    for (int i = 0; i < workers; i++) {
        const suspect one = {.first =
                                 atomic_load_explicit(&lines[i].place, memory_order_relaxed) - 1,
                             .count = atomic_load_explicit(&lines[i].count, memory_order_relaxed)};
        busy += one.first >= 0;
        add(list, used, &one, items);
    }
    if (busy == 1 && *used > before) {
        list[before].crashes = list[before].count == 1;
    }
}

static bool same_job(const header *h, const job *j)
{
    return memcmp(h->magic, magic, sizeof magic) == 0 &&
           strncmp(h->job, j->name, sizeof h->job) == 0 && h->items == j->items.count &&
           h->seed == j->seed;
}

/* Whether the header fits a file of that size. */
static bool sound(const header *h, int64_t bytes)
{
    const notes_shape *s = &h->shape;
    return s->ranks > 0 && s->workers > 0 &&
           s->part_bytes >= s->workers * (int64_t)sizeof(notes_line) && s->part_bytes <= bytes &&
           s->ranks <= bytes / s->part_bytes && h->parts_offset == parts_offset(s) &&
           h->parts_offset + s->ranks * s->part_bytes == bytes && h->kept_count >= 0 &&
           h->kept_count <= KEPT_ROOM;
}

/* The whole of a file; NULL: there is none, or it cannot be read. */
static header *load(const char *path, int64_t *bytes)
{
    const int fd = open(path, O_RDONLY | O_CLOEXEC);
    struct stat file;
    header *h = NULL;
    error ignored;
    if (fd >= 0 && fstat(fd, &file) == 0 && file.st_size >= (off_t)sizeof *h) {
        const int64_t room = round_up(file.st_size, CACHE_LINE);
        h = aligned_alloc(CACHE_LINE, (size_t)room);
        if (h != NULL && bytes_read(fd, path, h, (size_t)file.st_size, 0, &ignored) != WEFT_OK) {
            free(h);
            h = NULL;
        }
        *bytes = file.st_size;
    }
    if (fd >= 0) {
        (void)close(fd);
    }
    return h;
}

/* All that a sound file says; NULL: out of memory. */
static suspect *list_all(const header *h, int64_t *used)
{
    const int64_t room = h->kept_count + h->shape.ranks * (int64_t)h->shape.workers;
    suspect *list = calloc((size_t)room + 1, sizeof *list);
    *used = 0;
    for (int64_t i = 0; i < h->kept_count && list != NULL; i++) {
        add(list, used, &h->kept[i], h->items);
    }
    for (int rank = 0; rank < h->shape.ranks && list != NULL; rank++) {
        add_lines(list, used, lines_of(h, rank), h->shape.workers, h->items);
    }
    return list;
}

weft_status notes_read_left(const char *result, const job *j, suspect **list, int64_t *count,
                            error *e)
{
    char path[PATH_BYTES];
    int64_t bytes = 0;
    header *h = notes_path(result, "", path) ? load(path, &bytes) : NULL;
    weft_status status = WEFT_OK;
    *list = NULL;
    *count = 0;
    if (h != NULL && same_job(h, j) && sound(h, bytes)) {
        *list = list_all(h, count);
        if (*list == NULL) {
            status = error_set(e, WEFT_ERR_MEMORY, "out of memory for the notes in %s", path);
        }
    } else if (h != NULL) {
        log_print(LOG_DEBUG, "%s is damaged, or another job's: it is not used", path);
    }
    free(h);
    return status;
}

/* A file of zeros with a header, on blocks that are really there: a store into a mapped hole ends
 * the process when the disk is full. */
static int make(const char *path, const header *h)
{
    const int64_t bytes = h->parts_offset + h->shape.ranks * h->shape.part_bytes;
    error ignored;
    (void)unlink(path);
    const int fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    if (fd < 0) {
        return errno;
    }
    int number = posix_fallocate(fd, 0, bytes);
    if (number == 0 && bytes_write(fd, path, h, sizeof *h, 0, &ignored) != WEFT_OK) {
        number = EIO;
    }
    (void)close(fd);
    if (number != 0) {
        (void)unlink(path);
    }
    return number;
}

static void keep(header *h, const suspect list[], int64_t count)
{
    for (int64_t i = 0; i < count && h->kept_count < KEPT_ROOM; i++) {
        h->kept[h->kept_count++] = list[i];
    }
}

/* Whether notes may be made under that name: of a person's own file they would be the end. */
static bool may_make(const char *path)
{
    const bool free = !place_is_foreign(path, magic, sizeof magic);
    if (!free) {
        log_print(LOG_WARNING,
                  "%s is in the way: that file is none of weft's and is left alone, so nothing is "
                  "noted of what is in hand when a process dies; move it away",
                  path);
    }
    return free;
}

void notes_create(const char *result, const job *j, int ranks, int workers, const suspect list[],
                  int64_t count, notes_shape *shape)
{
    char path[PATH_BYTES];
    char draft[PATH_BYTES];
    header *h = calloc(1, sizeof *h);
    int number = ENOMEM;
    *shape = (notes_shape){.part_bytes = 0};
    if (h != NULL && notes_path(result, "", path) && notes_path(result, ".new", draft)) {
        h->shape.ranks = ranks;
        h->shape.workers = workers;
        h->shape.part_bytes =
            round_up(workers * (int64_t)sizeof(notes_line), sysconf(_SC_PAGESIZE));
        h->parts_offset = parts_offset(&h->shape);
        h->items = j->items.count;
        h->seed = j->seed;
        memcpy(h->magic, magic, sizeof magic);
        memcpy(h->job, j->name, sizeof h->job);
        keep(h, list, count);
        /* Under another name first: what earlier notes say must not be lost halfway. */
        number = may_make(path) && may_make(draft) ? make(draft, h) : EEXIST;
        if (number == 0 && rename(draft, path) != 0) {
            number = errno;
            (void)unlink(draft);
        }
        if (number == 0) {
            *shape = h->shape;
        }
    }
    if (number != 0) {
        log_print(LOG_DEBUG, "no notes beside %s: %s", result, strerror(number));
    }
    free(h);
}

notes *notes_attach(const char *result, const notes_shape *shape, int rank)
{
    notes *n = calloc(1, sizeof *n);
    void *memory = MAP_FAILED;
    if (n != NULL && shape->part_bytes > 0 && notes_path(result, "", n->path)) {
        n->shape = *shape;
        n->fd = open(n->path, O_RDWR | O_CLOEXEC);
        memory = mmap(NULL, (size_t)shape->part_bytes, PROT_READ | PROT_WRITE, MAP_SHARED, n->fd,
                      parts_offset(shape) + rank * shape->part_bytes);
    }
    if (memory == MAP_FAILED) {
        log_print(LOG_DEBUG, "no notes beside %s", result);
        if (n != NULL && n->fd > 0) {
            (void)close(n->fd);
        }
        free(n);
        return NULL;
    }
    /* A forked kernel that goes wild shall not reach it. */
    (void)madvise(memory, (size_t)shape->part_bytes, MADV_DONTFORK);
    mapped_guard(memory, (size_t)shape->part_bytes);
    n->lines = memory;
    return n;
}

void notes_detach(notes *n)
{
    if (n != NULL) {
        mapped_unguard();
        (void)munmap(n->lines, (size_t)n->shape.part_bytes);
        (void)close(n->fd);
        free(n);
    }
}

notes_line *notes_lines(notes *n)
{
    return n == NULL ? NULL : n->lines;
}

bool notes_read_rank(const notes *n, int rank, suspect **list, int64_t *count)
{
    if (n == NULL) {
        return false;
    }
    int64_t bytes = 0;
    header *h = load(n->path, &bytes);
    suspect *found = calloc((size_t)n->shape.workers, sizeof *found);
    int64_t used = 0;
    const bool known = h != NULL && found != NULL && sound(h, bytes) && rank < h->shape.ranks &&
                       h->shape.workers == n->shape.workers;
    if (known) {
        add_lines(found, &used, lines_of(h, rank), n->shape.workers, h->items);
        *list = found;
        *count = used;
    } else {
        free(found);
    }
    free(h);
    return known;
}

void notes_keep(notes *n, const suspect list[], int64_t count)
{
    int64_t bytes = 0;
    header *h = n == NULL || count == 0 ? NULL : load(n->path, &bytes);
    if (h != NULL && sound(h, bytes)) {
        error ignored;
        keep(h, list, count);
        (void)bytes_write(n->fd, n->path, h, sizeof *h, 0, &ignored);
    }
    free(h);
}

void notes_drop(notes *n)
{
    for (int i = 0; n != NULL && i < n->shape.workers; i++) {
        notes_end(&n->lines[i]);
    }
}

void notes_settle(notes *n, bool complete)
{
    if (n == NULL) {
        return;
    }
    int64_t bytes = 0;
    int64_t said = 0;
    header *h = complete ? NULL : load(n->path, &bytes);
    if (h != NULL && sound(h, bytes)) {
        free(list_all(h, &said));
    }
    if (said == 0 && place_is_file(n->path, n->fd)) {
        (void)unlink(n->path);
    }
    free(h);
}
