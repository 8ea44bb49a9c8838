/* SPDX-License-Identifier: BSD-3-Clause */
/* The span: what a kernel sees of a block, and says of its items. */
#include "engine/span.h"

#include <stdio.h>
#include <stdlib.h>
#include <weft/random.h>

int64_t weft_span_first(const weft_span *span)
{
    return span->first;
}

int64_t weft_span_count(const weft_span *span)
{
    return span->count;
}

void *weft_span_result(const weft_span *span, int field)
{
    const block *b = span->block;
    const int64_t before = span->first - tiling_first(&b->work->job->tiles, b->first);
    return b->bytes + b->field_start[field] + job_field_bytes(b->work->job, field, before);
}

void weft_span_indices(const weft_span *span, int64_t item, int64_t indices[])
{
    space_indices(&span->block->work->job->items, item, indices);
}

uint64_t weft_span_seed(const weft_span *span)
{
    return span->block->work->job->seed;
}

int weft_span_worker(const weft_span *span)
{
    return span->worker;
}

bool weft_span_stopping(const weft_span *span)
{
    return work_stopping(span->block->work);
}

weft_random weft_span_random(const weft_span *span, int64_t item, uint64_t stream)
{
    weft_random random;
    weft_random_init(&random, weft_span_seed(span), stream, (uint64_t)item);
    return random;
}

void weft_span_fail(const weft_span *span, int64_t item, int code, const char *text)
{
    if (item >= span->first && item < span->first + span->count) {
        span_fail(span->failures, item, code == 0 ? -1 : code, text);
    }
}

void span_fail(span_failures *failures, int64_t item, int code, const char *text)
{
    for (int64_t i = 0; i < failures->count; i++) {
        if (failures->rows[i].item == item) {
            return;
        }
    }
    if (failures->count == failures->room) {
        const int64_t room = failures->room == 0 ? 8 : 2 * failures->room;
        failure_row *larger = realloc(failures->rows, (size_t)room * sizeof *larger);
        if (larger == NULL) {
            return;
        }
        failures->rows = larger;
        failures->room = room;
    }
    failure_row *row = &failures->rows[failures->count++];
    *row = (failure_row){.item = item, .code = code};
    (void)snprintf(row->text, sizeof row->text, "%s", text == NULL ? "" : text);
}
