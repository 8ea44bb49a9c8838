/* SPDX-License-Identifier: BSD-3-Clause */
/* Whether a result's bytes are what its checksums say. */
#include "base/error.h"
#include "store/format/checksum.h"
#include "store/result.h"

#include <inttypes.h>
#include <stdlib.h>

enum { VERIFY_BYTES = 4 << 20 };

/* The state of a verification. */
typedef struct verification {
    weft_result *result;
    weft_verify_fn on_bad;
    void *context;
    int64_t verified;
    int64_t bad;
    int64_t unread;                 /* of the bad ones, those that cannot be read */
    unsigned char *buffer;          /* room for `tiles` tiles, column after column */
    size_t offset[WEFT_MAX_FIELDS]; /* where in the buffer a column begins */
    int64_t tiles;
} verification;

static void report_bad(verification *v, int64_t tile, const char *what)
{
    const tiling *tiles = &result_job(v->result)->tiles;
    v->bad++;
    if (v->on_bad != NULL) {
        v->on_bad(tile, tiling_first(tiles, tile), tiling_items(tiles, tile, 1), what, v->context);
    }
}

/* The tile's bytes are in the buffer, `place` tiles from its start. */
static void verify_tile(verification *v, int64_t tile, int64_t place)
{
    const job *j = result_job(v->result);
    const void *bytes[WEFT_MAX_FIELDS];
    size_t counts[WEFT_MAX_FIELDS];
    for (int i = 0; i < job_columns(j); i++) {
        bytes[i] = v->buffer + v->offset[i] + job_column_room(j, i, place);
        counts[i] = (size_t)job_column_bytes(j, i, tile, 1);
    }
    if (checksum_runs(job_columns(j), bytes, counts) == result_record(v->result, tile)->checksum) {
        v->verified++;
    } else {
        report_bad(v, tile, "its bytes differ from its checksum");
    }
}

/* Only what is done is read: a disk that fails elsewhere does not matter here. */
static bool any_done(const verification *v, int64_t first, int64_t tiles)
{
    bool done = false;
    for (int64_t tile = first; tile < first + tiles && !done; tile++) {
        done = result_tile(v->result, tile) != NULL;
    }
    return done;
}

static weft_status read_run(verification *v, int64_t first, int64_t tiles)
{
    const job *j = result_job(v->result);
    weft_status status = WEFT_OK;
    for (int i = 0; i < job_columns(j) && status == WEFT_OK; i++) {
        const bool field = i < j->fields;
        status = result_read_rows(v->result, i, field ? tiling_first(&j->tiles, first) : first,
                                  field ? tiling_items(&j->tiles, first, tiles) : tiles,
                                  v->buffer + v->offset[i]);
    }
    return status;
}

/* What fails to be read is read again tile by tile: only what lies there is lost. */
static void verify_run(verification *v, int64_t first, int64_t tiles)
{
    const bool readable = !any_done(v, first, tiles) || read_run(v, first, tiles) == WEFT_OK;
    for (int64_t place = 0; place < tiles; place++) {
        const int64_t tile = first + place;
        const tile_record *record = result_record(v->result, tile);
        if (!readable && tiles > 1) {
            verify_run(v, tile, 1);
        } else if (!tile_record_sound(record, tile)) {
            report_bad(v, tile, "its tile record is damaged");
        } else if (!readable) {
            v->unread++;
            report_bad(v, tile, "its bytes cannot be read");
        } else if (tile_record_done(record)) {
            verify_tile(v, tile, place);
        }
    }
}

/* Which dimension's coordinates are not what they were; -1: none. */
static weft_status verify_coordinates(verification *v, int *changed)
{
    enum { PIECE = VERIFY_BYTES / sizeof(double) };
    const job *j = result_job(v->result);
    weft_status status = WEFT_OK;
    double *piece = malloc(VERIFY_BYTES);
    if (piece == NULL) {
        return error_memory(result_error(v->result), "the coordinates of %s",
                            result_path(v->result));
    }
    for (int i = 0; i < j->items.ndims && status == WEFT_OK; i++) {
        const int64_t count = j->items.shape[i];
        uint64_t sum = dimension_sum(0, piece, 0);
        for (int64_t at = 0; at < count && j->dimension[i].checksum != 0 && status == WEFT_OK;) {
            const int64_t now = count - at < PIECE ? count - at : PIECE;
            status = weft_result_read_coordinates(v->result, i, at, now, piece);
            sum = dimension_sum(sum, piece, now);
            at += now;
        }
        if (j->dimension[i].checksum != 0 && j->dimension[i].checksum != sum) {
            *changed = i;
        }
    }
    free(piece);
    return status;
}

/* Tiles, or the coordinates of a dimension, where that is not -1. */
static weft_status tell_bad(const verification *v, int dimension)
{
    error *e = result_error(v->result);
    const char *path = result_path(v->result);
    if (dimension >= 0) {
        return error_set(e, WEFT_ERR_CORRUPT,
                         "%s: the coordinates of dimension '%s' are damaged, and so are %" PRId64
                         " tiles; to repair them, run the job's command again with --fresh",
                         path, result_job(v->result)->dimension[dimension].name, v->bad);
    }
    if (v->unread == 0) {
        return error_set(e, WEFT_ERR_CORRUPT, "%s: %" PRId64 " tiles are damaged", path, v->bad);
    }
    return error_set(e, WEFT_ERR_CORRUPT,
                     "%s: %" PRId64 " tiles are damaged; %" PRId64 " of them cannot be read: the "
                     "disk, or its server, is failing, see dmesg",
                     path, v->bad, v->unread);
}

static weft_status prepare_buffer(verification *v)
{
    const job *j = result_job(v->result);
    const int64_t tile_bytes = job_tile_bytes(j);
    v->tiles = tile_bytes >= VERIFY_BYTES ? 1 : VERIFY_BYTES / tile_bytes;
    size_t bytes = 0;
    for (int i = 0; i < job_columns(j); i++) {
        v->offset[i] = bytes;
        bytes += (size_t)job_column_room(j, i, v->tiles);
    }
    v->buffer = malloc(bytes + 1);
    if (v->buffer == NULL) {
        return error_memory(result_error(v->result), "a tile of %s", result_path(v->result));
    }
    return WEFT_OK;
}

weft_status weft_result_verify(weft_result *result, weft_verify_fn on_bad, void *context,
                               int64_t *verified, int64_t *bad)
{
    verification v = {.result = result, .on_bad = on_bad, .context = context};
    error_clear(result_error(result));
    weft_status status = result_read_tables(result);
    if (status == WEFT_OK) {
        status = prepare_buffer(&v);
    }
    for (int64_t tile = 0; tile < result_job(result)->tiles.tiles && status == WEFT_OK;
         tile += v.tiles) {
        const int64_t left = result_job(result)->tiles.tiles - tile;
        verify_run(&v, tile, left < v.tiles ? left : v.tiles);
    }
    int changed = -1;
    if (status == WEFT_OK) {
        status = verify_coordinates(&v, &changed);
    }
    free(v.buffer);
    if (status != WEFT_OK) {
        return status;
    }
    *verified = v.verified;
    *bad = v.bad;
    if (v.bad > 0 || changed >= 0) {
        return tell_bad(&v, changed);
    }
    error_clear(result_error(result));
    return WEFT_OK;
}
