/* SPDX-License-Identifier: BSD-3-Clause */
/* The span: what a kernel sees of the work, and says of its items. */
#include "engine/exec/span.h"

#include "base/array.h"
#include "engine/exec/misuse.h"
#include "random/stream.h"

#include <string.h>
#include <weft/random.h>

int64_t weft_span_first(const weft_span *span)
{
    return span->first;
}

int64_t weft_span_count(const weft_span *span)
{
    return span->count;
}

void weft_span_indices(const weft_span *span, int64_t item, int64_t indices[])
{
    space_indices(&span->flow->job->items, item, indices);
}

uint64_t weft_span_seed(const weft_span *span)
{
    return span->flow->job->seed;
}

int weft_span_worker(const weft_span *span)
{
    return span->worker;
}

bool weft_span_stopping(const weft_span *span)
{
    return span->told != NULL ? atomic_load(span->told) : flow_stopping(span->flow);
}

unsigned char *span_accumulator(const weft_span *span, int reduction)
{
    const job *j = span->flow->job;
    const int64_t tile = span->first / j->tiles.grain - span->origin / j->tiles.grain;
    return span->bytes + span->field_start[j->fields + reduction] +
           tile * j->reduction[reduction].bytes;
}

weft_random weft_span_random(const weft_span *span, int64_t item, uint64_t stream)
{
    return stream_begin(span->flow->job->seed, stream, (uint64_t)item);
}

void weft_span_fail(const weft_span *span, int64_t item, int code, const char *text)
{
    if (item < span->first || item - span->first >= span->count) {
        misuse_note(span->flow->misuse,
                    "the kernel says that item %lld of map '%s' failed, in a span of items %lld to "
                    "%lld; weft_span_fail() takes the number of an item of the span, "
                    "weft_span_first() + i",
                    (long long)item, span->flow->job->name, (long long)span->first,
                    (long long)(span->first + span->count - 1));
        return;
    }
    span_fail(span->failures, item, code == 0 ? -1 : code, text);
}

static void fail(span_failures *failures, int64_t item, int code, const char *text,
                 bool quarantined)
{
    if (failures->items != NULL &&
        !failed_items_add(failures->items, item - failures->origin, quarantined)) {
        return;
    }
    failures->failed++;
    if (failures->full || !ARRAY_RESERVE(failures->rows, failures->room, failures->count + 1)) {
        failures->short_of_rows = true;
        return;
    }
    failure_row *row = &failures->rows[failures->count++];
    *row = (failure_row){.item = item, .code = code};
    if (text != NULL) {
        memcpy(row->text, text, strnlen(text, sizeof row->text - 1));
    }
    failures->full = failures->count == failures->most;
}

void span_fail(span_failures *failures, int64_t item, int code, const char *text)
{
    fail(failures, item, code, text, false);
}

void span_quarantine(span_failures *failures, int64_t item, int code, const char *text)
{
    fail(failures, item, code, text, true);
}

void span_forget_failures(const weft_span *span)
{
    span_failures *failures = span->failures;
    const int64_t first = span->first - failures->origin;
    bool quarantined = false;
    if (failures->items == NULL || failures->failed == 0) {
        return;
    }
    failures->failed -=
        failed_items_count(failures->items, first, first + span->count, &quarantined);
    failed_items_clear(failures->items, first, first + span->count);
    while (failures->count > 0 && failures->rows[failures->count - 1].item >= span->first &&
           failures->rows[failures->count - 1].item < span->first + span->count) {
        failures->count--;
        failures->full = false;
    }
}
