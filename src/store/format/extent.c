/* SPDX-License-Identifier: BSD-3-Clause */
/* The places of all datasets of a result, in the order in which they lie in the file. */
#include "store/format/extent.h"

#include "base/array.h"
#include "store/format/record.h"

#include <stdio.h>
#include <stdlib.h>

void extents_add(extents *x, const extent *one)
{
    if (one->bytes == 0) {
        return;
    }
    if (!ARRAY_RESERVE(x->list, x->room, x->count + 1)) {
        x->incomplete = true;
        return;
    }
    x->list[x->count++] = *one;
}

static void add_table(extents *x, const char *map, const char *name, int64_t offset, int64_t bytes)
{
    extents_add(
        x, &(extent){.offset = offset, .bytes = bytes, .map = map, .name = name, .is_table = true});
}

void extents_collect(extents *x, int maps, job *const jobs[], const metadata_layout layouts[])
{
    for (int i = 0; i < maps; i++) {
        const job *j = jobs[i];
        const metadata_layout *l = &layouts[i];
        const int64_t tiles = j->tiles.tiles;
        add_table(x, j->name, SCHEMA_TILES, l->tiles_offset, tiles * (int64_t)sizeof(tile_record));
        add_table(x, j->name, SCHEMA_LEASES, l->leases_offset, tiles);
        add_table(x, j->name, SCHEMA_FAILURES, l->failures_offset,
                  l->failure_rows * (int64_t)sizeof(failure_row));
        for (int c = 0; c < job_columns(j); c++) {
            const bool field = c < j->fields;
            extents_add(
                x, &(extent){.offset = l->field_offset[c],
                             .bytes = job_column_bytes(j, c, 0, tiles),
                             .map = j->name,
                             .name = field ? j->field[c].name : j->reduction[c - j->fields].name,
                             .is_accumulators = !field});
        }
        for (int d = 0; d < j->items.ndims; d++) {
            extents_add(x, &(extent){.offset = l->coordinate_offset[d],
                                     .bytes = job_coordinate_bytes(j, d),
                                     .map = j->name,
                                     .name = j->dimension[d].name});
        }
        for (int r = 0; r < j->reductions; r++) {
            extents_add(x, &(extent){.offset = l->value_offset[r],
                                     .bytes = job_value_bytes(j, r),
                                     .map = j->name,
                                     .name = j->reduction[r].name});
        }
        if (j->reductions > 0) {
            add_table(x, j->name, SCHEMA_VALUES, l->values_offset,
                      j->reductions * (int64_t)sizeof(uint64_t));
        }
    }
    if (maps > 0) {
        add_table(x, NULL, SCHEMA_RUNS, layouts[0].runs_offset,
                  layouts[0].run_rows * (int64_t)sizeof(run_row));
    }
}

static int compare_offsets(const void *one, const void *other)
{
    const int64_t a = ((const extent *)one)->offset;
    const int64_t b = ((const extent *)other)->offset;
    return (a > b) - (a < b);
}

void extents_sort(extents *x)
{
    if (x->count > 0) {
        qsort(x->list, (size_t)x->count, sizeof x->list[0], compare_offsets);
    }
}

const extent *extents_find_overlap(const extents *x)
{
    for (int64_t i = 1; i < x->count; i++) {
        if (x->list[i - 1].offset + x->list[i - 1].bytes > x->list[i].offset) {
            return &x->list[i - 1];
        }
    }
    return NULL;
}

void extent_path(const extent *one, char path[SCHEMA_PATH_BYTES])
{
    if (one->map == NULL) {
        (void)snprintf(path, SCHEMA_PATH_BYTES, "%s", one->name);
    } else {
        (one->is_table          ? schema_table_path
         : one->is_accumulators ? schema_accumulators_path
                                : schema_result_path)(path, one->map, one->name);
    }
}

void extents_clear(extents *x)
{
    free(x->list);
    *x = (extents){.list = NULL};
}
