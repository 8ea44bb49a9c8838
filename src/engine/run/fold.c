/* SPDX-License-Identifier: BSD-3-Clause */
/* The values of a map's reductions: its accumulators are folded in the order of tiles. */
#include "engine/run/fold.h"

#include "reduce/reduction.h"
#include "store/store.h"

#include <stdlib.h>

/* Accumulators are read in pieces of this size, or one by one. */
static const int64_t piece_bytes = INT64_C(1) << 20;

int64_t fold_place(const job *j, int reduction)
{
    int64_t place = 0;
    for (int i = 0; i < reduction; i++) {
        place += (job_value_bytes(j, i) + TYPE_MAX_BYTES - 1) / TYPE_MAX_BYTES * TYPE_MAX_BYTES;
    }
    return place;
}

/* All tiles' accumulators become one. */
static weft_status fold(store *s, const job *j, int reduction, unsigned char *piece,
                        int64_t tiles_at_once, void *total, error *e)
{
    const job_reduction *r = &j->reduction[reduction];
    weft_status status = WEFT_OK;
    reduction_init(r->work, total);
    for (int64_t tile = 0; tile < j->tiles.tiles && status == WEFT_OK; tile += tiles_at_once) {
        const int64_t left = j->tiles.tiles - tile;
        const int64_t now = left < tiles_at_once ? left : tiles_at_once;
        status = store_read(s, j->fields + reduction, tile, now, piece, e);
        for (int64_t i = 0; i < now && status == WEFT_OK; i++) {
            reduction_merge(r->work, total, piece + i * r->bytes);
        }
    }
    return status;
}

static weft_status make_value(store *s, const job *j, int reduction, void *value, error *e)
{
    const job_reduction *r = &j->reduction[reduction];
    const int64_t tiles_at_once = r->bytes < piece_bytes ? piece_bytes / r->bytes : 1;
    unsigned char *piece = malloc((size_t)(tiles_at_once * r->bytes));
    void *total = malloc((size_t)r->bytes);
    weft_status status = piece == NULL || total == NULL
                             ? error_memory(e, "the value of reduction '%s'", r->name)
                             : fold(s, j, reduction, piece, tiles_at_once, total, e);
    if (status == WEFT_OK) {
        status = reduction_finish(r->work, r->name, total, value, e);
    }
    free(total);
    free(piece);
    return status == WEFT_OK ? store_write_value(s, reduction, value, e) : status;
}

weft_status fold_values(store *s, const job *j, unsigned char *values, error *e)
{
    weft_status status = WEFT_OK;
    for (int i = 0; i < j->reductions && status == WEFT_OK; i++) {
        bool there = false;
        unsigned char *value = values + fold_place(j, i);
        status = store_read_value(s, i, value, &there, e);
        if (status == WEFT_OK && !there) {
            status = make_value(s, j, i, value, e);
        }
    }
    return status;
}
