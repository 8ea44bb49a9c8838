/* SPDX-License-Identifier: BSD-3-Clause */
/* What the store's tests work on: a folder of their own, a job with something of everything, and
 * files read whole. */
#ifndef TEST_STORE_SAMPLE_H
#define TEST_STORE_SAMPLE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "range/job.h"
#include "store/checksum.h"
#include "store/record.h"
#include "store/store.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { SAMPLE_PATH_BYTES = 512, SAMPLE_ROWS = 5, SAMPLE_COLUMNS = 7, SAMPLE_ITEMS = 35 };

static char sample_folder[256];

/* A group's set-up: an empty folder. */
static inline int sample_make_folder(void **state)
{
    (void)state;
    const char *base = getenv("TMPDIR");
    (void)snprintf(sample_folder, sizeof sample_folder, "%.200s/weft-store-XXXXXX",
                   base == NULL ? "." : base);
    return mkdtemp(sample_folder) == NULL ? -1 : 0;
}

static inline void sample_empty_folder(void)
{
    DIR *folder = opendir(sample_folder);
    for (struct dirent *each = folder == NULL ? NULL : readdir(folder); each != NULL;
         each = readdir(folder)) {
        char path[SAMPLE_PATH_BYTES + 256];
        (void)snprintf(path, sizeof path, "%s/%s", sample_folder, each->d_name);
        if (strcmp(each->d_name, ".") != 0 && strcmp(each->d_name, "..") != 0 &&
            unlink(path) != 0) {
            (void)rmdir(path);
        }
    }
    if (folder != NULL) {
        (void)closedir(folder);
    }
}

/* A group's tear-down. */
static inline int sample_remove_folder(void **state)
{
    (void)state;
    sample_empty_folder();
    return rmdir(sample_folder);
}

/* A path in the folder; the text lives as long as the process. */
static inline const char *sample_path(const char *name)
{
    static char paths[64][SAMPLE_PATH_BYTES];
    char path[SAMPLE_PATH_BYTES];
    (void)snprintf(path, sizeof path, "%s/%.200s", sample_folder, name);
    int i = 0;
    while (i < 63 && paths[i][0] != '\0' && strcmp(paths[i], path) != 0) {
        i++;
    }
    memcpy(paths[i], path, sizeof path);
    return paths[i];
}

static inline bool sample_exists(const char *path)
{
    struct stat file;
    return stat(path, &file) == 0;
}

static inline void sample_parameter(job *j, job_parameter_type type, const char *name,
                                    int64_t number, double real, const char *text)
{
    error e = {.status = WEFT_OK};
    job_parameter p = {.type = type, .int64 = number, .number = real};
    (void)snprintf(p.name, sizeof p.name, "%s", name);
    (void)snprintf(p.text, sizeof p.text, "%s", text);
    assert_int_equal(job_add_parameter(j, &p, &e), WEFT_OK);
}

/* A field of every type, of several shapes, one with a fill value of its own; parameters of every
 * type. */
static inline job *sample_job(int64_t rows, int64_t columns, int64_t grain)
{
    error e = {.status = WEFT_OK};
    job *j = NULL;
    assert_int_equal(job_create("sample", 2, (int64_t[]){rows, columns}, &j, &e), WEFT_OK);
    for (int type = 0; type < (int)WEFT_TYPE_COUNT; type++) {
        char name[WEFT_NAME_BYTES];
        (void)snprintf(name, sizeof name, "field-%d", WEFT_TYPE_COUNT - type);
        const int64_t shape[] = {type + 1, 2};
        assert_int_equal(job_add_field(j, name, (weft_type)type, type % 3, shape,
                                       type == 4 ? "µm" : NULL, type == 5 ? "the fifth" : NULL, &e),
                         WEFT_OK);
    }
    const int16_t fill = 4711;
    assert_int_equal(job_set_fill(j, j->field[WEFT_INT16].name, &fill, &e), WEFT_OK);
    sample_parameter(j, JOB_INT64, "steps", INT64_MIN, 0, "");
    sample_parameter(j, JOB_DOUBLE, "width", 0, -0.0, "");
    sample_parameter(j, JOB_STRING, "source", 0, 0, "a b\nc µ");
    sample_parameter(j, JOB_STRING, "nothing", 0, 0, "");
    assert_int_equal(job_settle(j, UINT64_C(0xFEDCBA9876543210), grain, &e), WEFT_OK);
    return j;
}

/* The byte of a field's bytes at a place. */
static inline unsigned char sample_byte(int field, int64_t place)
{
    return (unsigned char)((uint64_t)(place * 31 + field * 101 + 7) * UINT64_C(2654435761) >> 16);
}

static inline unsigned char *sample_bytes(const job *j, int field, int64_t first, int64_t items)
{
    const int64_t before = job_field_bytes(j, field, first);
    const int64_t count = job_field_bytes(j, field, items);
    unsigned char *bytes = malloc((size_t)count + 1);
    assert_non_null(bytes);
    for (int64_t i = 0; i < count; i++) {
        bytes[i] = sample_byte(field, before + i);
    }
    return bytes;
}

static inline uint64_t sample_checksum(const job *j, int64_t tile)
{
    const void *bytes[WEFT_MAX_FIELDS] = {NULL};
    size_t counts[WEFT_MAX_FIELDS] = {0};
    unsigned char *owned[WEFT_MAX_FIELDS] = {NULL};
    const int64_t items = tiling_items(&j->tiles, tile, 1);
    for (int i = 0; i < j->fields; i++) {
        owned[i] = sample_bytes(j, i, tiling_first(&j->tiles, tile), items);
        bytes[i] = owned[i];
        counts[i] = (size_t)job_field_bytes(j, i, items);
    }
    const uint64_t checksum = checksum_runs(j->fields, bytes, counts);
    for (int i = 0; i < j->fields; i++) {
        free(owned[i]);
    }
    return checksum;
}

/* Writes the sample's bytes of a tile, and its record. */
static inline void sample_put_tile(store *s, const job *j, int64_t tile, uint32_t failed)
{
    error e = {.status = WEFT_OK};
    const int64_t first = tiling_first(&j->tiles, tile);
    const int64_t items = tiling_items(&j->tiles, tile, 1);
    for (int i = 0; i < j->fields; i++) {
        unsigned char *bytes = sample_bytes(j, i, first, items);
        assert_int_equal(store_write(s, i, first, items, bytes, &e), WEFT_OK);
        free(bytes);
    }
    tile_record record = {.state = failed > 0 ? TILE_DONE_WITH_FAILURES : TILE_DONE,
                          .attempts = 1,
                          .failed = failed,
                          .rank = 2,
                          .worker = 1,
                          .run = ledger_run(store_ledger(s)),
                          .start = 1.7e9,
                          .seconds = 0.5,
                          .checksum = sample_checksum(j, tile)};
    tile_record_seal(&record, tile);
    assert_int_equal(ledger_put(store_ledger(s), tile, 1, &record, &e), WEFT_OK);
}

/* A complete file of that job. */
static inline void sample_make_file(const char *path, job *j)
{
    error e = {.status = WEFT_OK};
    store *s = NULL;
    assert_int_equal(store_open(path, j, (store_policy){.fresh = false}, &s, &e), WEFT_OK);
    for (int64_t tile = 0; tile < j->tiles.tiles; tile++) {
        sample_put_tile(s, j, tile, 0);
    }
    const run_row row = {.start = 1.7e9,
                         .end = 1.7e9 + 5,
                         .ranks = 2,
                         .workers = 6,
                         .hosts = 1,
                         .items = j->items.count,
                         .busy = 0.5,
                         .outcome = "complete",
                         .host_names = "here",
                         .command = "a b"};
    assert_int_equal(ledger_put_run(store_ledger(s), &row, &e), WEFT_OK);
    store_close(s);
}

/* A whole file; to be freed. */
static inline unsigned char *sample_read(const char *path, size_t *count)
{
    struct stat file;
    assert_int_equal(stat(path, &file), 0);
    *count = (size_t)file.st_size;
    unsigned char *bytes = malloc(*count + 1);
    FILE *stream = fopen(path, "rb");
    assert_true(bytes != NULL && stream != NULL);
    assert_int_equal(fread(bytes, 1, *count, stream), *count);
    (void)fclose(stream);
    return bytes;
}

static inline void sample_write(const char *path, const void *bytes, size_t count)
{
    FILE *stream = fopen(path, "wb");
    assert_non_null(stream);
    assert_int_equal(fwrite(bytes, 1, count, stream), count);
    assert_int_equal(fclose(stream), 0);
}

/* Whether a file holds just these bytes. */
static inline bool sample_same(const char *path, const unsigned char *bytes, size_t count)
{
    size_t now = 0;
    unsigned char *content = sample_read(path, &now);
    const bool same = now == count && memcmp(content, bytes, count) == 0;
    free(content);
    return same;
}

#endif
