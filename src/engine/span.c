/* SPDX-License-Identifier: BSD-3-Clause */
/* The span: what a kernel sees of the work, and says of its items. */
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
    return span->bytes + span->field_start[field] +
           job_field_bytes(span->work->job, field, span->first - span->origin);
}

void weft_span_indices(const weft_span *span, int64_t item, int64_t indices[])
{
    space_indices(&span->work->job->items, item, indices);
}

uint64_t weft_span_seed(const weft_span *span)
{
    return span->work->job->seed;
}

int weft_span_worker(const weft_span *span)
{
    return span->worker;
}

bool weft_span_stopping(const weft_span *span)
{
    return span->told != NULL ? atomic_load(span->told) : work_stopping(span->work);
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

/* A row for an item; NULL if it has one already, or if memory is short. */
static span_failure *add_row(span_failures *failures, int64_t item)
{
    for (int64_t i = 0; i < failures->count; i++) {
        if (failures->rows[i].row.item == item) {
            return NULL;
        }
    }
    if (failures->count == failures->room) {
        const int64_t room = failures->room == 0 ? 8 : 2 * failures->room;
        span_failure *larger = realloc(failures->rows, (size_t)room * sizeof *larger);
        if (larger == NULL) {
            return NULL;
        }
        failures->rows = larger;
        failures->room = room;
    }
    return &failures->rows[failures->count++];
}

static void fail(span_failures *failures, int64_t item, int code, const char *text,
                 bool quarantined)
{
    span_failure *failure = add_row(failures, item);
    if (failure != NULL) {
        *failure = (span_failure){.row = {.item = item, .code = code}, .quarantined = quarantined};
        (void)snprintf(failure->row.text, sizeof failure->row.text, "%s", text == NULL ? "" : text);
    }
}

void span_fail(span_failures *failures, int64_t item, int code, const char *text)
{
    fail(failures, item, code, text, false);
}

void span_quarantine(span_failures *failures, int64_t item, int code, const char *text)
{
    fail(failures, item, code, text, true);
}
