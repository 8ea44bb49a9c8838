/* SPDX-License-Identifier: BSD-3-Clause */
/* Makes a result file: how large it is, its disk space, and last its name. */
#define _GNU_SOURCE 1
#include "store/format/metadata.h"

#include "base/pages.h"
#include "store/format/apart.h"
#include "store/format/index.h"
#include "store/format/objects.h"
#include "store/format/quiet.h"
#include "store/format/record.h"
#include "store/guard/lock.h"
#include "store/guard/place.h"
#include "store/io/bytes.h"
#include "store/io/fault.h"
#include "store/io/reserve.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

/* HDF5 keeps its metadata in pieces of 4096 bytes and less, which stay together where only what is
 * larger is aligned; and what has but a few pages would waste too much of one. HDF5 takes room for
 * what is small block by block, and the rest of the last block is lost. */
enum {
    BLOCK_BYTES = 512,
    PAGE_BYTES = 4096,
    PAGED_BYTES = 16 * PAGE_BYTES,
    LARGE_BYTES = 1 << 20,
    PATH_BYTES = 4096,
    COPY_BYTES = 65536,
    MEMORY_BYTES = 16 << 20,
    USER_BYTES = 256
};

/* HDF5 needs a few hundred kilobytes for a few fields. */
enum { PLENTY_BYTES = 64 << 20 };

/* The first bytes of a file that is being made are the last to be written; until then there is a
 * mark. */
enum { HEAD_BYTES = 512 };

/* What a file begins with as long as it is being made. */
static const char mark[] = "weft: a result that is being made\n";

_Static_assert(sizeof mark - 1 <= HEAD_BYTES, "the head is written over the mark");

static int64_t within(int64_t value, int64_t least, int64_t most)
{
    return value < least ? least : value > most ? most : value;
}

static int64_t results_bytes(const job *j)
{
    int64_t bytes = 0;
    for (int i = 0; i < job_columns(j); i++) {
        bytes += job_column_bytes(j, i, 0, j->tiles.tiles);
    }
    return bytes;
}

/* What the file has more for labels. */
static int64_t label_bytes(const job *j)
{
    enum { LABEL_BYTES = 448 };
    int64_t bytes = 0;
    for (int i = 0; i < j->items.ndims; i++) {
        bytes += j->dimension[i].name[0] == '\0' ? 0 : LABEL_BYTES + job_coordinate_bytes(j, i);
    }
    return bytes;
}

/* As many as there are items to fail, where they fit into a file of 64 KiB, with SMALL_BYTES for
 * results, tiles, labels and failures; or else twice as much as the results take. */
static int64_t failure_rows(const job *j)
{
    enum { SMALL_BYTES = 43700, FREE_BYTES = 6400, LEAST_ROWS = 12, MOST_ROWS = 8192 };
    const int64_t row_bytes = sizeof(failure_row);
    const int64_t bytes = results_bytes(j) + label_bytes(j);
    const int64_t fitting =
        (SMALL_BYTES - bytes - j->tiles.tiles * ((int64_t)sizeof(tile_record) + 1)) / row_bytes;
    const int64_t worth = 2 * (results_bytes(j) - label_bytes(j) - FREE_BYTES) / row_bytes;
    const int64_t rows = within(fitting > worth ? fitting : worth, LEAST_ROWS, MOST_ROWS);
    return within(rows, 1, j->items.count > 0 ? j->items.count : 1);
}

static int64_t run_rows(int maps, job *const jobs[])
{
    enum { BYTES_PER_ROW = 8192, MOST_ROWS = 2048 };
    int64_t rows = 0;
    for (int i = 0; i < maps; i++) {
        rows += within(results_bytes(jobs[i]) / BYTES_PER_ROW, 16, 1024);
    }
    return within(rows, 1, MOST_ROWS);
}

/* How much there is, which is decided before the first object is made. */
static void plan_tables(int maps, job *const jobs[], metadata_layout layouts[])
{
    const int64_t runs = run_rows(maps, jobs);
    for (int i = 0; i < maps; i++) {
        layouts[i] =
            (metadata_layout){.failure_rows = failure_rows(jobs[i]), .map = i, .run_rows = runs};
    }
}

/* A file to write: the result's at `path`, or one in memory that is to be copied there. */
typedef struct writing {
    const char *name;
    bool in_memory;
    const char *path;
    int64_t aligned_from; /* bytes: what is as large, or larger, is aligned … */
    int64_t alignment;    /* … to a multiple of this */
    int maps;
    job *const *jobs;
    metadata_layout *layouts; /* planned */
} writing;

/* HDF5's own reason names the file that it writes. */
static weft_status tell_failure(const quiet *q, const writing *w, error *e)
{
    return q->number == 0 ? quiet_error(e, WEFT_ERR_HDF5, "cannot create the result %s", w->path)
                          : fault_set(e, q->number, w->in_memory ? "/dev/shm" : w->path,
                                      "cannot create the result %s%s", w->path,
                                      w->in_memory ? " in memory (/dev/shm)" : "");
}

/* HDF5 has half a megabyte of memory for each open file. It gives that back, and for the next file
 * the system would have to make each page of it anew: so HDF5 keeps what it has freed, up to a
 * megabyte of a kind. The other limits are its own. */
static void keep_memory(void)
{
    static bool asked;
    enum { KIND_BYTES = 1 << 20, ALL_BYTES = 2 * KIND_BYTES };
    if (!asked) {
        asked = H5set_free_list_limits(ALL_BYTES, KIND_BYTES, 4 << 20, 256 << 10, 16 << 20,
                                       1 << 20) >= 0;
    }
}

/* What HDF5 takes for itself and the first file. */
static void prepare_heap(void)
{
    static bool prepared;
    enum { HEAP_BYTES = 5 << 18 };
    if (!prepared) {
        prepared = true;
        pages_populate_heap(HEAP_BYTES);
    }
}

static weft_status write_objects(const writing *w, error *e)
{
    quiet q;
    prepare_heap();
    quiet_begin(&q);
    keep_memory();
    weft_status status = WEFT_OK;
    const hid_t access = H5Pcreate(H5P_FILE_ACCESS);
    hid_t file = H5I_INVALID_HID;
    if (H5Pset_meta_block_size(access, BLOCK_BYTES) >= 0 &&
        H5Pset_small_data_block_size(access, 0) >= 0 &&
        H5Pset_alignment(access, (hsize_t)w->aligned_from, (hsize_t)w->alignment) >= 0) {
        file = H5Fcreate(w->name, H5F_ACC_TRUNC, H5P_DEFAULT, access);
    }
    /* From now on a kill leaves nothing behind in memory. */
    if (w->in_memory) {
        (void)unlink(w->name);
    }
    if (file < 0 || !objects_add(file, w->maps, w->jobs, w->layouts)) {
        status = tell_failure(&q, w, e);
    }
    if (file >= 0 && H5Fclose(file) < 0 && status == WEFT_OK) {
        status = tell_failure(&q, w, e);
    }
    (void)H5Pclose(access);
    quiet_end(&q);
    return status;
}

static int64_t aligned(const writing *w, int64_t bytes)
{
    const int64_t past = bytes % w->alignment;
    return bytes < w->aligned_from || past == 0 ? bytes : bytes + w->alignment - past;
}

/* What a map will take. Texts need not fill what HDF5 keeps them in. */
static int64_t estimate_map(const writing *w, const job *j, const metadata_layout *l)
{
    enum { OBJECT_BYTES = 4096, OBJECTS = 16, SCALE_BYTES = 1024 };
    int64_t bytes = (int64_t)OBJECTS * OBJECT_BYTES;
    bytes += INT64_C(2) * j->parameters * (int64_t)sizeof(job_parameter);
    bytes += INT64_C(2) * j->needs * WEFT_NAME_BYTES;
    bytes += j->fields * (INT64_C(2) * (int64_t)sizeof(job_field) + OBJECT_BYTES);
    bytes += aligned(w, j->tiles.tiles * (int64_t)sizeof(tile_record));
    bytes += aligned(w, j->tiles.tiles);
    bytes += aligned(w, l->failure_rows * (int64_t)sizeof(failure_row));
    for (int i = 0; i < job_columns(j); i++) {
        bytes += aligned(w, job_column_bytes(j, i, 0, j->tiles.tiles));
    }
    for (int i = 0; i < j->items.ndims; i++) {
        bytes += aligned(w, job_coordinate_bytes(j, i)) + OBJECT_BYTES;
    }
    for (int i = 0; i < j->fields; i++) {
        bytes += j->field[i].shape.ndims * (int64_t)SCALE_BYTES;
    }
    for (int i = 0; i < j->reductions; i++) {
        bytes += aligned(w, job_value_bytes(j, i)) + INT64_C(3) * OBJECT_BYTES;
        bytes += j->reduction[i].shape.ndims * (int64_t)SCALE_BYTES;
    }
    return bytes + w->alignment;
}

/* What the file will take, a little too much rather than too little. A single map can be counted.
 */
static weft_status estimate_bytes(const writing *w, int64_t *bytes, error *e)
{
    *bytes = w->alignment + aligned(w, w->layouts[0].run_rows * (int64_t)sizeof(run_row));
    for (int i = 0; i < w->maps; i++) {
        const int64_t more = estimate_map(w, w->jobs[i], &w->layouts[i]);
        if (more > INT64_MAX - *bytes) {
            return error_set(e, WEFT_ERR_USAGE,
                             "%s would be larger than a file can be: give some of its %d maps a "
                             "file of their own with weft_map_set_out()",
                             w->path, w->maps);
        }
        *bytes += more;
    }
    return WEFT_OK;
}

/* What is large begins at a large page, where there is any; else what is not small at a page. */
static void choose_alignment(writing *w)
{
    int64_t largest = 0;
    for (int i = 0; i < w->maps; i++) {
        const job *j = w->jobs[i];
        for (int c = 0; c < job_columns(j); c++) {
            const int64_t bytes = job_column_bytes(j, c, 0, j->tiles.tiles);
            largest = bytes > largest ? bytes : largest;
        }
        const int64_t bytes = j->tiles.tiles * (int64_t)sizeof(tile_record);
        largest = bytes > largest ? bytes : largest;
    }
    w->alignment = largest >= LARGE_BYTES ? LARGE_BYTES : PAGE_BYTES;
    w->aligned_from = largest >= LARGE_BYTES ? LARGE_BYTES : PAGED_BYTES;
}

/* Makes a rename last through a power cut. File systems that cannot sync a folder need not. */
static void sync_folder(const char *path)
{
    char copy[PATH_BYTES];
    (void)snprintf(copy, sizeof copy, "%s", path);
    const int fd = open(dirname(copy), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd >= 0) {
        (void)fsync(fd);
        (void)close(fd);
    }
}

/* Copies what has been written of a file that is nearly all holes, but for its head. */
static weft_status copy_body(int from, int to, const char *path, error *e)
{
    char buffer[COPY_BYTES];
    weft_status status = WEFT_OK;
    off_t at = lseek(from, HEAD_BYTES, SEEK_DATA);
    while (status == WEFT_OK && at >= 0) {
        const off_t end = lseek(from, at, SEEK_HOLE);
        const size_t count = (size_t)(end - at < COPY_BYTES ? end - at : COPY_BYTES);
        status = bytes_read(from, path, buffer, count, at, e);
        if (status == WEFT_OK) {
            status = bytes_write(to, path, buffer, count, at, e);
        }
        at = lseek(from, at + (off_t)count, SEEK_DATA);
    }
    /* ENXIO: there is nothing behind. */
    if (status == WEFT_OK && errno != ENXIO) {
        const int number = errno;
        status = fault_set(e, number, path, "cannot write %s", path);
    }
    return status;
}

/* With its head the file becomes one of HDF5's. */
static weft_status copy_head(int from, int to, const char *path, error *e)
{
    char head[HEAD_BYTES];
    weft_status status = bytes_read(from, path, head, sizeof head, 0, e);
    return status == WEFT_OK ? bytes_write(to, path, head, sizeof head, 0, e) : status;
}

/* What a process apart has done: all of it is plain bytes. */
typedef struct written {
    error error;
    metadata_layout layout[]; /* a map's each */
} written;

static size_t written_bytes(const writing *w)
{
    return sizeof(written) + (size_t)w->maps * sizeof w->layouts[0];
}

static void write_apart(void *answer, void *context)
{
    const writing *w = context;
    written *done = answer;
    error_clear(&done->error);
    (void)write_objects(w, &done->error);
    memcpy(done->layout, w->layouts, (size_t)w->maps * sizeof w->layouts[0]);
}

/* Whether nothing is likely to fail: there is memory, and files may be as large as they will be. */
static bool has_plenty(void)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_FSIZE, &limit) != 0 || limit.rlim_cur != RLIM_INFINITY) {
        return false;
    }
    const int protection = PROT_READ | PROT_WRITE;
    /* cppcheck-suppress invalidFunctionArg ; no file belongs to anonymous memory */
    void *some = mmap(NULL, PLENTY_BYTES, protection, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    return some != MAP_FAILED && munmap(some, PLENTY_BYTES) == 0;
}

/* HDF5 1.10 crashes where it has no memory, and at the end of a program in which it could not write
 * a file: where that may be, it writes in a process of its own. */
static weft_status write_safely(writing *w, error *e)
{
    char what[APART_TEXT_BYTES];
    written *done = calloc(1, written_bytes(w));
    if (done == NULL) {
        return error_memory(e, "the layout of %s", w->path);
    }
    apart_end end = APART_ANSWERED;
    if (w->in_memory && has_plenty()) {
        write_apart(done, w);
    } else {
        end = apart_call(write_apart, w, done, written_bytes(w), what);
    }
    weft_status status = done->error.status;
    if (end != APART_ANSWERED) {
        status = error_set(e, WEFT_ERR_HDF5,
                           "cannot create %s: HDF5 %s; is there memory enough (ulimit -v)?",
                           w->path, what);
    } else if (status != WEFT_OK) {
        *e = done->error;
    } else {
        memcpy(w->layouts, done->layout, (size_t)w->maps * sizeof w->layouts[0]);
    }
    free(done);
    return status;
}

/* An empty file in memory, where there is room for one; -1 if not. */
static int open_in_memory(char name[])
{
    struct statvfs disk;
    const bool room =
        statvfs("/dev/shm", &disk) == 0 && disk.f_bavail > (fsblkcnt_t)MEMORY_BYTES / disk.f_frsize;
    return room ? mkostemp(name, O_CLOEXEC) : -1;
}

/* They are values, and may be large: HDF5 has only made room for them. */
static weft_status write_coordinates(const writing *w, int fd, error *e)
{
    weft_status status = WEFT_OK;
    for (int i = 0; i < w->maps; i++) {
        const job *j = w->jobs[i];
        for (int d = 0; d < j->items.ndims && status == WEFT_OK; d++) {
            const int64_t bytes = job_coordinate_bytes(j, d);
            if (bytes > 0) {
                status = bytes_write(fd, w->path, j->dimension[d].values, (size_t)bytes,
                                     w->layouts[i].coordinate_offset[d], e);
            }
        }
    }
    return status;
}

static weft_status copy_file(const writing *w, int memory, int fd, error *e)
{
    const off_t bytes = lseek(memory, 0, SEEK_END);
    weft_status status = reserve_new(fd, w->path, bytes, e);
    if (status == WEFT_OK) {
        status = copy_body(memory, fd, w->path, e);
    }
    if (status == WEFT_OK) {
        status = write_coordinates(w, fd, e);
    }
    return status == WEFT_OK ? copy_head(memory, fd, w->path, e) : status;
}

/* The file has been written where it is to be. */
static weft_status complete_file(const writing *w, int fd, error *e)
{
    const weft_status status = reserve_all(fd, w->path, e);
    return status == WEFT_OK ? write_coordinates(w, fd, e) : status;
}

/* HDF5 writes to memory, which takes little, as there is nothing yet in the results: of the copy on
 * disk it is known at every moment whether it is whole. */
static weft_status write_file(writing *w, int fd, const char *temporary, error *e)
{
    char name[] = "/dev/shm/weft-XXXXXX";
    const int memory = open_in_memory(name);
    w->in_memory = memory >= 0;
    w->name = w->in_memory ? name : temporary;
    weft_status status = write_safely(w, e);
    if (status == WEFT_OK) {
        status = index_append(w->in_memory ? memory : fd, w->path, w->maps, w->jobs, w->layouts, e);
    } else if (w->in_memory) {
        (void)unlink(name);
    }
    if (status == WEFT_OK) {
        status = w->in_memory ? copy_file(w, memory, fd, e) : complete_file(w, fd, e);
    }
    if (memory >= 0) {
        (void)close(memory);
    }
    w->name = NULL;
    return status;
}

/* Whether a file is what a run has left that was killed as it made it: empty, marked, or a whole
 * result that no run has written to yet. */
static bool is_leftover(const char *path)
{
    metadata m = {.job = NULL};
    run_row first = {.start = 1};
    char user[USER_BYTES];
    error e = {.status = WEFT_OK};
    if (!place_is_foreign(path, mark, sizeof mark - 1)) {
        return true;
    }
    const int fd = place_open(path, O_RDONLY);
    if (fd < 0) {
        return false;
    }
    const bool unused =
        metadata_read(path, &m, &e) == WEFT_OK &&
        bytes_read(fd, path, &first, sizeof first, m.layout[0].runs_offset, &e) == WEFT_OK &&
        first.start <= 0 && !lock_holder(path, user, sizeof user);
    metadata_release(&m);
    (void)close(fd);
    return unused;
}

/* Makes a file that is to become a result, in place of what a run has left that was killed as it
 * did so, but of nothing else. */
static weft_status make_file(const char *path, int *fd, error *e)
{
    const int flags = O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC;
    int made = open(path, flags, 0666);
    if (made < 0 && errno == EEXIST) {
        if (!is_leftover(path)) {
            return error_set(e, WEFT_ERR_FORMAT,
                             "%s is in the way: no run has left that file behind; it is left "
                             "alone, move it away or give another --out",
                             path);
        }
        (void)unlink(path);
        made = open(path, flags, 0666);
    }
    if (made < 0) {
        const int number = errno;
        return fault_set(e, number, path, "cannot create %s", path);
    }
    const weft_status status = bytes_write(made, path, mark, sizeof mark - 1, 0, e);
    if (status != WEFT_OK) {
        (void)unlink(path);
        (void)close(made);
        return status;
    }
    *fd = made;
    return WEFT_OK;
}

/* Gives a whole file its name. */
static weft_status publish(int fd, const char *temporary, const char *path, bool sync, error *e)
{
    if (sync && fsync(fd) != 0) {
        const int number = errno;
        return fault_set(e, number, path, "cannot write %s to disk", path);
    }
    const weft_status status = place_clear(path, e);
    if (status == WEFT_OK && rename(temporary, path) != 0) {
        const int number = errno;
        return fault_set(e, number, path, "cannot rename %s to %s", temporary, path);
    }
    if (status == WEFT_OK && sync) {
        sync_folder(path);
    }
    return status;
}

weft_status metadata_create(const char *path, int maps, job *const jobs[], bool sync,
                            metadata_layout layouts[], error *e)
{
    writing w = {.path = path, .maps = maps, .jobs = jobs, .layouts = layouts};
    char temporary[PATH_BYTES];
    if (snprintf(temporary, sizeof temporary, "%s.new", path) >= PATH_BYTES) {
        return error_set(e, WEFT_ERR_USAGE, "the path %.80s… is too long", path);
    }
    int fd = -1;
    weft_status status = make_file(temporary, &fd, e);
    if (status != WEFT_OK) {
        return status;
    }
    plan_tables(maps, jobs, layouts);
    choose_alignment(&w);
    int64_t bytes = 0;
    status = estimate_bytes(&w, &bytes, e);
    if (status == WEFT_OK) {
        status = reserve_check(fd, path, bytes, e);
    }
    if (status == WEFT_OK) {
        status = write_file(&w, fd, temporary, e);
    }
    struct stat file;
    if (status == WEFT_OK && fstat(fd, &file) == 0) {
        for (int i = 0; i < maps; i++) {
            layouts[i].inode = (uint64_t)file.st_ino;
        }
    }
    if (status == WEFT_OK) {
        status = publish(fd, temporary, path, sync, e);
    }
    if (status != WEFT_OK) {
        (void)unlink(temporary);
    }
    (void)close(fd);
    return status;
}
