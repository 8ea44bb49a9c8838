/* SPDX-License-Identifier: BSD-3-Clause */
/* Reduces what comes from standard input, for oracles.py: requests of binary numbers, answered by
 * a status, the size of the value, and the value. */
#include "reduce/reduction.h"

#include <stdio.h>
#include <stdlib.h>

typedef struct request {
    int64_t kind;
    int64_t count;
    double accuracy;
    double low;
    double high;
    int64_t type;
    int64_t each;
    int64_t numbers;
    int64_t tiles;
    int64_t one_by_one; /* is merged from accumulators of a single item each */
} request;

static void *get(int64_t bytes)
{
    void *memory = malloc((size_t)bytes + 1);
    if (memory == NULL || fread(memory, 1, (size_t)bytes, stdin) != (size_t)bytes) {
        exit(1);
    }
    return memory;
}

static void put(const void *memory, int64_t bytes)
{
    if (fwrite(memory, 1, (size_t)bytes, stdout) != (size_t)bytes) {
        exit(1);
    }
}

/* Adds a tile's items, from first on, to all that came before. */
static void add_tile(const request *q, const weft_reduction *r, void *all, int64_t first,
                     int64_t items)
{
    const int64_t item_bytes = q->each * (int64_t)weft_type_bytes((weft_type)q->type);
    unsigned char *x = get(items * item_bytes);
    void *tile = malloc((size_t)reduction_bytes(r));
    const int64_t step = q->one_by_one && items > 0 ? 1 : items;
    for (int64_t i = 0; i < items || i == 0; i += step > 0 ? step : 1) {
        reduction_init(r, tile);
        reduction_add_field(r, tile, (weft_type)q->type, x + i * item_bytes, q->each, first + i,
                            step);
        reduction_merge(r, all, tile);
    }
    free(tile);
    free(x);
}

int main(void)
{
    request q;
    while (fread(&q, sizeof q, 1, stdin) == 1) {
        double *number = get(q.numbers * (int64_t)sizeof *number);
        const weft_reduction r = {.kind = (weft_reduction_kind)q.kind,
                                  .count = q.count,
                                  .number = number,
                                  .accuracy = q.accuracy,
                                  .low = q.low,
                                  .high = q.high};
        error e = {.status = WEFT_OK};
        if (reduction_check(&r, "x", &e) != WEFT_OK) {
            fprintf(stderr, "%s\n", e.text);
            return 1;
        }
        void *all = malloc((size_t)reduction_bytes(&r));
        reduction_init(&r, all);
        int64_t first = 0;
        for (int64_t i = 0; i < q.tiles; i++) {
            int64_t *items = get(sizeof *items);
            add_tile(&q, &r, all, first, *items);
            first += *items;
            free(items);
        }
        const int64_t bytes = weft_reduction_value_bytes(&r);
        void *value = calloc(1, (size_t)bytes);
        const int64_t status = reduction_finish(&r, "x", all, value, &e);
        put(&status, sizeof status);
        put(&bytes, sizeof bytes);
        put(value, bytes);
        (void)fflush(stdout);
        free(value);
        free(all);
        free(number);
    }
    return 0;
}
