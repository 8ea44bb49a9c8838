/* SPDX-License-Identifier: BSD-3-Clause */
/* What is going to happen in a simulation: events by time, the earliest first. A heap of four
 * children per node: half as deep as a binary one, and siblings share a cache line. */
#include "plan/events.h"

#include "base/array.h"

#include <stdlib.h>

enum { CHILDREN = 4 };

typedef struct node {
    event event;
    uint64_t order; /* of adding, so that a simulation can be repeated */
} node;

struct events {
    node *nodes;
    int64_t count;
    int64_t room;
    uint64_t next_order;
};

events *events_create(void)
{
    return calloc(1, sizeof(events));
}

void events_destroy(events *q)
{
    if (q != NULL) {
        free(q->nodes);
        free(q);
    }
}

static bool before(const node *a, const node *b)
{
    return a->event.when < b->event.when || (a->event.when <= b->event.when && a->order < b->order);
}

bool events_add(events *q, const event *e)
{
    if (!ARRAY_RESERVE(q->nodes, q->room, q->count + 1)) {
        return false;
    }
    const node added = {.event = *e, .order = q->next_order++};
    int64_t at = q->count++;
    while (at > 0 && before(&added, &q->nodes[(at - 1) / CHILDREN])) {
        q->nodes[at] = q->nodes[(at - 1) / CHILDREN];
        at = (at - 1) / CHILDREN;
    }
    q->nodes[at] = added;
    return true;
}

bool events_peek(const events *q, event *e)
{
    if (q->count == 0) {
        return false;
    }
    *e = q->nodes[0].event;
    return true;
}

/* The earliest of a node's children; -1 if it has none. */
static int64_t earliest_child(const events *q, int64_t parent)
{
    const int64_t first = parent * CHILDREN + 1;
    int64_t best = first < q->count ? first : -1;
    for (int64_t child = first + 1; child < first + CHILDREN && child < q->count; child++) {
        if (before(&q->nodes[child], &q->nodes[best])) {
            best = child;
        }
    }
    return best;
}

bool events_take(events *q, event *e)
{
    if (!events_peek(q, e)) {
        return false;
    }
    const node last = q->nodes[--q->count];
    int64_t at = 0;
    int64_t child = earliest_child(q, at);
    while (child >= 0 && before(&q->nodes[child], &last)) {
        q->nodes[at] = q->nodes[child];
        at = child;
        child = earliest_child(q, at);
    }
    q->nodes[at] = last;
    return true;
}

int64_t events_count(const events *q)
{
    return q->count;
}
