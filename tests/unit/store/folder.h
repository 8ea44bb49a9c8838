/* SPDX-License-Identifier: BSD-3-Clause */
/* What the store's tests work in: a folder of their own, and files written and read whole. */
#ifndef TEST_STORE_FOLDER_H
#define TEST_STORE_FOLDER_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <dirent.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { SAMPLE_PATH_BYTES = 512 };

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

static inline void sample_write(const char *path, const void *bytes, size_t count)
{
    FILE *stream = fopen(path, "wb");
    assert_non_null(stream);
    assert_int_equal(fwrite(bytes, 1, count, stream), count);
    assert_int_equal(fclose(stream), 0);
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
