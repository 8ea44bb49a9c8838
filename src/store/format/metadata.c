/* SPDX-License-Identifier: BSD-3-Clause */
/* Reads a result's HDF5 metadata: which maps it has, and where their bytes lie. */
#define _GNU_SOURCE 1
#include "store/format/metadata.h"

#include "store/format/apart.h"
#include "store/format/extent.h"
#include "store/format/inspect.h"
#include "store/format/quiet.h"
#include "store/format/record.h"
#include "store/format/schema.h"
#include "store/format/stored_map.h"
#include "store/io/fault.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

static weft_status not_ours(const char *path, const char *what, error *e)
{
    return quiet_error(e, WEFT_ERR_FORMAT,
                       "%s is an HDF5 file, but not a result of weft: %s; it is left alone, give "
                       "another path",
                       path, what);
}

typedef struct map_visit {
    hid_t file;
    metadata *metadata;
} map_visit;

/* All groups there are a map's. */
static herr_t visit_map(hid_t group, const char *name, const H5L_info_t *info, void *data)
{
    const map_visit *visit = data;
    (void)group;
    (void)info;
    if (strcmp(name, &SCHEMA_RUNS[sizeof SCHEMA_WEFT]) == 0) {
        return 0;
    }
    if (visit->metadata->maps == WEFT_MAX_MAPS) {
        (void)inspect_fail(SCHEMA_WEFT " has too many maps");
        return -1;
    }
    const int number = visit->metadata->maps++;
    return stored_map_read(visit->file, name, &visit->metadata->job[number],
                           &visit->metadata->layout[number])
               ? 0
               : -1;
}

/* The numbers of the maps in the rows of runs, as the type of these says. */
static bool number_maps(hid_t file, metadata *m)
{
    const hid_t dataset = H5Dopen2(file, SCHEMA_RUNS, H5P_DEFAULT);
    const hid_t row = dataset < 0 ? H5I_INVALID_HID : H5Dget_type(dataset);
    const int member = row < 0 ? -1 : H5Tget_member_index(row, "map");
    const hid_t names = member < 0 ? H5I_INVALID_HID : H5Tget_member_type(row, (unsigned)member);
    bool good = names >= 0 && H5Tget_class(names) == H5T_ENUM && H5Tget_size(names) == 1;
    for (int i = 0; i < m->maps && good; i++) {
        uint8_t number = 0;
        good = H5Tenum_valueof(names, m->job[i]->name, &number) >= 0 && number < m->maps;
        m->layout[i].map = number;
    }
    quiet_close(names);
    quiet_close(row);
    quiet_close(dataset);
    return good || inspect_fail(SCHEMA_RUNS " does not know the maps");
}

/* All maps, and what they have in common. */
static bool read_maps(hid_t file, hid_t weft, metadata *m)
{
    metadata_layout common = {.file_bytes = 0};
    map_visit visit = {.file = file, .metadata = m};
    static const char *const any[] = {"map"}; /* which maps there are is not known yet */
    if (!inspect_table(file, SCHEMA_RUNS, schema_run_type(1, any), METADATA_MOST_ROWS, &common,
                       &common.runs_offset, &common.run_rows) ||
        H5Literate(weft, H5_INDEX_CRT_ORDER, H5_ITER_INC, NULL, visit_map, &visit) < 0) {
        return false;
    }
    if (m->maps == 0) {
        return inspect_fail(SCHEMA_WEFT " has no map");
    }
    for (int i = 0; i < m->maps; i++) {
        const int64_t bytes = m->layout[i].file_bytes;
        common.file_bytes = bytes > common.file_bytes ? bytes : common.file_bytes;
    }
    for (int i = 0; i < m->maps; i++) {
        m->layout[i].runs_offset = common.runs_offset;
        m->layout[i].run_rows = common.run_rows;
        m->layout[i].file_bytes = common.file_bytes;
    }
    return number_maps(file, m);
}

/* Whether no two datasets share bytes, nor any with the beginning of the file, which is HDF5's: a
 * run would write one over the other. */
static bool check_extents(const metadata *m)
{
    enum { HEAD_BYTES = 48 };
    extents all = {.list = NULL};
    extents_add(&all, &(extent){.bytes = HEAD_BYTES, .name = "the beginning"});
    extents_collect(&all, m->maps, m->job, m->layout);
    extents_sort(&all);
    const extent *one = all.incomplete ? NULL : extents_find_overlap(&all);
    bool good = !all.incomplete || inspect_fail("there is no memory to look at it");
    if (one != NULL) {
        char first[SCHEMA_PATH_BYTES];
        char second[SCHEMA_PATH_BYTES];
        extent_path(one, first);
        extent_path(one + 1, second);
        good = inspect_fail("%s and %s lie over each other", first, second);
    }
    extents_clear(&all);
    return good;
}

/* It is a result, but not as a run leaves it. */
static weft_status tell_flaw(const char *path, error *e)
{
    bool repacked = false;
    const char *flaw = inspect_flaw(&repacked);
    if (repacked) {
        return error_set(e, WEFT_ERR_FORMAT,
                         "%s has been repacked: %s, as weft needs it; its values can be read with "
                         "HDF5, and h5repack -l CONTI -f NONE turns it back; it is left alone",
                         path, flaw);
    }
    return quiet_error(e, WEFT_ERR_CORRUPT,
                       "%s is damaged, or another program has changed it: %s; it is left alone",
                       path, flaw[0] == '\0' ? "its metadata does not go together" : flaw);
}

static weft_status refuse_format(const char *path, int format, error *e)
{
    return error_set(e, WEFT_ERR_FORMAT,
                     "%s is of format %d, and this version of weft reads and writes format %d; it "
                     "is left alone: %s it with the version of weft that made it, or give another "
                     "--out, or --fresh to start over (the file moves to %s.bak)",
                     path, format, SCHEMA_FORMAT, format < SCHEMA_FORMAT ? "finish" : "go on with",
                     path);
}

static weft_status read_objects(hid_t file, const char *path, metadata *m, error *e)
{
    int format = 0;
    if (!inspect_attribute(file, "weft_format", H5T_NATIVE_INT, &format)) {
        return not_ours(path, "it has no attribute weft_format that is a whole number", e);
    }
    if (format != SCHEMA_FORMAT) {
        return refuse_format(path, format, e);
    }
    const hid_t weft = inspect_is_inside(file, SCHEMA_WEFT)
                           ? H5Gopen2(file, SCHEMA_WEFT, H5P_DEFAULT)
                           : H5I_INVALID_HID;
    if (weft < 0) {
        return not_ours(path, "it has no group " SCHEMA_WEFT, e);
    }
    const bool good = inspect_text(file, "weft_version", m->version, sizeof m->version) &&
                      inspect_text(file, "created", m->created, sizeof m->created) &&
                      read_maps(file, weft, m) && check_extents(m);
    quiet_close(weft);
    return good ? WEFT_OK : tell_flaw(path, e);
}

/* Without HDF5: is there a readable file, and how long is it? */
static weft_status examine(const char *path, struct stat *file, error *e)
{
    /* Opening a pipe without a writer would block. */
    const int fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    if (fd < 0) {
        const int number = errno;
        if (number == ENOENT) {
            return error_set(e, WEFT_ERR_NOT_FOUND, "there is no file %s", path);
        }
        return fault_set(e, number, path, "cannot open %s", path);
    }
    const int failed = fstat(fd, file);
    (void)close(fd);
    if (failed != 0 || !S_ISREG(file->st_mode)) {
        return error_set(e, WEFT_ERR_FORMAT, "%s is not a file", path);
    }
    return WEFT_OK;
}

static weft_status read_file(const char *path, const struct stat *status, metadata *m, error *e)
{
    if (H5Fis_hdf5(path) <= 0) {
        return error_set(e, WEFT_ERR_FORMAT,
                         "%s is not an HDF5 file; it is left alone, give another path", path);
    }
    const hid_t access = H5Pcreate(H5P_FILE_ACCESS);
#if H5_VERSION_GE(1, 10, 7)
    /* Nobody writes through HDF5, so its own lock would only refuse readers on some file systems.
     */
    (void)H5Pset_file_locking(access, false, true);
#endif
    const hid_t file = H5Fopen(path, H5F_ACC_RDONLY, access);
    quiet_close(access);
    if (file < 0) {
        return quiet_error(e, WEFT_ERR_CORRUPT,
                           "%s is truncated or damaged: HDF5 cannot open its %lld bytes", path,
                           (long long)status->st_size);
    }
    weft_status result = read_objects(file, path, m, e);
    (void)H5Fclose(file);
    if (result == WEFT_OK && status->st_size < m->layout[0].file_bytes) {
        result =
            error_set(e, WEFT_ERR_CORRUPT, "%s is truncated: it has %lld bytes and needs %" PRId64,
                      path, (long long)status->st_size, m->layout[0].file_bytes);
    }
    return result;
}

/* What the child says, in memory that is shared with it: all of it is plain bytes, and what is not
 * needed is not touched. */
typedef struct reading {
    error error;
    int maps;
    char version[WEFT_NAME_BYTES];
    char created[WEFT_NAME_BYTES];
    metadata_layout layout[WEFT_MAX_MAPS];
    job job[WEFT_MAX_MAPS];
} reading;

typedef struct request {
    const char *path;
    const struct stat *file;
    reading *answer;
} request;

static weft_status allocate(const char *path, metadata *m, error *e)
{
    m->job = calloc(WEFT_MAX_MAPS, sizeof(job *));
    m->layout = calloc(WEFT_MAX_MAPS, sizeof *m->layout);
    return m->job == NULL || m->layout == NULL ? error_memory(e, "the metadata of %s", path)
                                               : WEFT_OK;
}

static void read_apart(void *answered, void *context)
{
    request *wanted = context;
    reading *r = wanted->answer;
    metadata m = {.maps = 0};
    quiet q;
    quiet_begin(&q);
    inspect_begin();
    error_clear(&r->error);
    weft_status status = allocate(wanted->path, &m, &r->error);
    if (status == WEFT_OK) {
        status = read_file(wanted->path, wanted->file, &m, &r->error);
    }
    if (status != WEFT_OK && q.number != 0) {
        /* What could not be read looks like something else. */
        (void)fault_set(&r->error, q.number, wanted->path, "cannot read %s", wanted->path);
    }
    quiet_end(&q);
    r->maps = status == WEFT_OK ? m.maps : 0;
    memcpy(r->version, m.version, sizeof r->version);
    memcpy(r->created, m.created, sizeof r->created);
    for (int i = 0; i < r->maps; i++) {
        job_copy(&r->job[i], m.job[i]);
        r->layout[i] = m.layout[i];
    }
    metadata_release(&m);
    *(bool *)answered = true;
}

/* Jobs of its own with what the child has found. */
static weft_status take_over(const reading *r, const struct stat *file, const char *path,
                             metadata *m, error *e)
{
    weft_status status = allocate(path, m, e);
    memcpy(m->version, r->version, sizeof m->version);
    memcpy(m->created, r->created, sizeof m->created);
    for (int i = 0; i < r->maps && i < WEFT_MAX_MAPS && status == WEFT_OK; i++) {
        const job *theirs = &r->job[i];
        if (theirs->fields < 0 || theirs->reductions < 0 || theirs->fields > WEFT_MAX_FIELDS ||
            theirs->reductions > WEFT_MAX_FIELDS - theirs->fields || theirs->parameters < 0 ||
            theirs->parameters > WEFT_MAX_PARAMETERS || theirs->needs < 0 ||
            theirs->needs > WEFT_MAX_MAPS) {
            return error_set(e, WEFT_ERR_CORRUPT,
                             "%s is damaged: HDF5 has made nonsense of its metadata; it is left "
                             "alone",
                             path);
        }
        status = job_create("result", 1, (int64_t[]){1}, &m->job[i], e);
        if (status == WEFT_OK) {
            job_copy(m->job[i], theirs);
            m->layout[i] = r->layout[i];
            m->layout[i].inode = (uint64_t)file->st_ino;
            m->maps++;
        }
    }
    return status;
}

/* HDF5 trusts what it reads: one flipped byte may make it crash, or ask for all memory. */
static weft_status read_safely(const char *path, const struct stat *file, reading *r, metadata *m,
                               error *e)
{
    char what[APART_TEXT_BYTES];
    bool answered = false;
    request wanted = {.path = path, .file = file, .answer = r};
    const apart_end end = apart_call(read_apart, &wanted, &answered, sizeof answered, what);
    if (end == APART_CUT_SHORT) {
        return error_set(e, WEFT_ERR_SYSTEM,
                         "%s could not be read: HDF5 %s; see that its disk answers and that there "
                         "is memory, then run the same command again",
                         path, what);
    }
    if (end == APART_FAILED) {
        return error_set(e, WEFT_ERR_CORRUPT,
                         "%s is damaged: HDF5 %s as it read its metadata; it is left alone", path,
                         what);
    }
    if (r->error.status != WEFT_OK) {
        *e = r->error;
        return r->error.status;
    }
    return take_over(r, file, path, m, e);
}

weft_status metadata_read(const char *path, metadata *m, error *e)
{
    struct stat file;
    memset(&file, 0, sizeof file);
    memset(m, 0, sizeof *m);
    weft_status status = examine(path, &file, e);
    if (status != WEFT_OK) {
        return status;
    }
    const int protection = PROT_READ | PROT_WRITE;
    const int flags = MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE;
    /* cppcheck-suppress invalidFunctionArg ; no file belongs to anonymous memory */
    reading *r = mmap(NULL, sizeof *r, protection, flags, -1, 0);
    if (r == MAP_FAILED) {
        return error_memory(e, "the metadata of %s", path);
    }
    status = read_safely(path, &file, r, m, e);
    (void)munmap(r, sizeof *r);
    if (status != WEFT_OK) {
        metadata_release(m);
    }
    return status;
}

int metadata_find(const metadata *m, const char *name)
{
    for (int i = 0; i < m->maps; i++) {
        if (strcmp(m->job[i]->name, name) == 0) {
            return i;
        }
    }
    return -1;
}

void metadata_release(metadata *m)
{
    for (int i = 0; i < WEFT_MAX_MAPS && m->job != NULL; i++) {
        job_destroy(m->job[i]);
    }
    free(m->job);
    free(m->layout);
    *m = (metadata){.maps = 0};
}
