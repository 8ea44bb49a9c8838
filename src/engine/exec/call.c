/* SPDX-License-Identifier: BSD-3-Clause */
/* The call of the kernel: here or in a child, and again where something failed or died. */
#include "engine/exec/call.h"

#include "engine/exec/isolation.h"

#include <stdio.h>

static bool call_alike(const weft_span *span, isolation_plan plan);

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
        return call_one_by_one(span, plan);
    }
    plan.crashes += a->died;
    if (pure && a->died && plan.crashes < ISOLATION_CRASHES) {
        return call_alike(span, plan);
    }
    fail_all(span, a);
    return true;
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
    attempt a = {.here = true};
    if (plan.apart) {
        a = isolation_try(span->flow->isolation, span);
    }
    if (a.here) {
        plan.apart = false;
        a.code = call_and_break(span);
    }
    return (a.code == 0 && !a.died) || call_again(span, plan, &a);
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
    return call_again(span, (isolation_plan){.apart = false}, &a);
}
