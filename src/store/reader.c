/* SPDX-License-Identifier: BSD-3-Clause */
/* A complete map that a rank reads back. */
#include "store/reader.h"

#include "store/io/bytes.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct reader {
    int fd;
    char *path;
    const job *job;
    metadata_layout layout;
};

/* The path may lead elsewhere since the map was computed. */
static weft_status check_file(const reader *r, error *e)
{
    struct stat file;
    return fstat(r->fd, &file) == 0 && (uint64_t)file.st_ino == r->layout.inode &&
                   file.st_size >= r->layout.file_bytes
               ? WEFT_OK
               : error_set(e, WEFT_ERR_OTHER_JOB, "%s is not the file any more that map '%s' is in",
                           r->path, r->job->name);
}

static weft_status open_file(reader *r, error *e)
{
    const weft_status status = bytes_open(r->path, &r->fd, e);
    return status == WEFT_OK ? check_file(r, e) : status;
}

weft_status reader_open(const char *path, const job *j, const metadata_layout *layout, reader **out,
                        error *e)
{
    reader *r = calloc(1, sizeof *r);
    char *copy = strdup(path);
    if (r == NULL || copy == NULL) {
        free(copy);
        free(r);
        return error_memory(e, "a reader of %s", path);
    }
    *r = (reader){.fd = -1, .path = copy, .job = j, .layout = *layout};
    const weft_status status = open_file(r, e);
    if (status != WEFT_OK) {
        reader_close(r);
        return status;
    }
    *out = r;
    return WEFT_OK;
}

weft_status reader_read(const reader *r, int column, int64_t first, int64_t rows, void *bytes,
                        error *e)
{
    return bytes_read(r->fd, r->path, bytes, (size_t)job_row_bytes(r->job, column, rows),
                      r->layout.field_offset[column] + job_row_bytes(r->job, column, first), e);
}

void reader_close(reader *r)
{
    if (r != NULL) {
        if (r->fd >= 0) {
            (void)close(r->fd);
        }
        free(r->path);
        free(r);
    }
}
