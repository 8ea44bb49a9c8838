/* SPDX-License-Identifier: BSD-3-Clause */
/* Owns the files of what is written by hand. */
#include "output.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { STEP_BYTES = 1 << 20 };

bool output_open(output *out, const work *w)
{
    int64_t bytes = 0;
    bool good = true;
    *out = (output){.w = w};
    for (int i = 0; i < w->fields; i++) {
        char path[64];
        (void)snprintf(path, sizeof path, "by-hand-%s", w->field[i].name);
        out->fd[i] = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0666);
        good = good && out->fd[i] >= 0;
        bytes += w->field[i].bytes;
    }
    /* Whole pieces, since some works have rows in which an item helps the next. */
    const int64_t piece_bytes = bytes * w->piece;
    out->step = w->piece;
    if (piece_bytes > 0 && piece_bytes < STEP_BYTES) {
        out->step *= STEP_BYTES / piece_bytes;
    }
    return good;
}

bool output_close(const output *out)
{
    bool good = true;
    for (int i = 0; i < out->w->fields; i++) {
        good = close(out->fd[i]) == 0 && good;
    }
    return good;
}

bool output_allocate(const output *out, output_buffers *buffers)
{
    bool good = true;
    *buffers = (output_buffers){{NULL}};
    for (int i = 0; i < out->w->fields; i++) {
        buffers->results[i] = malloc((size_t)(out->step * out->w->field[i].bytes));
        good = good && buffers->results[i] != NULL;
    }
    return good;
}

void output_free(output_buffers *buffers)
{
    for (int i = 0; i < WORK_FIELDS; i++) {
        free(buffers->results[i]);
    }
}

static bool write_whole(int fd, const char *bytes, int64_t count, int64_t offset)
{
    while (count > 0) {
        const ssize_t written = pwrite(fd, bytes, (size_t)count, (off_t)offset);
        if (written <= 0) {
            return false;
        }
        bytes += written;
        offset += written;
        count -= written;
    }
    return true;
}

bool output_compute(const output *out, output_buffers *buffers, int64_t first, int64_t count)
{
    const work *w = out->w;
    bool good = true;
    for (int64_t end = first + count; first < end && good; first += out->step) {
        const int64_t now = end - first < out->step ? end - first : out->step;
        w->compute(w, first, now, buffers->results);
        for (int i = 0; i < w->fields; i++) {
            const int64_t each = w->field[i].bytes;
            good = write_whole(out->fd[i], buffers->results[i], now * each, first * each) && good;
        }
    }
    return good;
}
