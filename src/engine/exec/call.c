/* SPDX-License-Identifier: BSD-3-Clause */
/* The call of the kernel: here or in a child, and again where something failed or died. */
#include "engine/exec/call.h"

#include "engine/exec/isolation.h"
#include "reduce/reduction.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A span in a child is long, and is computed in ten parts at most: where something fails or
 * dies, only the items of its part are tried one by one. */
enum { PARTS = 10 };

static bool call_alike(const weft_span *span, isolation_plan plan);

static int64_t smaller_of(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

int64_t call_part_items(const weft_span *span)
{
    const flow *w = span->flow;
    const int64_t grain = w->job->tiles.grain;
    const int64_t tiles = smaller_of(span->count / grain / PARTS + 1, w->span_tiles);
    return w->options->pure ? smaller_of(tiles * grain, span->count) : span->count;
}

int call_parts(const weft_span *span, _Atomic int64_t *at)
{
    const int64_t end = span->first + span->count;
    const int64_t most = call_part_items(span);
    weft_span part = *span;
    int code = 0;
    for (; part.first < end && code == 0; part.first += part.count) {
        part.count = smaller_of(most, end - part.first);
        atomic_store(at, part.first);
        code = part.first > span->first && weft_span_stopping(span) ? 1 : call_here(&part);
    }
    return code;
}

/* The same, as call_and_break() is to call_here(). */
static int call_parts_and_break(const weft_span *span)
{
    _Atomic int64_t at;
    lull_break(span->flow->lull, span->worker);
    const int code = call_parts(span, &at);
    lull_keep(span->flow->lull, span->worker);
    return code;
}

/* Every item alone, to find out which it is. */
static bool call_one_by_one(const weft_span *span, isolation_plan plan)
{
    weft_span one = *span;
    bool computed = true;
    one.count = 1;
    for (int64_t i = 0; i < span->count && computed; i++) {
        one.first = span->first + i;
        computed = call_alike(&one, plan);
    }
    return computed;
}

/* The part in which something went wrong, item by item, and what comes before and behind it. The
 * child may be wrong about where it was: then more goes wrong, and is tried again. */
static bool call_around(const weft_span *span, isolation_plan plan, int64_t at)
{
    const int64_t end = span->first + span->count;
    weft_span part = *span;
    part.count = at - span->first;
    bool computed = part.count == 0 || call_alike(&part, plan);
    part.first = at;
    part.count = smaller_of(call_part_items(span), end - at);
    computed = computed && call_one_by_one(&part, plan);
    part.first += part.count;
    part.count = end - part.first;
    return computed && (part.count == 0 || call_alike(&part, plan));
}

/* All of the span failed. */
static void fail_all(const weft_span *span, const attempt *a)
{
    char text[128] = "";
    if (a->died) {
        (void)snprintf(text, sizeof text, "%s%s", a->text,
                       span->flow->options->pure ? ", twice" : "");
    }
    for (int64_t i = 0; i < span->count; i++) {
        if (a->died) {
            span_quarantine(span->failures, span->first + i, a->code, text);
        } else {
            span_fail(span->failures, span->first + i, a->code, NULL);
        }
    }
}

/* After an attempt that has not computed the span. If the map is not pure nothing is tried twice.
 */
static bool retry_span(const weft_span *span, isolation_plan plan, const attempt *a)
{
    const bool pure = span->flow->options->pure;
    if (weft_span_stopping(span) || span->failures->broken != NULL) {
        return false;
    }
    if (pure && span->count > 1) {
        const bool known = !a->here && a->at >= span->first && a->at < span->first + span->count;
        return known ? call_around(span, plan, a->at) : call_one_by_one(span, plan);
    }
    plan.crashes += a->died;
    if (pure && a->died && plan.crashes < ISOLATION_CRASHES) {
        return call_alike(span, plan);
    }
    fail_all(span, a);
    return true;
}

/* What the kernel has added to accumulators before a span: empty where that is the first of its
 * tile, or else a copy. */
typedef struct state_before {
    bool first;
    unsigned char *copy; /* one accumulator after the other */
} state_before;

static bool save_state(const weft_span *span, state_before *state)
{
    const job *j = span->flow->job;
    size_t bytes = 0;
    *state = (state_before){.first = span->first % j->tiles.grain == 0};
    if (state->first || !job_kernel_reduces(j)) {
        return true;
    }
    for (int i = 0; i < j->reductions; i++) {
        bytes += (size_t)j->reduction[i].bytes;
    }
    state->copy = malloc(bytes + 1);
    bytes = 0;
    for (int i = 0; i < j->reductions && state->copy != NULL; i++) {
        memcpy(state->copy + bytes, span_accumulator(span, i), (size_t)j->reduction[i].bytes);
        bytes += (size_t)j->reduction[i].bytes;
    }
    return state->copy != NULL;
}

/* What an attempt that has failed has added does not count. */
static void restore_state(const weft_span *span, const state_before *state)
{
    const job *j = span->flow->job;
    size_t at = 0;
    for (int i = 0; i < j->reductions; i++) {
        if (j->reduction[i].field < 0 && state->first) {
            reduction_init(j->reduction[i].work, span_accumulator(span, i));
        } else if (j->reduction[i].field < 0 && state->copy != NULL) {
            memcpy(span_accumulator(span, i), state->copy + at, (size_t)j->reduction[i].bytes);
        }
        at += (size_t)j->reduction[i].bytes;
    }
}

/* The attempt has not computed the span. */
static bool call_again(const weft_span *span, isolation_plan plan, const attempt *a)
{
    if (span->flow->options->pure && span->count > 1) {
        span_forget_failures(span);
    }
    return retry_span(span, plan, a);
}

/* Items of which as much is known. */
static bool call_alike(const weft_span *span, isolation_plan plan)
{
    static const error no_memory = {.status = WEFT_ERR_MEMORY,
                                    .text = "out of memory for the accumulators of a span"};
    attempt a = {.here = true};
    state_before state;
    if (!save_state(span, &state)) {
        span->failures->broken = &no_memory;
        return false;
    }
    if (plan.apart) {
        a = isolation_try(span->flow->isolation, span);
    }
    if (a.here) {
        plan.apart = false;
        a.code = call_parts_and_break(span);
    }
    const bool computed = a.code == 0 && !a.died;
    if (!computed) {
        restore_state(span, &state);
    }
    free(state.copy);
    return computed || call_again(span, plan, &a);
}

/* As much at once as a child has room for. */
bool call_with_care(const weft_span *span)
{
    weft_span part = *span;
    const int64_t end = span->first + span->count;
    bool computed = true;
    while (part.first < end && computed) {
        isolation_plan plan;
        part.count = end - part.first;
        part.count = isolation_look(span->flow->isolation, &part, &plan);
        computed = call_alike(&part, plan);
        part.first += part.count;
    }
    return computed;
}

bool call_after_error(const weft_span *span, int code)
{
    const attempt a = {.here = true, .code = code};
    restore_state(span, &(state_before){.first = true});
    return call_again(span, (isolation_plan){.apart = false}, &a);
}
