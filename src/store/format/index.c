/* SPDX-License-Identifier: BSD-3-Clause */
/* The index: the last bytes of a result, behind all that is HDF5's. */
#define _GNU_SOURCE 1
#include "store/format/index.h"

#include "store/format/extent.h"
#include "store/format/record.h"
#include "store/format/xxh3.h"
#include "store/io/bytes.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* More metadata, or a larger index, are not worth it. */
enum { MOST_METADATA_BYTES = 64 << 20, MOST_INDEX_BYTES = 4 << 20, PIECE_BYTES = 1 << 16 };

static const char magic[16] = "weft index 3\n";

/* What the index begins with; then come `maps` entries and `ranges` ranges, and the tail. */
typedef struct head {
    char magic[sizeof magic];
    int32_t maps;
    int32_t ranges;
    int64_t offset;    /* where the index begins */
    uint64_t metadata; /* checksum of the bytes of all ranges */
    char build[BUILD_TEXT_BYTES];
} head;

typedef struct entry {
    char name[WEFT_NAME_BYTES];
    index_identity identity;
    int64_t count;
    int64_t grain;
    metadata_layout layout;
} entry;

/* A part of the file that is no dataset's. */
typedef struct range {
    int64_t offset;
    int64_t bytes;
} range;

typedef struct tail {
    int64_t bytes;  /* of the whole index */
    uint64_t check; /* of all before it, but for `bytes` */
    char magic[sizeof magic];
} tail;

bool index_identify(const job *j, index_identity *identity)
{
    account a = {.text = NULL};
    job_identify(j, &a);
    job_label(j, &a);
    const XXH128_hash_t hash = XXH3_128bits(a.text, a.used);
    const bool good = !a.incomplete;
    *identity = (index_identity){.low = hash.low64, .high = hash.high64};
    account_clear(&a);
    return good;
}

/* The parts of the file that are written and are no dataset's, in their order. */
typedef struct ranges {
    range *list; /* room for one more than there are extents, per piece of data */
    int64_t count;
    int64_t bytes;
} ranges;

static bool add_range(ranges *r, int64_t first, int64_t end)
{
    if (first >= end) {
        return true;
    }
    range *list = realloc(r->list, ((size_t)r->count + 1) * sizeof *list);
    if (list == NULL) {
        return false;
    }
    list[r->count++] = (range){.offset = first, .bytes = end - first};
    r->list = list;
    r->bytes += end - first;
    return true;
}

/* What of [first, end) is no dataset's. */
static bool add_rest(ranges *r, const extents *taken, int64_t first, int64_t end)
{
    bool good = true;
    for (int64_t i = 0; i < taken->count && good; i++) {
        const extent *one = &taken->list[i];
        if (one->offset + one->bytes > first && one->offset < end) {
            good = add_range(r, first, one->offset);
            first = one->offset + one->bytes;
        }
    }
    return good && add_range(r, first, end);
}

/* A file system that knows no holes says that there are none. */
static bool find_ranges(int fd, int64_t end, const extents *taken, ranges *r)
{
    bool good = true;
    for (off_t at = 0; good && at < end;) {
        const off_t data = lseek(fd, at, SEEK_DATA);
        const off_t hole = data < 0 ? -1 : lseek(fd, data, SEEK_HOLE);
        if (data < 0 && errno == ENXIO) {
            break;
        }
        const bool known = data >= 0 && hole > data;
        const int64_t stop = known && hole < end ? hole : end;
        good = add_rest(r, taken, known ? data : at, stop);
        at = stop;
    }
    return good;
}

static weft_status sum_up(int fd, const char *path, const range list[], int64_t count,
                          uint64_t *sum, error *e)
{
    char *piece = malloc(PIECE_BYTES);
    XXH3_state_t *state = XXH3_createState();
    weft_status status = WEFT_OK;
    if (piece == NULL || state == NULL) {
        status = error_memory(e, "the index of %s", path);
    } else {
        (void)XXH3_64bits_reset(state);
    }
    for (int64_t i = 0; i < count && status == WEFT_OK; i++) {
        for (int64_t done = 0; done < list[i].bytes && status == WEFT_OK;) {
            const int64_t left = list[i].bytes - done;
            const size_t now = (size_t)(left < PIECE_BYTES ? left : PIECE_BYTES);
            status = bytes_read(fd, path, piece, now, list[i].offset + done, e);
            if (status == WEFT_OK) {
                (void)XXH3_64bits_update(state, piece, now);
            }
            done += (int64_t)now;
        }
    }
    if (status == WEFT_OK) {
        *sum = XXH3_64bits_digest(state);
    }
    (void)XXH3_freeState(state);
    free(piece);
    return status;
}

static size_t index_bytes(int64_t maps, int64_t count)
{
    return sizeof(head) + (size_t)maps * sizeof(entry) + (size_t)count * sizeof(range) +
           sizeof(tail);
}

static bool fill_entries(entry each[], int maps, job *const jobs[], const metadata_layout layouts[])
{
    bool good = true;
    for (int i = 0; i < maps && good; i++) {
        const job *j = jobs[i];
        each[i].count = j->items.count;
        each[i].grain = j->tiles.grain;
        each[i].layout = layouts[i];
        memcpy(each[i].name, j->name, sizeof each[i].name);
        good = index_identify(j, &each[i].identity);
    }
    return good;
}

/* `h` holds the checksum. NULL: out of memory. */
static unsigned char *make_index(head h, const ranges *r, job *const jobs[],
                                 const metadata_layout layouts[])
{
    const int maps = h.maps;
    const size_t bytes = index_bytes(maps, r->count);
    unsigned char *index = calloc(1, bytes);
    if (index == NULL || !fill_entries((entry *)(void *)(index + sizeof h), maps, jobs, layouts)) {
        free(index);
        return NULL;
    }
    memcpy(h.magic, magic, sizeof magic);
    memcpy(h.build, jobs[0]->build, sizeof h.build);
    memcpy(index, &h, sizeof h);
    if (r->count > 0) {
        memcpy(index + sizeof h + (size_t)maps * sizeof(entry), r->list,
               (size_t)r->count * sizeof(range));
    }
    tail t = {.bytes = (int64_t)bytes, .check = XXH3_64bits(index, bytes - sizeof t)};
    memcpy(t.magic, magic, sizeof magic);
    memcpy(index + bytes - sizeof t, &t, sizeof t);
    return index;
}

/* Behind the `end` of what there is. */
static weft_status append(int fd, const char *path, int64_t end, const ranges *r, int maps,
                          job *const jobs[], const metadata_layout layouts[], error *e)
{
    head h = {.maps = maps, .ranges = (int32_t)r->count, .offset = end};
    weft_status status = sum_up(fd, path, r->list, r->count, &h.metadata, e);
    if (status != WEFT_OK) {
        return status;
    }
    unsigned char *index = make_index(h, r, jobs, layouts);
    status = index == NULL ? error_memory(e, "the index of %s", path)
                           : bytes_write(fd, path, index, index_bytes(maps, r->count), end, e);
    free(index);
    return status;
}

weft_status index_append(int fd, const char *path, int maps, job *const jobs[],
                         const metadata_layout layouts[], error *e)
{
    const off_t end = lseek(fd, 0, SEEK_END);
    extents taken = {.list = NULL};
    ranges r = {.list = NULL};
    extents_collect(&taken, maps, jobs, layouts);
    extents_sort(&taken);
    weft_status status = WEFT_OK;
    if (end < 0 || taken.incomplete || !find_ranges(fd, end, &taken, &r)) {
        status = error_memory(e, "the index of %s", path);
    } else if (r.bytes <= MOST_METADATA_BYTES && index_bytes(maps, r.count) <= MOST_INDEX_BYTES) {
        status = append(fd, path, end, &r, maps, jobs, layouts, e);
    }
    free(r.list);
    extents_clear(&taken);
    return status;
}

/* The index of a file of `end` bytes, whose own check is right and whose parts have the lengths
 * that they should; NULL: there is none. */
static unsigned char *load_index(int fd, int64_t end)
{
    error ignored = {.status = WEFT_OK};
    tail t;
    if (end < (int64_t)index_bytes(1, 1) ||
        bytes_read(fd, "", &t, sizeof t, end - (int64_t)sizeof t, &ignored) != WEFT_OK ||
        memcmp(t.magic, magic, sizeof magic) != 0 || t.bytes < (int64_t)index_bytes(1, 1) ||
        t.bytes > MOST_INDEX_BYTES || t.bytes > end) {
        return NULL;
    }
    const size_t bytes = (size_t)t.bytes;
    unsigned char *index = malloc(bytes);
    if (index == NULL) {
        return NULL;
    }
    bool good = bytes_read(fd, "", index, bytes, end - t.bytes, &ignored) == WEFT_OK &&
                XXH3_64bits(index, bytes - sizeof t) == t.check;
    if (good) {
        head h;
        memcpy(&h, index, sizeof h);
        good = memcmp(h.magic, magic, sizeof magic) == 0 && h.offset == end - t.bytes &&
               h.maps >= 1 && h.maps <= WEFT_MAX_MAPS && h.ranges >= 1 &&
               bytes == index_bytes(h.maps, h.ranges);
    }
    if (!good) {
        free(index);
        return NULL;
    }
    return index;
}

static const entry *find_entry(const entry each[], int maps, const char *name)
{
    for (int i = 0; i < maps; i++) {
        if (strncmp(each[i].name, name, sizeof each[i].name) == 0) {
            return &each[i];
        }
    }
    return NULL;
}

/* Whether the entries are these maps; sets their layouts. */
static bool match_entries(const entry each[], int maps, job *const jobs[], bool adopt_grain,
                          metadata_layout layouts[])
{
    bool same = true;
    for (int i = 0; i < maps && same; i++) {
        const entry *one = find_entry(each, maps, jobs[i]->name);
        index_identity mine;
        error ignored = {.status = WEFT_OK};
        same = one != NULL && one->grain >= 1 && one->count == jobs[i]->items.count &&
               one->layout.map >= 0 && one->layout.map < maps;
        if (same && adopt_grain) {
            same = job_settle(jobs[i], jobs[i]->seed, one->grain, &ignored) == WEFT_OK;
        }
        same = same && index_identify(jobs[i], &mine) && mine.low == one->identity.low &&
               mine.high == one->identity.high;
        if (same) {
            layouts[i] = one->layout;
        }
    }
    return same;
}

/* Whether everything has its own place in the file. What has come to its end with a good check is
 * ours, or somebody has taken pains. */
static bool check_places(const head *h, const range list[], int maps, job *const jobs[],
                         const metadata_layout layouts[])
{
    extents all = {.list = NULL};
    bool good = list[0].offset == 0;
    int64_t metadata_bytes = 0;
    for (int i = 0; i < maps && good; i++) {
        const metadata_layout *l = &layouts[i];
        good = l->failure_rows >= 1 && l->failure_rows <= METADATA_MOST_ROWS && l->run_rows >= 1 &&
               l->run_rows <= METADATA_MOST_ROWS && l->runs_offset == layouts[0].runs_offset &&
               l->run_rows == layouts[0].run_rows && l->file_bytes >= 0 &&
               l->file_bytes <= h->offset;
    }
    if (good) {
        extents_collect(&all, maps, jobs, layouts);
    }
    for (int32_t i = 0; i < h->ranges; i++) {
        extents_add(&all, &(extent){.offset = list[i].offset, .bytes = list[i].bytes, .name = ""});
    }
    for (int64_t i = 0; i < all.count && good; i++) {
        const extent *one = &all.list[i];
        good = one->offset >= 0 && one->bytes > 0 && one->bytes <= h->offset - one->offset;
    }
    for (int32_t i = 0; i < h->ranges && good; i++) {
        metadata_bytes += list[i].bytes;
        good = metadata_bytes <= MOST_METADATA_BYTES;
    }
    extents_sort(&all);
    good = good && !all.incomplete && extents_find_overlap(&all) == NULL;
    extents_clear(&all);
    return good;
}

static bool read_index(int fd, int64_t end, int maps, job *const jobs[], bool adopt_grain,
                       metadata_layout layouts[], char build[BUILD_TEXT_BYTES])
{
    error ignored = {.status = WEFT_OK};
    unsigned char *index = load_index(fd, end);
    if (index == NULL) {
        return false;
    }
    head h;
    uint64_t sum = 0;
    memcpy(&h, index, sizeof h);
    const entry *each = (const entry *)(const void *)(index + sizeof h);
    const range *list = (const range *)(const void *)(each + h.maps);
    const bool good = h.maps == maps && match_entries(each, maps, jobs, adopt_grain, layouts) &&
                      check_places(&h, list, maps, jobs, layouts) &&
                      sum_up(fd, "", list, h.ranges, &sum, &ignored) == WEFT_OK &&
                      sum == h.metadata;
    if (good) {
        (void)snprintf(build, BUILD_TEXT_BYTES, "%.*s", BUILD_TEXT_BYTES - 1, h.build);
    }
    free(index);
    return good;
}

bool index_read(const char *path, int maps, job *const jobs[], bool adopt_grain,
                metadata_layout layouts[], char build[BUILD_TEXT_BYTES])
{
    struct stat file;
    const int fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    const bool good = fd >= 0 && fstat(fd, &file) == 0 && S_ISREG(file.st_mode) &&
                      read_index(fd, file.st_size, maps, jobs, adopt_grain, layouts, build);
    for (int i = 0; i < maps && good; i++) {
        layouts[i].inode = (uint64_t)file.st_ino;
    }
    if (fd >= 0) {
        (void)close(fd);
    }
    return good;
}
