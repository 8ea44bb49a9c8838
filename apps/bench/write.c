/* SPDX-License-Identifier: BSD-3-Clause */
/* Owns the measurement of writing: the same bytes through the store, and with pwrite() from as many
 * threads into a file that nobody has reserved space for. */
#include "measure.h"

#include <fcntl.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { WORD_BYTES = 8, PIECE_BYTES = 1 << 20 };

typedef struct load {
    int64_t item_bytes;
    int64_t items;
} load;

/* Words that tell their place, at the speed of memory. */
static void fill(uint64_t *words, int64_t offset, int64_t bytes)
{
    const uint64_t first = (uint64_t)(offset / WORD_BYTES);
    for (uint64_t i = 0; i < (uint64_t)(bytes / WORD_BYTES); i++) {
        words[i] = first + i;
    }
}

static int fill_items(const weft_span *span, void *context)
{
    const load *l = context;
    fill(weft_span_result(span, 0), weft_span_first(span) * l->item_bytes,
         weft_span_count(span) * l->item_bytes);
    return 0;
}

static double gigabytes_per_second(const load *l, double seconds)
{
    return 1e-9 * (double)(l->items * l->item_bytes) / seconds;
}

static bool write_whole(int fd, const void *bytes, size_t count, int64_t offset)
{
    const char *from = bytes;
    while (count > 0) {
        const ssize_t written = pwrite(fd, from, count, (off_t)offset);
        if (written <= 0) {
            return false;
        }
        from += written;
        offset += written;
        count -= (size_t)written;
    }
    return true;
}

static bool write_pieces(int fd, int64_t bytes, int threads)
{
    bool good = true;
#pragma omp parallel num_threads(threads) default(none) shared(fd, bytes) reduction(&& : good)
    {
        uint64_t *words = malloc(PIECE_BYTES);
        good = words != NULL;
#pragma omp for schedule(dynamic)
        for (int64_t at = 0; at < bytes; at += PIECE_BYTES) {
            const int64_t count = bytes - at < PIECE_BYTES ? bytes - at : PIECE_BYTES;
            if (good) {
                fill(words, at, count);
                good = write_whole(fd, words, (size_t)count, at);
            }
        }
        free(words);
    }
    return good;
}

/* Writes the file by hand, and leaves it there. */
static weft_status write_file(const bench *b, const load *l, const char *path)
{
    weft_status status = WEFT_OK;
    const int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    if (fd < 0) {
        return measure_system_error(b, path);
    }
    if (!write_pieces(fd, l->items * l->item_bytes, b->workers)) {
        status = measure_system_error(b, path);
    }
    if (close(fd) != 0 && status == WEFT_OK) {
        status = measure_system_error(b, path);
    }
    return status;
}

/* In a virtual machine, memory that nobody has used for a while may be with the host, and costs
 * more to get back than to write. Both sides begin with memory that has just been used. */
static weft_status warm_memory(const bench *b, const load *l)
{
    const char *path = "write-warm";
    const weft_status status = write_file(b, l, path);
    (void)unlink(path);
    return status;
}

static weft_status write_by_hand(const bench *b, void *context, double *value)
{
    const load *l = context;
    const char *path = "write-pwrite";
    weft_status status = warm_memory(b, l);
    const double start = measure_now();
    if (status == WEFT_OK) {
        status = write_file(b, l, path);
    }
    *value = gigabytes_per_second(l, measure_now() - start);
    (void)unlink(path);
    return status;
}

static weft_status write_with_weft(const bench *b, void *context, double *value)
{
    load *l = context;
    const int64_t words = l->item_bytes / WORD_BYTES;
    weft_map *map = NULL;
    weft_status status = warm_memory(b, l);
    const double start = measure_now();
    if (status == WEFT_OK) {
        status = weft_map_create(b->session, "write", 1, &l->items, &map);
    }
    if (status == WEFT_OK) {
        status = weft_map_add_field(map, "words", WEFT_UINT64, words > 1, &words, NULL, NULL);
    }
    if (status == WEFT_OK) {
        status = weft_map_run(map, fill_items, l);
        *value = gigabytes_per_second(l, measure_now() - start);
        (void)unlink(weft_map_path(map));
    }
    weft_map_destroy(map);
    return status;
}

weft_status write_measure(const bench *b)
{
    static const struct {
        const char *what;
        int64_t item_bytes;
    } cases[] = {{"writing, 8 B items", 8},
                 {"writing, 1 KiB items", 1 << 10},
                 {"writing, 1 MiB items", 1 << 20}};
    const double bytes = 1024.0 * (1 << 20) * b->scale;
    weft_status status = WEFT_OK;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0] && status == WEFT_OK; i++) {
        load l = {.item_bytes = cases[i].item_bytes};
        l.items = (int64_t)fmax(bytes / (double)l.item_bytes, 1);
        row line = measure_row(cases[i].what, "GB/s", GOAL_RATIO_LEAST, 0.95);
        status = measure(b, &line, write_with_weft, write_by_hand, &l);
    }
    return status;
}
