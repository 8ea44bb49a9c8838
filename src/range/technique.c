/* SPDX-License-Identifier: BSD-3-Clause */
/* The scheduling techniques of level 1: how many tiles the coordinator hands to the rank that asks.
 */
#include "range/technique.h"

#include "range/divide.h"

#include <assert.h>
#include <string.h>

static int64_t chunk_static(const schedule *s)
{
    return divide_up(s->total, s->ranks);
}

static int64_t chunk_ss(const schedule *s)
{
    (void)s;
    return 1;
}

static int64_t chunk_gss(const schedule *s)
{
    return divide_up(s->remaining, s->ranks);
}

static int64_t chunk_fac2(const schedule *s)
{
    /* ⌈R / 2P⌉ = ⌈⌈R / 2⌉ / P⌉, and 2P cannot overflow this way. */
    return divide_up(divide_up(s->batch_remaining, 2), s->ranks);
}

static const struct {
    const char *name;
    int64_t (*chunk)(const schedule *s);
    const char *text;
} table[] = {
#define TECHNIQUE_ROW(enumerator, name, function, text, source) \
    [enumerator] = {name, function, text " (" source ")"},
    TECHNIQUE_MAP(TECHNIQUE_ROW)
#undef TECHNIQUE_ROW
};

static bool is_technique(technique t)
{
    return (unsigned)t < TECHNIQUE_COUNT;
}

bool technique_find(const char *name, technique *t)
{
    for (int i = 0; i < TECHNIQUE_COUNT; i++) {
        if (strcmp(name, table[i].name) == 0) {
            *t = (technique)i;
            return true;
        }
    }
    return false;
}

const char *technique_name(technique t)
{
    return is_technique(t) ? table[t].name : "?";
}

const char *technique_text(technique t)
{
    return is_technique(t) ? table[t].text : "?";
}

const char *technique_names(void)
{
#define TECHNIQUE_NAME(enumerator, name, function, text, source) ", " name
    static const char names[] = TECHNIQUE_MAP(TECHNIQUE_NAME);
#undef TECHNIQUE_NAME
    return names + strlen(", ");
}

void schedule_init(schedule *s, technique t, int64_t total_tiles, int64_t ranks, int64_t minimum)
{
    assert(is_technique(t) && total_tiles >= 0 && ranks >= 1);
    *s = (schedule){.technique = t,
                    .total = total_tiles,
                    .remaining = total_tiles,
                    .ranks = ranks,
                    .minimum = minimum > 1 ? minimum : 1};
}

int64_t schedule_next(schedule *s)
{
    if (s->remaining == 0) {
        return 0;
    }
    if (s->step % s->ranks == 0) {
        s->batch_remaining = s->remaining;
    }
    int64_t chunk = table[s->technique].chunk(s);
    if (chunk < s->minimum) {
        chunk = s->minimum;
    }
    if (chunk > s->remaining) {
        chunk = s->remaining;
    }
    s->remaining -= chunk;
    s->step++;
    return chunk;
}
