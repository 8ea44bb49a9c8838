/* SPDX-License-Identifier: BSD-3-Clause */
/* A kernel's way to its fields: where their results are, and that they exist. */
#include "base/number.h"
#include "engine/exec/misuse.h"
#include "engine/exec/span.h"

#include <stdio.h>
#include <string.h>
#include <weft/span.h>

enum { NAMES_BYTES = 256 };

static void *find_results(const weft_span *span, int field)
{
    return span->bytes + span->field_start[field] +
           job_field_bytes(span->flow->job, field, span->first - span->origin);
}

/* What a kernel that has asked for something else may write to: memory of no consequence, or else
 * the span's largest results, since they will not be recorded. */
static void *elsewhere(const weft_span *span)
{
    const job *j = span->flow->job;
    int largest = 0;
    for (int i = 0; i < j->fields; i++) {
        largest = j->field[i].item_bytes > j->field[largest].item_bytes ? i : largest;
    }
    void *memory = misuse_memory(span->flow->misuse, span->worker, (size_t)span->count,
                                 (size_t)j->field[largest].item_bytes);
    return memory != NULL ? memory : find_results(span, largest);
}

/* "1 field: 'x'", or "2 fields: 'x', 'y'". */
static void list_fields(const job *j, char text[NAMES_BYTES])
{
    (void)snprintf(text, NAMES_BYTES, "%d field%s", j->fields, number_plural(j->fields));
    for (int i = 0; i < j->fields; i++) {
        number_append(text, NAMES_BYTES, "%s'%s'", i == 0 ? ": " : ", ", j->field[i].name);
    }
}

static void *note_wrong_number(const weft_span *span, int field)
{
    const job *j = span->flow->job;
    char fields[NAMES_BYTES];
    list_fields(j, fields);
    misuse_note(span->flow->misuse,
                "the kernel asks for field %d of map '%s', which has %s (counted from 0)", field,
                j->name, fields);
    return elsewhere(span);
}

void *weft_span_result(const weft_span *span, int field)
{
    return field >= 0 && field < span->flow->job->fields ? find_results(span, field)
                                                         : note_wrong_number(span, field);
}

void *weft_span_accumulator(const weft_span *span, int reduction)
{
    const job *j = span->flow->job;
    const bool there = reduction >= 0 && reduction < j->reductions;
    if (there && j->reduction[reduction].field < 0) {
        return span_accumulator(span, reduction);
    }
    int64_t largest = 0;
    for (int i = 0; i < j->reductions; i++) {
        largest = j->reduction[i].bytes > largest ? j->reduction[i].bytes : largest;
    }
    misuse_note(span->flow->misuse,
                there
                    ? "the kernel asks for the accumulator of reduction %d of map '%s', which is "
                      "made of a field and not by the kernel"
                    : "the kernel asks for the accumulator of reduction %d of map '%s', which has "
                      "%d reductions (counted from 0)",
                reduction, j->name, j->reductions);
    return misuse_memory(span->flow->misuse, span->worker, 1, (size_t)largest);
}

void *weft_span_field(const weft_span *span, const char *field, weft_type type)
{
    const job *j = span->flow->job;
    for (int i = 0; i < j->fields; i++) {
        if (strcmp(j->field[i].name, field == NULL ? "" : field) != 0) {
            continue;
        }
        if (j->field[i].type == type) {
            return find_results(span, i);
        }
        misuse_note(span->flow->misuse,
                    "the kernel takes field '%s' of map '%s' for %s, but it is %s", field, j->name,
                    weft_type_name(type), weft_type_name(j->field[i].type));
        return elsewhere(span);
    }
    char fields[NAMES_BYTES];
    list_fields(j, fields);
    misuse_note(span->flow->misuse, "the kernel asks for field '%s' of map '%s', which has %s",
                field == NULL ? "" : field, j->name, fields);
    return elsewhere(span);
}
