/* SPDX-License-Identifier: BSD-3-Clause */
/* The scheduling techniques of level 1: their table, names, and the limits of every chunk. The
 * formulas are in chunk_*.c. */
#include "sched/technique.h"

#include "sched/chunk.h"

#include <assert.h>
#include <string.h>

static const struct {
    const char *name;
    int64_t (*chunk)(const outlook *o);
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

int64_t technique_chunk(technique t, const outlook *o)
{
    assert(is_technique(t) && o->remaining >= 1 && o->ranks >= 1 && o->step >= 0);
    const int64_t chunk = table[t].chunk(o);
    if (chunk > o->remaining) {
        return o->remaining;
    }
    return chunk < 1 ? 1 : chunk;
}

const char *weft_schedule_name(int number)
{
    return is_technique((technique)number) ? table[number].name : NULL;
}

const char *weft_schedule_text(int number)
{
    return is_technique((technique)number) ? table[number].text : NULL;
}
